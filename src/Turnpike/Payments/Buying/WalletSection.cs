using System.Collections.Frozen;
using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Pricing.Buying;

namespace Turnpike.Payments.Buying;

/// <summary>The <c>wallets:</c> section.</summary>
internal static class WalletSection
{
    private static readonly Key<Secret> Signing = new("key", new SecretShape(check: ChainSection.CheckKey), "Private key of an account that holds the money; either this or token.") { Default = "none", Example = "${env:WALLET_KEY}" };
    private static readonly Key<IReadOnlyList<KeyValuePair<string, ChainSettings>>> Chains = new("chains", ChainSection.OfWallet, "With a key: the chains and assets it pays in; no other is ever signed for.") { Default = "none", Example = "{ \"eip155:8453\": { asset: USDC, rpc: \"${env:CHAIN_RPC}\" } }" };
    private static readonly Key<Secret> Token = new("token", new SecretShape(), "A prepaid token that was bought from a seller, shared by all callers; either this or key.") { Default = "none", Example = "${env:SELLER_TOKEN}" };
    private static readonly Key<Uri> At = new("at", Shapes.Url, "With a token: the seller's address; the token is shown to nobody else.") { Default = "none", Example = "https://api.example.com" };

    private static readonly Key<WalletSet> Key = new("wallets", new ConvertedShape<IReadOnlyList<KeyValuePair<string, WalletSettings>>, WalletSet>(
            new NamedShape<WalletSettings>("wallets by name", "wallet", OperationSection.CheckName, new MapShape<WalletSettings>([Signing, Chains, Token, At, SpendCapSection.Key], Build)),
            all => new WalletSet(all.ToFrozenDictionary(w => w.Key, w => w.Value, StringComparer.Ordinal))),
        "What upstreams that ask for payment are paid from; services name them in pays.") { Default = "none", Example = "{ market: { key: \"${env:WALLET_KEY}\", chains: { \"eip155:8453\": { asset: USDC, rpc: \"${env:CHAIN_RPC}\" } }, caps: [{ amount: 50.00 USD, per: 1d }] } }" };

    public static readonly Section Section = new(Scope.Document, Key) { Check = Check, Tell = Tell };

    private static WalletSettings? Build(MapValues m)
    {
        if (m.IsWritten(Signing) == m.IsWritten(Token)) return Refuse(m.At, "a wallet has either a key, with chains, or a token, with at");
        if (m.IsWritten(Signing) != m.IsWritten(Chains)) return Refuse(m.At, "key and chains belong together");
        if (m.IsWritten(Token) != m.IsWritten(At)) return Refuse(m.At, "token and at belong together: a token is shown to the one who sold it");
        if (m.Get(At) is { } at && at.Scheme != "https" && !at.IsLoopback) return Refuse(m.Of(At), "a token is sent over https, or to loopback");
        return new WalletSettings
        {
            Name = m.At.Name,
            Caps = m.Get(SpendCapSection.Key, []),
            Key = m.IsWritten(Signing) ? m.Get(Signing) : null,
            Chains = [.. m.Get(Chains, []).Select(c => c.Value)],
            Token = m.IsWritten(Token) ? m.Get(Token) : null,
            At = m.Get(At),
        };
    }

    private static WalletSettings? Refuse(Spot at, string why)
    {
        at.Refuse(why);
        return null;
    }

    private static void Check(Draft draft)
    {
        if (draft.IsBroken(Key)) return;
        var wallets = draft.Settings.Get<WalletSet>()?.Wallets ?? FrozenDictionary<string, WalletSettings>.Empty;
        foreach (var service in draft.Services)
        {
            if (service.Settings.Get<Spending>() is not { } spending) continue;
            foreach (var name in spending.Wallets.Where(name => !wallets.ContainsKey(name)))
                draft.At(spending, "wallet").Refuse($"names no wallet; there {(wallets.Count == 0 ? "are none: write wallets" : "is " + string.Join(", ", wallets.Keys.Order(StringComparer.Ordinal)))}{(Nearest.Of(name, wallets.Keys) is { } near ? $"; did you mean '{near}'?" : "")}");
            if (spending.Payees.Count == 0 && spending.Wallets.Any(name => wallets.GetValueOrDefault(name)?.Key is not null))
                draft.At(spending, "payees").Refuse("who may be paid is to be said: payees, the addresses the upstream is paid at");
            foreach (var name in spending.Wallets)
                if (wallets.GetValueOrDefault(name)?.At is { } at && service.Upstream.Targets.All(t => t.Url.Authority != at.Authority))
                    draft.At(spending, "wallet").Refuse($"the token of '{name}' is for {at.Authority}, where this service does not go");
        }
    }

    private static IEnumerable<string> Tell(ServiceCatalog catalog)
    {
        foreach (var wallet in (catalog.Settings.Get<WalletSet>()?.Wallets.Values ?? []).OrderBy(w => w.Name, StringComparer.Ordinal))
            yield return $"{wallet.Name}: {(wallet.At is { } at ? $"a token at {at.Authority}" : $"a key on {string.Join(", ", wallet.Chains.Select(c => c.Network))}")}{(wallet.Caps.Count == 0 ? ", no caps" : $", at most {string.Join(", ", wallet.Caps.Select(c => $"{c.Amount} per {c.Per.Text}{(c.Each == SpendScope.All ? "" : $" each {c.Each.ToString().ToLowerInvariant()}")}"))}")}";
    }
}
