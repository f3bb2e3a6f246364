using Turnpike.Catalog;
using Turnpike.Ledger;

namespace Turnpike.Limits.Breakers;

/// <summary>Something an agent does only when it has run away, and what is done about it.</summary>
internal sealed record Breaker(string Name, BreakerWatch Watch, TimeSpan Within)
{
    private const long MostEach = 1000;

    /// <summary>Requests, different paths, errors, or calls of one task.</summary>
    public long MoreThan { get; init; }

    /// <summary>Spending: how many times the usual.</summary>
    public long Times { get; init; }

    /// <summary>Spending: never below this much in one stretch. Of a task: the most it may spend.</summary>
    public Money? Floor { get; init; }

    /// <summary>Errors: the least share of paid calls, in hundredths.</summary>
    public long Percent { get; init; }

    public BreakerAction Action { get; init; } = BreakerAction.Refuse;

    /// <summary>Operations it neither counts nor stops: what is polled.</summary>
    public IReadOnlySet<string> Except { get; init; } = System.Collections.Frozen.FrozenSet<string>.Empty;

    /// <summary>Nothing is done and nobody is told: what would have been is audited.</summary>
    public bool Shadow { get; init; }

    /// <summary>False: it is only noted.</summary>
    public bool Refuses => Action != BreakerAction.Warn && !Shadow;

    /// <summary>It watches one task of a caller, and stops that alone.</summary>
    public bool IsOfTask => Watch is BreakerWatch.TaskIterations or BreakerWatch.TaskSpend;

    /// <summary>It can be judged only when the price is known.</summary>
    public bool IsOfSpending => Watch is BreakerWatch.SpendSpike or BreakerWatch.TaskSpend;

    /// <summary>How long its caller is refused.</summary>
    public TimeSpan For { get; init; }

    /// <summary>Counts what it watches.</summary>
    public RateRule Rule(Trial trial) => trial switch
    {
        { Since: { } since } => Make(trial.Half ? Half : Whole, $"/{since}"),
        { Half: true } => half ??= Make(Half),
        _ => whole ??= Make(Whole),
    };

    /// <summary>How it watches somebody it has opened for before.</summary>
    public Trial TrialAfter(Tripped? known, DateTimeOffset now)
    {
        if (known is null || known.Until + Within <= now) return default;
        var since = known.Until.ToUnixTimeMilliseconds();
        return known.IsClosed ? new Trial(false, since) : new Trial(true, IsOfTask ? null : since);
    }

    /// <summary>Lets each path through once in a stretch, so that different ones are counted.</summary>
    public RateRule Once => once ??= new RateRule($"breakers.{Name}/once", Name, new Money(1, RateRule.Requests), Within) { Count = RateCount.FixedWindow };

    private RateRule? whole, half, once;

    private Money Whole => Watch == BreakerWatch.TaskSpend ? Floor!.Value : new Money(MoreThan, RateRule.Requests);

    private Money Half => Whole with { Units = Math.Max(1, Whole.Units / 2) };

    /// <summary>A client that polls at just the rate that is allowed is no loop: few are counted one by one, many by a sliding window.</summary>
    private RateRule Make(Money most, string since = "") => new($"breakers.{Name}{since}", Name, most, Within) { Count = most is { Currency: RateRule.Requests, Units: <= MostEach } ? RateCount.Each : RateCount.SlidingWindow };
}

/// <summary>
/// How somebody is watched for whom a breaker has opened before. Whoever is let in again is not judged by what stopped them: it is
/// counted anew since then, on every node; half as much when time let them in, all of it when an operator did. A task has what it has.
/// </summary>
/// <param name="Since">When it closed, in milliseconds; null: counting goes on.</param>
internal readonly record struct Trial(bool Half, long? Since)
{
    /// <summary>Habits last beyond an opening, and end only where an operator says so.</summary>
    public string Of(string who) => this is { Half: false, Since: { } since } ? $"{who}@{since}" : who;
}

/// <summary>What is done when it trips.</summary>
internal enum BreakerAction
{
    /// <summary>It is noted, and operators are told.</summary>
    Warn,

    /// <summary>Its caller is refused for a while.</summary>
    Refuse,

    /// <summary>Its caller is closed by an incident, on every node and over restarts, until an operator turns it back.</summary>
    Quarantine,

    /// <summary>Its caller is refused until an operator says yes.</summary>
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

    /// <summary>Paid calls that come to nothing, again and again.</summary>
    ErrorPaidRatio,

    /// <summary>A task that does not come to its end.</summary>
    TaskIterations,

    /// <summary>A task that costs more than it may.</summary>
    TaskSpend,
}

/// <summary>The <c>breakers:</c> section.</summary>
internal sealed record BreakerSettings(IReadOnlyList<Breaker> All)
{
    public bool AnyOfSpending { get; } = All.Any(b => b.IsOfSpending);
}

/// <summary>A breaker that has opened for one caller, or address, or task, and why.</summary>
internal sealed record Tripped(string Breaker, string Who, string Evidence, DateTimeOffset Since, DateTimeOffset Until)
{
    /// <summary>Until an operator says otherwise; a time both databases can keep.</summary>
    public static readonly DateTimeOffset Forever = new(9999, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>An operator has closed it.</summary>
    public bool IsClosed => Since == Until;

    /// <summary>Closed by an operator now.</summary>
    public Tripped ClosedAt(DateTimeOffset now) => this with { Since = now, Until = now };
}
