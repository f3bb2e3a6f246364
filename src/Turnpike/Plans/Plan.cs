using System.Collections.Frozen;
using Turnpike.Catalog;
using Turnpike.Ledger;

namespace Turnpike.Plans;

/// <summary>What a caller has bought: how much is included, how fast it may be taken, and what else it opens.</summary>
internal sealed record Plan(string Name)
{
    public IReadOnlyList<Allowance> Includes { get; init; } = [];

    public IReadOnlyList<RateRule> Limits
    {
        get;
        init => (field, CountUse) = (value, value.Any(rule => rule.CountsUse));
    } = [];

    public bool CountUse { get; private init; }

    /// <summary>Its turns, where calls wait for an upstream.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>What it opens beside amounts: switches that are on, and values the upstream is told.</summary>
    public Entitlements Entitlements { get; init; } = Entitlements.None;

    /// <summary>How what is not included is taken on account; null: it is not.</summary>
    public Postpaid? Postpaid { get; init; }

    /// <summary>Models by the name of their tier.</summary>
    public FrozenDictionary<string, FrozenSet<string>> Tiers { get; init; } = FrozenDictionary<string, FrozenSet<string>>.Empty;
}

/// <summary>So much of one unit in every period, paid with the plan.</summary>
/// <param name="Amount"><c>5 requests</c>, <c>10000 total_tokens</c>, or money.</param>
internal sealed record Allowance(Money Amount, Period Per, WhenUsedUp WhenUsedUp)
{
    /// <summary>Only for models of this tier; null: for all that no allowance of the same unit names.</summary>
    public string? Tier { get; init; }

    /// <summary>Only for these operations; empty: all.</summary>
    public IReadOnlyList<string> Operations { get; init; } = [];

    /// <summary>How much more may be taken and is counted as overage; null: as much as is asked for. Only for <see cref="WhenUsedUp.Bill"/>.</summary>
    public Money? Overage { get; init; }

    /// <summary>
    /// Its name in accounts and headers: <c>requests/1m</c>, <c>total_tokens/1mo/premium</c>, <c>requests/1d@export+search</c>. What is included
    /// for some operations alone is counted alone, however much like another it is.
    /// </summary>
    public string Feature => $"{Amount.Currency}/{Per.Text}{(Tier is null ? "" : "/" + Tier)}{(Operations.Count == 0 ? "" : "@" + string.Join('+', Operations.Order(StringComparer.Ordinal)))}";
}

/// <summary>What a used-up allowance means for the next call.</summary>
internal enum WhenUsedUp
{
    /// <summary>402 with terms, or the payment that is presented.</summary>
    Pay,

    /// <summary>429 until the next period.</summary>
    Wait,

    /// <summary>403.</summary>
    Refuse,

    /// <summary>It goes on, and what is taken is counted as overage.</summary>
    Bill,
}

/// <summary>The <c>plans:</c> section.</summary>
internal sealed record PlanSettings(FrozenDictionary<string, Plan> Plans);
