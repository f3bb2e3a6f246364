using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;
using Turnpike.Protocols.Evm;

namespace Turnpike.Pricing.Buying;

/// <summary>The <c>pays:</c> of a service.</summary>
internal static class SpendingSection
{
    private static readonly Shape<Address> Account = new ScalarShape<Address>("an address, 0x and 40 hexadecimal digits",
        (string t, out Address v) => !Address.TryParse(t, out v) || v.IsZero ? "is no address; write 0x and 40 hexadecimal digits"
            : Address.HasSoundChecksum(t) ? null : "is mistyped: its capitals are not its checksum (EIP-55)", "^0x[0-9a-fA-F]{40}$");

    private static readonly Key<IReadOnlyList<string>> Wallet = new("wallet", new ListShape<string>(Shapes.Text, oneAlone: true, least: 1), "Which of wallets pays; one, or a list in order of preference.") { Required = true, Example = "market" };
    private static readonly Key<IReadOnlyList<Address>> Payees = new("payees", new ListShape<Address>(Account, oneAlone: true, least: 1), "Who may be paid on a chain: nobody else is, whatever the upstream says.") { Default = "nobody; a wallet with a key needs them", Example = "[\"${env:SELLER}\"]" };
    private static readonly Key<IReadOnlyList<string>> Protocols = new("protocols", new ListShape<string>(new ChoiceShape<string>(("prepaid", "prepaid"), ("x402", "x402"), ("mpp", "mpp")), least: 1), "How, in order of preference.") { Default = "[prepaid, x402, mpp]", Example = "[x402]" };
    private static readonly Key<Money> PerCall = new("per-call", Shapes.Money, "The most one call may pay; never more than its caller pays.") { Default = "what its caller pays", Example = "0.05 USD" };

    private static readonly Key<Spending> Key = new("pays", new MapShape<Spending>([Wallet, Payees, Protocols, PerCall, SpendCapSection.Key], m => new Spending
    {
        Wallets = m.Get(Wallet, []),
        Payees = m.Get(Payees, []),
        Protocols = m.Get(Protocols) ?? ["prepaid", "x402", "mpp"],
        PerCall = m.IsWritten(PerCall) ? m.Get(PerCall) : null,
        Caps = m.Get(SpendCapSection.Key, []),
    }), "The upstream asks for payment itself (402): pay it, within these bounds. Callers then pay before it is asked.") { Default = "its 402 is answered 502", Example = "{ wallet: market, payees: [\"${env:SELLER}\"], per-call: 0.05 USD }" };

    public static readonly Section Section = new(Scope.Service, Key) { Check = Check };

    private static void Check(Draft draft)
    {
        foreach (var service in draft.Services)
        {
            var spending = service.Settings.Get<Spending>();
            foreach (var operation in service.Operations) CheckPrice(draft, operation, spending);
            if (spending is null) continue;
            // A payment is money for whoever reads it on the way (a token), or tells who buys what.
            foreach (var target in service.Upstream.Targets.Concat(service.Upstream.Fallback).Where(t => t.Url.Scheme != "https" && !t.Url.IsLoopback))
                draft.At(service, "upstream").Refuse($"payments are sent over https, or to loopback; {target.Url.Authority} is neither");
        }
    }

    /// <summary>What a caller pays is decided before anything is paid for it: a price that is known, or one made of the upstream's own.</summary>
    private static void CheckPrice(Draft draft, Operation operation, Spending? spending)
    {
        var price = operation.Settings.Get<PriceModel>();
        var at = draft.At(operation, "price");
        switch (price)
        {
            case PriceModel.CostPlus when spending is null:
                at.Refuse("cost-plus is of what an upstream asks; the service has no 'pays'");
                break;
            case PriceModel.Metered or PriceModel.Session or PriceModel.Asked when spending is not null:
                at.Refuse("where the upstream is paid by the call, so are we: a fixed amount, or cost-plus");
                break;
            case PriceModel.Fixed paid when spending?.PerCall is { } most && (most.Currency != paid.Amount.Currency || most > paid.Amount):
                at.Refuse($"a call may pay {most} to its upstream and brings {paid.Amount}: raise the price, or lower per-call");
                break;
        }
    }
}
