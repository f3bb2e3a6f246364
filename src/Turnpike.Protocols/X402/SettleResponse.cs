using System.Text.Json;

namespace Turnpike.Protocols.X402;

/// <summary>The end of a payment, carried by PAYMENT-RESPONSE (v2) or X-PAYMENT-RESPONSE (v1), also when it failed.</summary>
public sealed record SettleResponse
{
    public required bool Success { get; init; }

    /// <summary>One of <see cref="ErrorCodes"/>.</summary>
    public string? ErrorReason { get; init; }

    public string? ErrorMessage { get; init; }
    public string? Payer { get; init; }

    /// <summary>The hash; empty where nothing was broadcast, kept where it failed afterwards.</summary>
    public required string Transaction { get; init; }

    public required string Network { get; init; }

    /// <summary>Atomic units actually taken, where the scheme leaves that open.</summary>
    public string? Amount { get; init; }

    public JsonElement? Extensions { get; init; }
    public JsonElement? Extra { get; init; }
}
