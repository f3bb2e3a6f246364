using System.Text.Json;

namespace Turnpike.Protocols.X402;

/// <summary>One way to pay, as x402 v1 offers it.</summary>
public sealed record PaymentRequirementsV1
{
    public required string Scheme { get; init; }

    /// <summary>A v1 name, such as <c>base-sepolia</c>.</summary>
    public required string Network { get; init; }

    /// <summary>Atomic units of the asset, in decimal digits.</summary>
    public required string MaxAmountRequired { get; init; }

    public required string Resource { get; init; }

    /// <summary>Required by v1 clients; may be empty.</summary>
    public required string Description { get; init; }

    public string? MimeType { get; init; }
    public JsonElement? OutputSchema { get; init; }
    public required string PayTo { get; init; }
    public required long MaxTimeoutSeconds { get; init; }
    public required string Asset { get; init; }
    public JsonElement? Extra { get; init; }
}
