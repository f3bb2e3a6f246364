using System.Collections.Frozen;
using Turnpike.Catalog;
using Turnpike.Pricing.Buying;

namespace Turnpike.Payments.Buying;

/// <summary>The <c>wallets:</c> section: what upstreams are paid from, by name.</summary>
internal sealed record WalletSet(FrozenDictionary<string, WalletSettings> Wallets);

/// <summary>One purse of the owner's: a private key on some chains, or a prepaid token at one seller.</summary>
internal sealed record WalletSettings
{
    public required string Name { get; init; }

    public IReadOnlyList<SpendCap> Caps { get; init; } = [];

    /// <summary>Signs payments on <see cref="Chains"/>; null for a token.</summary>
    public Secret? Key { get; init; }

    public IReadOnlyList<ChainSettings> Chains { get; init; } = [];

    /// <summary>A prepaid token; null for a key.</summary>
    public Secret? Token { get; init; }

    /// <summary>The one origin the token is shown to.</summary>
    public Uri? At { get; init; }
}
