using System.Collections.Concurrent;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Client;
using Turnpike.Payments.Evm;
using Turnpike.Pricing.Buying;
using Turnpike.Protocols.Evm;

namespace Turnpike.Payments.Buying;

/// <summary>The owner's purses, ready to pay, and the nodes that tell what became of a payment.</summary>
internal sealed class Wallets(CatalogSource source, HttpClients clients, RailTimings timings)
{
    private static readonly TimeSpan NodeTimeout = TimeSpan.FromSeconds(10);
    private const long MostBytes = 1024 * 1024;
    private readonly ConcurrentDictionary<WalletSettings, IWallet> wallets = new(ReferenceEqualityComparer.Instance);
    private readonly ConcurrentDictionary<Uri, EvmNode> nodes = new();

    /// <summary>Those that may pay for a call, in order of preference.</summary>
    public IEnumerable<(WalletSettings Settings, IWallet Wallet)> Of(ServiceCatalog catalog, Spending spending)
    {
        var known = catalog.Settings.Get<WalletSet>()!.Wallets;
        foreach (var name in spending.Wallets)
            if (known.TryGetValue(name, out var settings)) yield return (settings, wallets.GetOrAdd(settings, Open));
    }

    /// <summary>Asks the chain about a payment; null where its wallet or its chain is no longer configured.</summary>
    public AuthorizationTrace? TraceOf(PurchaseTerms terms)
    {
        var wallet = source.Current.Settings.Get<WalletSet>()?.Wallets.GetValueOrDefault(terms.Wallet);
        if (wallet?.Chains.FirstOrDefault(c => c.Network == terms.Authorization?.Network)?.Rpc is not { } rpc) return null;
        return new AuthorizationTrace(nodes.GetOrAdd(rpc, url => new EvmNode(new JsonRpcClient(clients(url, NodeTimeout, MostBytes), url))), timings);
    }

    private static IWallet Open(WalletSettings settings)
    {
        if (settings.Token is { } token) return new TokenWallet(token.Reveal(), settings.At!);
        var key = settings.Key!.Value.Reveal();
        return new EvmWallet(key.StartsWith("0x", StringComparison.Ordinal) ? key : "0x" + key, [.. settings.Chains.Select(Asset)]);
    }

    private static KnownAsset Asset(ChainSettings chain) =>
        new(chain.ChainId, chain.Asset.Name, chain.Asset.Address, chain.Asset.Name, chain.Asset.Version, chain.Asset.Decimals) { Currency = chain.Asset.Currency };
}
