using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Turnpike.Catalog.Document;
using Turnpike.Ledger;

namespace Turnpike.Catalog.Loading;

/// <summary>One limit, as it stands in <c>limits</c> of operations, services, plans and callers.</summary>
internal static class RateShape
{
    private static readonly Key<Money> Amount = new("amount", PeriodShape.Amount, "How much: requests, money, or a unit of usage.") { Required = true, Example = "100 requests" };
    private static readonly Key<TimeSpan> Per = new("per", Shapes.Duration, "In how long; left out: at once, for requests, and for money that is reserved and not yet settled.") { Default = "at once", Example = "1m" };
    private static readonly Key<string> Name = new("name", new ScalarShape<string>("a name of letters, digits, '-' and '_'", (string t, out string? v) => (v = t).Length is > 0 and <= 64 && t.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_') ? null : "is no name", "^[A-Za-z0-9_-]+$"), "What headers and refusals call it.") { Default = "made of amount and period", Example = "burst" };
    private static readonly Key<RateCount> Count = new("count", new ChoiceShape<RateCount>(("token-bucket", RateCount.TokenBucket), ("fixed-window", RateCount.FixedWindow), ("sliding-window", RateCount.SlidingWindow)), "How it is counted.") { Default = "token-bucket", Example = "sliding-window" };
    private static readonly Key<Money> Burst = new("burst", PeriodShape.Amount, "Token bucket: how much may come at once.") { Default = "the amount", Example = "20 requests" };
    private static readonly Key<Money> Reserve = new("reserve", PeriodShape.Amount, "What a call is taken for until it is over, where nothing bounds what it can come to; then it counts for what it was.") { Default = "one of the unit", Example = "100000 bytes" };
    private static readonly Key<TimeSpan> Wait = new("wait", Shapes.Duration, "How long a call may be kept waiting instead of being refused.") { Default = "not at all", Example = "2s" };
    private static readonly Key<string> Only = new("count-on", new ChoiceShape<string>(("any", "any"), ("success", "success")), "Which calls count: all, or those that were answered 2xx.") { Default = "any", Example = "success" };
    private static readonly Key<OnStoreFailure> Failing = new("on-store-failure", new ChoiceShape<OnStoreFailure>(("deny", OnStoreFailure.Deny), ("local", OnStoreFailure.Local), ("allow", OnStoreFailure.Allow)), "Several nodes: what holds while this one does not hear the others: nothing passes, it counts for itself, or everything passes.") { Default = "deny for money, else local", Example = "deny" };
    private static readonly Key<bool> Shadow = new("shadow", Shapes.Flag, "Refuse nothing; audit what would have been refused.") { Default = "false", Example = "true" };

    private static readonly Key<IReadOnlyList<Assurance>> Sure = new("assurance", new ListShape<Assurance>(new ChoiceShape<Assurance>(("anonymous", Assurance.Anonymous), ("bearer", Assurance.Bearer), ("bound", Assurance.Bound)), oneAlone: true, least: 1), "How surely it is known who they are.") { Default = "all", Example = "anonymous" };
    private static readonly Key<IReadOnlyList<string>> Groups = new("groups", new ListShape<string>(Shapes.Text, oneAlone: true, least: 1), "Callers of one of these groups.") { Default = "all", Example = "[partners]" };
    private static readonly Key<IReadOnlyList<string>> Models = new("models", new ListShape<string>(Shapes.Text, oneAlone: true, least: 1), "Requests for one of these models.") { Default = "all", Example = "[gpt-4o]" };
    private static readonly Key<IReadOnlyList<KeyValuePair<string, string>>> Words = new("metadata", new NamedShape<string>("words by name", "name", OperationSection.CheckName, Shapes.Text), "Callers of whom you wrote all of these words.") { Default = "all", Example = "{ tier: gold }" };
    private static readonly Key<RateCondition> For = new("for", new MapShape<RateCondition>([Sure, Groups, Models, Words], BuildCondition), "For which calls it counts; where more is written, all of it has to hold.") { Default = "all", Example = "{ assurance: anonymous }" };

    private static readonly Shape<string> Part = new ChoiceShape<string>(("caller", "caller"), ("key", "key"), ("organisation", "organisation"), ("address", "address"), ("address-prefix", "address-prefix"), ("payer", "payer"), ("model", "model"), ("plan", "plan"), ("operation", "operation"), ("service", "service"), ("task", "task"), ("rail", "rail"));
    private static readonly Key<IReadOnlyList<string>> Parts = new("key", new ListShape<string>(Part, least: 1), "Whom to count together: one key made of all parts; an absent part drops out. Those by payer and by rail (the method that pays) count when it is verified who pays. address is IPv6 by /64, address-prefix IPv4 by /24 and IPv6 by /48.") { Default = "the caller in plans and callers, everybody elsewhere", Example = "[caller, operation]" };

    /// <param name="key">Who is counted together where nothing is written.</param>
    public static Shape<IReadOnlyList<RateRule>> List(params string[] key) =>
        new Told(new ListShape<RateRule>(new MapShape<RateRule>([Amount, Per, Parts, For, Name, Count, Burst, Reserve, Wait, Only, Failing, Shadow], m => Build(m, key))));

    /// <summary>The key <c>limits</c> of an operation, a service or a caller.</summary>
    public static Key<RateRules> Key(string doc, params string[] key) =>
        new("limits", new ConvertedShape<IReadOnlyList<RateRule>, RateRules>(List(key), rules => new RateRules(rules)), doc) { Default = "none", Example = "[{ amount: 100 requests, per: 1m }]" };

    private static RateRule? Build(MapValues m, IReadOnlyList<string> key)
    {
        var amount = m.Get(Amount);
        TimeSpan? per = m.IsWritten(Per) ? m.Get(Per) : null;
        Money? burst = m.IsWritten(Burst) ? m.Get(Burst) : null;
        if (per is null && amount.Currency != RateRule.Requests && !Money.IsMoney(amount.Currency)) return Refuse(m.Of(Amount), "only requests and money can be limited at once; give the rest a 'per'");
        if (per is null && (m.IsWritten(Count) || burst is not null)) return Refuse(m.At, "what is limited at once is not counted over time: leave 'count' and 'burst' out");
        if (burst is not null && (m.Get(Count) != RateCount.TokenBucket || burst.Value.Currency != amount.Currency)) return Refuse(m.Of(Burst), "a burst is of the limit's own unit, and only of a token bucket");
        Money? reserve = m.IsWritten(Reserve) ? m.Get(Reserve) : null;
        if (reserve is not null && (reserve.Value.Currency != amount.Currency || amount.Currency == RateRule.Requests || Money.IsMoney(amount.Currency))) return Refuse(m.Of(Reserve), "is of the limit's own unit, and only where that is read from answers");
        var name = m.Get(Name) ?? NameOf(amount, per);
        return new RateRule($"{m.At.Path[..Math.Max(0, m.At.Path.LastIndexOf('['))]}/{name}", name, amount, per)
        {
            Count = m.Get(Count),
            Burst = burst,
            Reserve = reserve,
            Key = m.Get(Parts) ?? key,
            For = m.Get(For),
            Wait = m.Get(Wait),
            OnlySuccess = m.Get(Only) == "success",
            OnStoreFailure = m.IsWritten(Failing) ? m.Get(Failing) : Money.IsMoney(amount.Currency) ? OnStoreFailure.Deny : OnStoreFailure.Local,
            Shadow = m.Get(Shadow),
        };
    }

    private static RateCondition? BuildCondition(MapValues m)
    {
        var condition = new RateCondition { Assurance = m.Get(Sure, []), Groups = m.Get(Groups, []), Models = m.Get(Models, []), Metadata = m.Get(Words, []) };
        if (condition.Assurance.Count + condition.Groups.Count + condition.Models.Count + condition.Metadata.Count > 0) return condition;
        m.At.Refuse("names nobody: write assurance, groups, models or metadata");
        return null;
    }

    private static string NameOf(Money amount, TimeSpan? per) => per is { } time ? $"{amount.Currency}-{(long)time.TotalSeconds}s" : $"{amount.Currency}-at-once";

    private static RateRule? Refuse(Spot at, string message)
    {
        at.Refuse(message);
        return null;
    }

    /// <summary>Limits of one place are told apart: two of the same unit and time, each for somebody else, by whom they count together.</summary>
    private sealed class Told(Shape<IReadOnlyList<RateRule>> list) : Shape<IReadOnlyList<RateRule>>
    {
        public override string Says => list.Says;

        public override IEnumerable<Shape> Below => [list];

        public override bool TryRead(Spot at, [MaybeNullWhen(false)] out IReadOnlyList<RateRule> value)
        {
            if (!list.TryRead(at, out value)) return false;
            var names = new HashSet<string>(StringComparer.Ordinal);
            List<RateRule> all = [];
            foreach (var rule in value)
            {
                var told = names.Contains(rule.Id) && rule.Key.Count > 0 ? rule with { Id = $"{rule.Id}-{string.Join('-', rule.Key)}", Name = $"{rule.Name}-{string.Join('-', rule.Key)}" } : rule;
                if (!names.Add(told.Id)) return at.Reading.PlaceOf(rule, "name").Refuse($"another limit here is called '{told.Name}' as well: give one of them a name");
                if (!ReferenceEquals(told, rule)) at.Reading.Copy(rule, told);
                all.Add(told);
            }
            value = all;
            return true;
        }

        public override void WriteSchema(Utf8JsonWriter json) => list.WriteSchema(json);
    }
}
