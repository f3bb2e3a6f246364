using Turnpike.Catalog;
using Turnpike.Ledger;

namespace Turnpike.Limits.Breakers;

/// <summary>Something an agent does only when it has run away, and what is done about it.</summary>
internal sealed record Breaker(string Name, BreakerWatch Watch, TimeSpan Within)
{
    /// <summary>Requests, or different paths.</summary>
    public long MoreThan { get; init; }

    /// <summary>Spending: how many times the usual.</summary>
    public long Times { get; init; }

    /// <summary>Spending: never below this much in one stretch.</summary>
    public Money? Floor { get; init; }

    public BreakerAction Action { get; init; } = BreakerAction.Refuse;

    /// <summary>False: it is only noted.</summary>
    public bool Refuses => Action != BreakerAction.Observe;

    /// <summary>How long its caller is refused.</summary>
    public TimeSpan For { get; init; }

    /// <summary>Counts what it watches; half as much while it is half open.</summary>
    public RateRule Rule(bool halfOpen) => halfOpen ? half ??= Make(Math.Max(1, MoreThan / 2)) : whole ??= Make(MoreThan);

    /// <summary>Lets each path through once in a stretch, so that different ones are counted.</summary>
    public RateRule Once => once ??= new RateRule($"breakers.{Name}/once", Name, new Money(1, RateRule.Requests), Within) { Count = RateCount.FixedWindow };

    private RateRule? whole, half, once;

    private RateRule Make(long most) => new($"breakers.{Name}", Name, new Money(most, RateRule.Requests), Within) { Count = RateCount.SlidingWindow };
}

/// <summary>What is done when it trips.</summary>
internal enum BreakerAction
{
    /// <summary>It is noted.</summary>
    Observe,

    /// <summary>Its caller is refused for a while.</summary>
    Refuse,

    /// <summary>Its caller is closed by an incident, on every node and over restarts, until an operator turns it back.</summary>
    Quarantine,

    /// <summary>Its caller is refused until an operator closes the breaker.</summary>
    Ask,
}

/// <summary>What a breaker watches.</summary>
internal enum BreakerWatch
{
    /// <summary>The same request over and over: a retry loop.</summary>
    IdenticalRequests,

    /// <summary>Ever different paths: looking for what there is.</summary>
    EndpointCycling,

    /// <summary>Many times what it usually spends.</summary>
    SpendSpike,
}

/// <summary>The <c>breakers:</c> section.</summary>
internal sealed record BreakerSettings(IReadOnlyList<Breaker> All);
