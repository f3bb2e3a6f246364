using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;

namespace Turnpike.Limits.Breakers;

/// <summary>The <c>breakers:</c> section.</summary>
internal static class BreakerSection
{
    private static readonly Key<BreakerWatch> Watch = new("watch", new ChoiceShape<BreakerWatch>(("identical-requests", BreakerWatch.IdenticalRequests), ("endpoint-cycling", BreakerWatch.EndpointCycling), ("spend-spike", BreakerWatch.SpendSpike)),
        "What to look for: the same request again and again, ever different paths, or many times the usual spending.") { Required = true, Example = "identical-requests" };
    private static readonly Key<long> MoreThan = new("more-than", Shapes.Integer(1, 1_000_000), "How many identical requests, or different paths, are too many.") { Default = "needed for these two", Example = "20" };
    private static readonly Key<long> Times = new("times", Shapes.Integer(2, 1_000_000), "How many times the usual spending is too much.") { Default = "needed for spend-spike", Example = "10" };
    private static readonly Key<Money> Floor = new("floor", Shapes.Money, "Spending below this is never too much.") { Default = "needed for spend-spike", Example = "0.10 USD" };
    private static readonly Key<TimeSpan> Within = new("within", Shapes.Duration, "In how long.") { Required = true, Example = "60s" };
    private static readonly Key<BreakerAction> Action = new("action", new ChoiceShape<BreakerAction>(("refuse", BreakerAction.Refuse), ("observe", BreakerAction.Observe), ("quarantine", BreakerAction.Quarantine), ("ask", BreakerAction.Ask)), "Refuse its caller for a while, only note it in the trail, close the caller by an incident, or refuse it until an operator closes the breaker.") { Default = "refuse", Example = "observe" };
    private static readonly Key<TimeSpan> For = new("for", Shapes.Duration, "How long the caller is refused.") { Default = "1m", Example = "2m" };

    private static readonly Shape<Breaker> One = new MapShape<Breaker>([Watch, MoreThan, Times, Floor, Within, Action, For], Build);

    private static readonly Key<BreakerSettings> Key = new("breakers", new ConvertedShape<IReadOnlyList<KeyValuePair<string, Breaker>>, BreakerSettings>(new NamedShape<Breaker>("breakers by name", "breaker", OperationSection.CheckName, One), all => new BreakerSettings([.. all.Select(b => b.Value)])),
        "What stops an agent that has run away; each counts every caller, or address, by itself.") { Default = "none", Example = "{ retry-loop: { watch: identical-requests, more-than: 20, within: 60s, action: refuse, for: 2m } }" };

    public static readonly Section Section = new(Scope.Document, Key) { Tell = catalog => (catalog.Settings.Get<BreakerSettings>()?.All ?? []).Select(Told) };

    private static Breaker? Build(MapValues m)
    {
        var spending = m.Get(Watch) == BreakerWatch.SpendSpike;
        Key[] needed = spending ? [Times, Floor] : [MoreThan], foreign = spending ? [MoreThan] : [Times, Floor];
        foreach (var key in needed.Where(k => !m.IsWritten(k))) m.Miss(key);
        foreach (var key in foreign.Where(m.IsWritten)) m.Break(m.Of(key).Refuse($"'{key.Name}' is not for this kind of breaker"));
        if (m.AnyBroken) return null;
        return new Breaker(m.At.Name, m.Get(Watch), m.Get(Within))
        {
            MoreThan = m.Get(MoreThan),
            Times = m.Get(Times),
            Floor = spending ? m.Get(Floor) : null,
            Action = m.IsWritten(Action) ? m.Get(Action) : BreakerAction.Refuse,
            For = m.Get(For, TimeSpan.FromMinutes(1)),
        };
    }

    private static string Told(Breaker breaker) => breaker.Watch == BreakerWatch.SpendSpike
        ? $"{breaker.Name}: spending above {breaker.Times} times the usual and {breaker.Floor} within {Shapes.Tell(breaker.Within)} is {Done(breaker)}"
        : $"{breaker.Name}: more than {breaker.MoreThan} {(breaker.Watch == BreakerWatch.IdenticalRequests ? "identical requests" : "different paths")} within {Shapes.Tell(breaker.Within)} are {Done(breaker)}";

    private static string Done(Breaker breaker) => breaker.Action switch
    {
        BreakerAction.Refuse => $"refused for {Shapes.Tell(breaker.For)}",
        BreakerAction.Quarantine => "quarantined",
        BreakerAction.Ask => "refused until an operator says otherwise",
        _ => "noted",
    };
}
