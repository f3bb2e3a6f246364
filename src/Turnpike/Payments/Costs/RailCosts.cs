using System.Collections.Frozen;
using Turnpike.Ledger;

namespace Turnpike.Payments.Costs;

/// <summary>
/// What taking an amount really costs the owner on each rail. The document says it (<c>payments.costs</c>); for what it leaves out
/// there is a table of orders of magnitude, good enough to order offers by. Whole numbers only.
/// </summary>
internal sealed class RailCosts
{
    private static readonly RailCost Unknown = new(Money.Nano, 0), Layer1 = new(500_000_000, 0), Layer2 = new(2_000_000, 0);

    private static readonly FrozenDictionary<string, RailCost> ByMethod = new Dictionary<string, RailCost>
    {
        ["prepaid"] = new(0, 0),
        ["balance"] = new(0, 0),
        ["mpp.stripe"] = new(300_000_000, 290),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, RailCost> ByNetwork = new Dictionary<string, RailCost>
    {
        ["eip155:1"] = Layer1,
        ["eip155:11155111"] = Layer1,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The cost of taking <paramref name="amount"/> this way, in billionths; what is not configured only means something beside others.</summary>
    public long Of(Offer offer, Money amount, PaymentSettings? settings = null) => (CostOf(offer, settings) ?? Usual(offer)).Of(amount);

    /// <summary>True for an amount that is not worth taking this way.</summary>
    public bool IsTooLittle(Offer offer, Money amount, PaymentSettings? settings) =>
        CostOf(offer, settings) is { Minimum: { } least } && least.Currency == amount.Currency && amount < least;

    /// <summary>As configured: for this method on this network, for the method, for the network.</summary>
    private static RailCost? CostOf(Offer offer, PaymentSettings? settings) => settings is not { Costs: { Count: > 0 } costs } ? null
        : costs.GetValueOrDefault($"{offer.Method}/{offer.Network}") ?? costs.GetValueOrDefault(offer.Method) ?? (offer.Network is { } network ? costs.GetValueOrDefault(network) : null);

    private static RailCost Usual(Offer offer) => ByMethod.TryGetValue(offer.Method, out var known) ? known
        : offer.Network is { } network ? ByNetwork.GetValueOrDefault(network, Layer2)
        : Unknown;
}

/// <summary>What one rail costs.</summary>
/// <param name="Fixed">For each payment, fee and gas together, in billionths of the amount's money.</param>
/// <param name="PerTenThousand">Ten-thousandths of the amount.</param>
internal sealed record RailCost(long Fixed, long PerTenThousand)
{
    /// <summary>Less is not offered on this rail.</summary>
    public Money? Minimum { get; init; }

    public long Of(Money amount) => (long)Int128.Min(long.MaxValue, (Int128)amount.Units * PerTenThousand / 10_000 + Fixed);
}
