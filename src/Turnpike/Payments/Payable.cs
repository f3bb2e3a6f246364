using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Plans;

namespace Turnpike.Payments;

/// <summary>A configured method, and what it can take.</summary>
/// <param name="Currencies">What it is paid in; empty: any money.</param>
/// <param name="Least">The least it takes, by currency.</param>
internal sealed record Payable(string Method, IReadOnlyList<string> Currencies, IReadOnlyList<Money> Least, string Told)
{
    /// <summary>What <c>accept</c> may name: protocols and methods.</summary>
    public static readonly IReadOnlyList<string> Names = ["x402", "mpp", "prepaid", "plan", "balance", "x402.exact", "mpp.evm", "mpp.stripe"];

    /// <summary>Stripe refuses smaller charges.</summary>
    public static readonly IReadOnlyList<Money> StripeMinimums = [new(Money.Nano / 2, "USD"), new(Money.Nano / 2, "EUR"), new(Money.Nano / 10 * 3, "GBP")];

    /// <summary>The methods that these settings configure.</summary>
    public static IReadOnlyList<Payable> Of(SettingsBag document)
    {
        var rails = new List<Payable>();
        if (document.Get<PlanSettings>() is not null) rails.Add(new("plan", [], [], "plan: what callers' plans include"));
        if (document.Get<PaymentSettings>() is not { } settings) return rails;
        if (settings.X402 is { Chains: { Count: > 0 } x402 }) rails.Add(OnChain("x402.exact", x402));
        if (settings.Mpp is { EvmChains: { Count: > 0 } evm }) rails.Add(OnChain("mpp.evm", evm));
        if (settings.Mpp?.Stripe is { } stripe) rails.Add(new("mpp.stripe", [.. StripeMinimums.Select(m => m.Currency)], StripeMinimums, $"mpp.stripe: profile {stripe.Profile}, from {string.Join(" or ", StripeMinimums)}"));
        if (settings.Prepaid is not null) rails.Add(new("prepaid", [], [], "prepaid: tokens"));
        if (settings.Balance) rails.Add(new("balance", [], [], "balance: what callers were granted"));
        // Only what is said of a method everywhere: on one of several chains the others remain.
        return settings.Costs.Count == 0 ? rails : [.. rails.Select(rail => settings.Costs.GetValueOrDefault(rail.Method)?.Minimum is { } least ? rail with { Least = [least, .. rail.Least.Where(l => l.Currency != least.Currency || l > least)] } : rail)];
    }

    /// <summary>True for the method's name and its protocol's.</summary>
    public bool Answers(string name) => Method == name || Method.Length > name.Length && Method[name.Length] == '.' && Method.StartsWith(name, StringComparison.Ordinal);

    /// <summary>The methods an operation accepts, in its order of preference.</summary>
    public static IReadOnlyList<Payable> Accepted(Operation operation, IReadOnlyList<Payable> rails) =>
        operation.Accept.Count == 0 ? rails : [.. operation.Accept.SelectMany(name => rails.Where(r => r.Answers(name))).Distinct()];

    /// <summary>Less can be collected than was held, which metered prices need.</summary>
    public bool TakesLess => Method is "prepaid" or "plan" or "balance";

    public bool CanServe(Pricing.PriceModel price) => CanServe(price, price.Most);

    /// <param name="amount">What is asked for one call of it.</param>
    public bool CanServe(Pricing.PriceModel price, Money amount) => (price is not Pricing.PriceModel.Metered || TakesLess) && CanServe(amount);

    private bool CanServe(Money price) =>
        (Currencies.Count == 0 || Currencies.Contains(price.Currency)) && !Least.Any(l => l.Currency == price.Currency && price < l);

    /// <summary>Why it cannot take that amount for such a price.</summary>
    public string WhyNot(Pricing.PriceModel price, Money amount) => price is Pricing.PriceModel.Metered && !TakesLess ? $"{Method} is signed for one amount" : WhyNot(amount);

    private string WhyNot(Money price) => Currencies.Count > 0 && !Currencies.Contains(price.Currency)
        ? $"{Method} takes {string.Join(", ", Currencies)}"
        : $"{Method} takes {Least.FirstOrDefault(l => l.Currency == price.Currency)} or more";

    private static Payable OnChain(string method, IReadOnlyList<ChainSettings> chains) =>
        new(method, [.. chains.Select(c => c.Asset.Currency).Distinct()], [], $"{method}: {string.Join(", ", chains.Select(c => c.Network))}");
}
