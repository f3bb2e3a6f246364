using System.Text.Json;

namespace Turnpike.Protocols.X402;

/// <summary>A payment of x402 v2, carried by the PAYMENT-SIGNATURE header. Parsed, not believed.</summary>
public sealed record PaymentPayload
{
    public required int X402Version { get; init; }
    public ResourceInfo? Resource { get; init; }

    /// <summary>The client's copy of the chosen offer; look up your own with <see cref="Matching"/> and use that.</summary>
    public required PaymentRequirements Accepted { get; init; }

    /// <summary>What the scheme wants, such as <see cref="ExactEvmPayload"/>.</summary>
    public required JsonElement Payload { get; init; }

    public JsonElement? Extensions { get; init; }
}

/// <summary>A payment of x402 v1, carried by the X-PAYMENT header. Parsed, not believed.</summary>
public sealed record PaymentPayloadV1
{
    public required int X402Version { get; init; }
    public required string Scheme { get; init; }
    public required string Network { get; init; }
    public required JsonElement Payload { get; init; }
}
