using System.Text.Json;

namespace Turnpike.Protocols.X402;

/// <summary>The terms of x402 v2, carried by the PAYMENT-REQUIRED header.</summary>
public sealed record PaymentRequired
{
    public int X402Version { get; init; } = 2;
    public string? Error { get; init; }
    public required ResourceInfo Resource { get; init; }
    public required IReadOnlyList<PaymentRequirements> Accepts { get; init; }
    public JsonElement? Extensions { get; init; }
}

/// <summary>The terms of x402 v1, carried by the body of the 402.</summary>
public sealed record PaymentRequiredV1
{
    public int X402Version { get; init; } = 1;
    public string? Error { get; init; }
    public required IReadOnlyList<PaymentRequirementsV1> Accepts { get; init; }
}
