using System.Text.Json;

namespace Turnpike.Protocols.X402;

/// <summary>One way to pay, as x402 v2 offers it.</summary>
public sealed record PaymentRequirements
{
    /// <summary><c>exact</c>, <c>upto</c>, …</summary>
    public required string Scheme { get; init; }

    /// <summary>CAIP-2, such as <c>eip155:8453</c>.</summary>
    public required string Network { get; init; }

    /// <summary>Atomic units of the asset, in decimal digits.</summary>
    public required string Amount { get; init; }

    public required string Asset { get; init; }
    public required string PayTo { get; init; }
    public required long MaxTimeoutSeconds { get; init; }

    /// <summary>What the scheme adds; on EVM the token's EIP-712 <c>name</c> and <c>version</c>.</summary>
    public JsonElement? Extra { get; init; }
}
