using System.Collections.Frozen;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Metering;
using Turnpike.Pricing.Requests;

namespace Turnpike.Pricing;

/// <summary>How an operation is priced; absent from its settings when it is free.</summary>
internal abstract record PriceModel
{
    /// <summary>The most one call costs.</summary>
    public abstract Money Most { get; }

    /// <summary>All that may be asked for one call where that is known before, by every rule and by none; otherwise the most.</summary>
    public virtual IEnumerable<Money> Amounts => [Most];

    /// <summary>What is asked where no rule holds; otherwise the most.</summary>
    public virtual Money Usual => Most;

    /// <summary>When more or less of it is asked; the first that holds counts.</summary>
    public IReadOnlyList<PriceRule> Rules { get; init; } = [];

    /// <summary>Whether the request's body has to be looked at.</summary>
    public bool AsksBody => Rules.Any(rule => rule.AsksBody);

    /// <summary>Whether the request has to be understood.</summary>
    public bool AsksRequest => Rules.Any(rule => rule.AsksRequest);

    /// <summary>Whether anything has to be known of what its caller did.</summary>
    public bool AsksReputation => Rules.Any(rule => rule.Reputation is not null);

    /// <summary>The most that the rules can make of an amount.</summary>
    protected Money MostOf(Money amount) => Share(amount, Rules.Select(rule => rule.Hundredths).Append(PriceRule.Whole).Max());

    /// <summary>All that the rules can make of an amount, but nothing.</summary>
    protected IEnumerable<Money> SharesOf(Money amount) => Rules.Select(rule => rule.Hundredths).Append(PriceRule.Whole).Where(share => share > 0).Distinct().Select(share => Share(amount, share));

    /// <summary>A share of an amount, rounded up once.</summary>
    public static Money Share(Money amount, long hundredths) => amount with { Units = checked((long)(((Int128)amount.Units * hundredths + PriceRule.Whole - 1) / PriceRule.Whole)) };

    /// <summary>The same amount for every delivered answer.</summary>
    internal sealed record Fixed(Money Amount) : PriceModel
    {
        public override Money Most => MostOf(Amount);

        public override Money Usual => Amount;

        public override IEnumerable<Money> Amounts => SharesOf(Amount);
    }

    /// <summary>Paid once, then the operation is open for a while to whoever shows what came with the answer.</summary>
    internal sealed record Session(Money Amount, TimeSpan Lasts) : PriceModel
    {
        public override Money Most => MostOf(Amount);

        public override Money Usual => Amount;

        public override IEnumerable<Money> Amounts => SharesOf(Amount);
    }

    /// <summary>What somebody outside says it costs, at most the ceiling.</summary>
    /// <param name="Keep">How long the last good answer may be used while none comes.</param>
    internal sealed record Asked(Uri Url, Secret? Token, TimeSpan Timeout, TimeSpan Keep, Money Ceiling) : PriceModel
    {
        public override Money Most => Ceiling;
    }

    /// <summary>What the upstream asks for this very call, and a margin on top, at most the ceiling.</summary>
    /// <param name="Hundredths">The share on top, in hundredths of a percent.</param>
    /// <param name="Margin">An amount on top.</param>
    internal sealed record CostPlus(long Hundredths, Money Margin, Money Ceiling, Money Floor) : PriceModel
    {
        public override Money Most => Ceiling;

        /// <summary>What a call costs whose upstream asks so much; rounded up once.</summary>
        public Money PriceOf(Money cost)
        {
            var price = Share(cost, PriceRule.Whole + Hundredths) + Margin;
            return price < Floor ? Floor : price;
        }

        /// <summary>The most the upstream may ask for a call sold at this price: rounded down, so that it never comes out of the margin.</summary>
        public Money MostCost(Money price) => price <= Margin ? Money.Zero(price.Currency) : price with { Units = (long)((Int128)(price.Units - Margin.Units) * PriceRule.Whole / (PriceRule.Whole + Hundredths)) };
    }

    /// <summary>By what the answer turns out to use, held for before and taken afterwards.</summary>
    internal sealed record Metered : PriceModel
    {
        public override Money Most => Ceiling;

        /// <summary>As it was written, in JSON, without references.</summary>
        public required string Written { get; init; }

        /// <summary>The most one call may hold.</summary>
        public required Money Ceiling { get; init; }

        /// <summary>Rates by model; the empty name where there are no models.</summary>
        public required FrozenDictionary<string, RateCard> Models { get; init; }

        /// <summary>Where the request names its model; null: there are no models.</summary>
        public ModelPlace? By { get; init; }

        /// <summary>The model whose rates others are charged at; null: others are refused.</summary>
        public string? OtherModels { get; init; }

        /// <summary>Written into requests that name no maximum.</summary>
        public long? DefaultMaximum { get; init; }

        /// <summary>The least a delivered answer costs.</summary>
        public Money? Minimum { get; init; }

        /// <summary>The answer is counted as a whole before its first byte leaves.</summary>
        public bool Withholds { get; init; }

        /// <summary>The length of the request's body is charged for.</summary>
        public bool AsksLength => Models.Values.Any(card => card.Charges(Units.RequestBytes));

        /// <summary>Where the records stand in the answer.</summary>
        public string? Count { get; init; }

        /// <summary>The rates that a model was served at: its own, those of the one it is a dated name of, or those for all others.</summary>
        public RateCard? CardFor(string? served) => By is null ? Models[""] : CardOf(served is null ? null : NameOf(served) ?? served);

        /// <summary>The name here of a model that served: its own, or the one it is a dated name of; null: it has no rates of its own.</summary>
        public string? NameOf(string served) => Models.ContainsKey(served) ? served : Models.Keys.Where(m => MeteredQuote.IsDated(served, m)).MaxBy(m => m.Length);

        /// <summary>The rates of a model that is asked for by this name, or null.</summary>
        public RateCard? CardOf(string? model) =>
            model is not null && Models.TryGetValue(model, out var card) ? card : OtherModels is { } other && model is not null ? Models[other] : null;
    }
}
