using System.Text.Json;

namespace Turnpike.Protocols.X402;

/// <summary>A facilitator's opinion of a payment; a refusal is HTTP 200 with a reason.</summary>
public sealed record VerifyResponse
{
    public required bool IsValid { get; init; }

    /// <summary>One of <see cref="ErrorCodes"/>.</summary>
    public string? InvalidReason { get; init; }

    public string? InvalidMessage { get; init; }
    public string? Payer { get; init; }
    public JsonElement? Extensions { get; init; }
    public JsonElement? Extra { get; init; }
}
