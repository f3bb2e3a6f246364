using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Pricing;
using Turnpike.Pricing.Buying;

namespace Turnpike.Payments.Buying;

/// <summary>What a seller asks of whoever has bought so much of it in a period: all callers together reach what none would alone.</summary>
/// <param name="Tiers">From the least on.</param>
internal sealed record Volume(Period Per, IReadOnlyList<VolumeTier> Tiers)
{
    /// <summary>More than anybody buys: the account counts, and bounds nothing.</summary>
    private const long Counted = 1_000_000_000L * Money.Nano;

    /// <summary>Counts what was bought in this period, in the same act as buying.</summary>
    public SpendAccount Account(string wallet, Call call) => new SpendCap(new Money(Counted, Tiers[0].From.Currency), Per, SpendScope.All).At($"wallet/{wallet}/volume", call, "");

    /// <summary>The share of the list price that is asked after so much, in hundredths of a percent.</summary>
    public long ShareAfter(Money bought) => Tiers.LastOrDefault(tier => bought >= tier.From)?.Hundredths ?? PriceRule.Whole;
}

/// <summary>From so much on, this share of the list price.</summary>
internal sealed record VolumeTier(Money From, long Hundredths);
