using System.Collections.Frozen;
using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;

namespace Turnpike.Limits.Breakers;

/// <summary>The <c>breakers:</c> section.</summary>
internal static class BreakerSection
{
    private static readonly Key<BreakerWatch> Watch = new("watch", new ChoiceShape<BreakerWatch>(("identical-requests", BreakerWatch.IdenticalRequests), ("endpoint-cycling", BreakerWatch.EndpointCycling), ("spend-spike", BreakerWatch.SpendSpike), ("error-paid-ratio", BreakerWatch.ErrorPaidRatio), ("task-iterations", BreakerWatch.TaskIterations), ("task-spend", BreakerWatch.TaskSpend)),
        "What to look for: the same request again and again, ever different paths, many times the usual spending, paid calls that come to nothing, or a task (the header Turnpike-Task, else the trace id of traceparent) of too many calls or too much money.") { Required = true, Example = "identical-requests" };
    private static readonly Key<long> MoreThan = new("more-than", Shapes.Integer(1, 1_000_000), "How many identical requests, different paths, failed calls, or calls of a task are too many.") { Default = "needed but for spending", Example = "20" };
    private static readonly Key<long> Times = new("times", Shapes.Integer(2, 1_000_000), "How many times the usual spending is too much.") { Default = "needed for spend-spike", Example = "10" };
    private static readonly Key<Money> Floor = new("floor", Shapes.Money, "Spending below this is never too much.") { Default = "needed for spend-spike", Example = "0.10 USD" };
    private static readonly Key<Money> Above = new("above", Shapes.Money, "The most a task may hold and spend.") { Default = "needed for task-spend", Example = "5.00 USD" };
    private static readonly Key<long> Percent = new("percent", Shapes.Integer(1, 100), "The least share of paid calls that failed, in hundredths.") { Default = "needed for error-paid-ratio", Example = "50" };
    private static readonly Key<TimeSpan> Within = new("within", Shapes.Duration, "In how long.") { Required = true, Example = "60s" };
    private static readonly Key<BreakerAction> Action = new("action", new ChoiceShape<BreakerAction>(("refuse", BreakerAction.Refuse), ("warn", BreakerAction.Warn), ("observe", BreakerAction.Warn), ("quarantine", BreakerAction.Quarantine), ("ask", BreakerAction.Ask)), "Refuse its caller for a while; let it go on and tell operators (warn, or observe); close the caller by an incident; or refuse it until an operator says yes.") { Default = "refuse", Example = "warn" };
    private static readonly Key<bool> Shadow = new("shadow", Shapes.Flag, "Do nothing and tell nobody; audit what would have been done.") { Default = "false", Example = "true" };
    private static readonly Key<TimeSpan> For = new("for", Shapes.Duration, "How long the caller is refused.") { Default = "1m", Example = "2m" };

    private static readonly Key<IReadOnlyList<string>> Except = new("except", new ListShape<string>(Shapes.Text, oneAlone: true, least: 1), "Operations it neither counts nor stops, such as one that is polled.") { Default = "none", Example = "[status]" };

    private static readonly Shape<Breaker> One = new MapShape<Breaker>([Watch, MoreThan, Times, Floor, Above, Percent, Within, Action, For, Except, Shadow], Build);

    private static readonly Key<BreakerSettings> Key = new("breakers", new ConvertedShape<IReadOnlyList<KeyValuePair<string, Breaker>>, BreakerSettings>(new NamedShape<Breaker>("breakers by name", "breaker", OperationSection.CheckName, One), all => new BreakerSettings([.. all.Select(b => b.Value)])),
        "What stops an agent that has run away; each counts every caller, or address, by itself.") { Default = "none", Example = "{ retry-loop: { watch: identical-requests, more-than: 20, within: 60s, action: refuse, for: 2m } }" };

    public static readonly Section Section = new(Scope.Document, Key) { Check = Check, Tell = catalog => (catalog.Settings.Get<BreakerSettings>()?.All ?? []).Select(Told) };

    private static void Check(Draft draft)
    {
        var known = draft.Operations.Select(o => o.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var breaker in draft.Settings.Get<BreakerSettings>()?.All ?? [])
            foreach (var name in breaker.Except.Where(name => !known.Contains(name)))
                draft.At(breaker, Except.Name).Refuse($"'{Reading.Shown(name)}' is no operation{(Nearest.Of(name, known) is { } near ? $"; did you mean '{near}'?" : "")}");
    }

    private static Breaker? Build(MapValues m)
    {
        var watch = m.Get(Watch);
        Key[] needed = watch switch
        {
            BreakerWatch.SpendSpike => [Times, Floor],
            BreakerWatch.TaskSpend => [Above],
            BreakerWatch.ErrorPaidRatio => [MoreThan, Percent],
            _ => [MoreThan],
        };
        foreach (var key in needed.Where(k => !m.IsWritten(k))) m.Miss(key);
        foreach (var key in new Key[] { MoreThan, Times, Floor, Above, Percent }.Where(k => m.IsWritten(k) && !needed.Contains(k))) m.Break(m.Of(key).Refuse($"'{key.Name}' is not for this kind of breaker"));
        if (m.AnyBroken) return null;
        return new Breaker(m.At.Name, watch, m.Get(Within))
        {
            MoreThan = m.Get(MoreThan),
            Times = m.Get(Times),
            Floor = watch == BreakerWatch.SpendSpike ? m.Get(Floor) : watch == BreakerWatch.TaskSpend ? m.Get(Above) : null,
            Percent = m.Get(Percent),
            Except = m.Get(Except, []).ToFrozenSet(StringComparer.Ordinal),
            Shadow = m.Get(Shadow),
            Action = m.IsWritten(Action) ? m.Get(Action) : BreakerAction.Refuse,
            For = m.Get(For, TimeSpan.FromMinutes(1)),
        };
    }

    private static string Told(Breaker breaker) => $"{breaker.Name}: " + (breaker.Watch switch
    {
        BreakerWatch.SpendSpike => $"spending above {breaker.Times} times the usual and {breaker.Floor} within {Shapes.Tell(breaker.Within)} is ",
        BreakerWatch.TaskSpend => $"a task that costs more than {breaker.Floor} within {Shapes.Tell(breaker.Within)} is ",
        BreakerWatch.TaskIterations => $"a task of more than {breaker.MoreThan} calls within {Shapes.Tell(breaker.Within)} is ",
        BreakerWatch.ErrorPaidRatio => $"more than {breaker.MoreThan} paid calls that fail, and {breaker.Percent}% of them, within {Shapes.Tell(breaker.Within)} are ",
        BreakerWatch.EndpointCycling => $"more than {breaker.MoreThan} different paths within {Shapes.Tell(breaker.Within)} are ",
        _ => $"more than {breaker.MoreThan} identical requests within {Shapes.Tell(breaker.Within)} are ",
    }) + (breaker.Shadow ? "audited" : breaker.Action switch
    {
        BreakerAction.Refuse => $"refused for {Shapes.Tell(breaker.For)}",
        BreakerAction.Quarantine => "quarantined",
        BreakerAction.Ask => "refused until an operator says otherwise",
        _ => "noted",
    });
}
