using Turnpike.Catalog;
using Turnpike.Protocols.Evm;

namespace Turnpike.Payments;

/// <summary>The <c>payments:</c> section: every rail the owner takes money on.</summary>
internal sealed record PaymentSettings
{
    public IReadOnlyList<ChainSettings> Chains { get; init; } = [];

    public X402Settings? X402 { get; init; }

    public MppSettings? Mpp { get; init; }

    public PrepaidSettings? Prepaid { get; init; }
}

/// <summary>One EVM chain: who to ask, in what asset, to whom.</summary>
internal sealed record ChainSettings
{
    /// <summary>CAIP-2, <c>eip155:84532</c>.</summary>
    public required string Network { get; init; }

    public required ulong ChainId { get; init; }

    /// <summary>The JSON-RPC node; null when a facilitator does it all.</summary>
    public Uri? Rpc { get; init; }

    public required AssetSettings Asset { get; init; }

    public required Address PayTo { get; init; }

    /// <summary>Signs settlements; null when a facilitator settles.</summary>
    public Secret? SettlerKey { get; init; }

    public Uri? Facilitator { get; init; }
}

/// <summary>A token contract with its EIP-712 domain.</summary>
/// <param name="Currency">The money it counts as, <c>USD</c>.</param>
internal sealed record AssetSettings(Address Address, string Name, string Version, int Decimals, string Currency);

/// <summary><c>payments.x402</c>.</summary>
internal sealed record X402Settings(IReadOnlyList<ChainSettings> Chains);

/// <summary><c>payments.mpp</c>: secrets sign challenges, current first.</summary>
internal sealed record MppSettings(IReadOnlyList<Secret> Secrets)
{
    public IReadOnlyList<ChainSettings> EvmChains { get; init; } = [];

    public StripeSettings? Stripe { get; init; }

    /// <summary>How long a challenge may be paid.</summary>
    public TimeSpan Valid { get; init; } = TimeSpan.FromMinutes(5);
}

/// <summary><c>payments.mpp.stripe</c>.</summary>
internal sealed record StripeSettings(Secret SecretKey, string Profile, Uri Api);

/// <summary><c>payments.prepaid</c>: secrets derive tokens from their ids, current first.</summary>
internal sealed record PrepaidSettings(IReadOnlyList<Secret> Secrets)
{
    /// <summary>Makes and reads token texts under these secrets.</summary>
    public Tokens.TokenText Text { get; } = new([.. Secrets.Select(s => s.Bytes())]);
}
