using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Client;
using Turnpike.Ledger;
using Turnpike.Payments.Evm;
using Turnpike.Pricing;
using Turnpike.Pricing.Buying;
using Turnpike.Protocols.Evm;

namespace Turnpike.Payments.Buying;

/// <summary>The owner's purses, ready to pay, and the nodes that tell what became of a payment.</summary>
internal sealed class Wallets(CatalogSource source, ILedger ledger, HttpClients clients, RailTimings timings)
{
    private static readonly TimeSpan NodeTimeout = TimeSpan.FromSeconds(10);
    private static readonly ConditionalWeakTable<Spending, InjectedSecrets> Secrets = [];
    private const long MostBytes = 1024 * 1024;
    private readonly ConcurrentDictionary<WalletSettings, IWallet> wallets = new(ReferenceEqualityComparer.Instance);
    private readonly ConcurrentDictionary<Uri, EvmNode> nodes = new();

    /// <summary>Those that may pay for a call, in order of preference.</summary>
    public async ValueTask<IReadOnlyList<Purse>> OfAsync(Call call, Spending spending, CancellationToken ct)
    {
        List<Purse> purses = [];
        foreach (var settings in spending.Wallets.Select(name => call.Catalog.Settings.Get<WalletSet>()!.Wallets[name]))
            purses.Add(new Purse(settings, wallets.GetOrAdd(settings, Open), settings.Volume is { } volume ? await ShareAsync(volume, settings, call, ct) : PriceRule.Whole));
        return purses;
    }

    private async ValueTask<long> ShareAsync(Volume volume, WalletSettings settings, Call call, CancellationToken ct)
    {
        var counted = volume.Account(settings.Name, call);
        return await ledger.AccountAsync(counted.Name, counted.Cap.Amount.Currency, ct) is { } state ? volume.ShareAfter(state.Raised - state.Available) : volume.ShareAfter(Money.Zero(counted.Cap.Amount.Currency));
    }

    /// <summary>Asks the chain about a payment; null where no wallet is on its chain any more.</summary>
    public AuthorizationTrace? TraceOf(PurchaseTerms terms)
    {
        // Of any wallet: its own may have been renamed since, and every node of a chain tells the same.
        if (source.Current.Settings.Get<WalletSet>()?.Wallets.Values.SelectMany(w => w.Chains).FirstOrDefault(c => c.Network == terms.Authorization?.Network)?.Rpc is not { } rpc) return null;
        return new AuthorizationTrace(nodes.GetOrAdd(rpc, url => new EvmNode(new JsonRpcClient(clients(url, NodeTimeout, MostBytes), url))), timings);
    }

    /// <summary>What must not come back out of an upstream's answer: the keys it is called with, and the tokens it is paid with.</summary>
    public static InjectedSecrets SecretsOf(Call call)
    {
        var service = call.Catalog.ServiceOf(call.Operation);
        return service.Settings.Get<Spending>() is not { } spending ? service.Injected : Secrets.GetValue(spending, _ => new InjectedSecrets(
        [
            .. service.Headers,
            .. spending.Wallets.Select(name => call.Catalog.Settings.Get<WalletSet>()!.Wallets[name].Token).OfType<Secret>().Select(token => KeyValuePair.Create("token", token)),
        ]));
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

/// <summary>A wallet that may pay, and the share of a seller's list price it is asked.</summary>
internal sealed record Purse(WalletSettings Settings, IWallet Wallet, long Share = PriceRule.Whole);
