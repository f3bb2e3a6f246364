using Turnpike.Catalog.Document;
using Turnpike.Ledger;

namespace Turnpike.Catalog.Loading;

/// <summary>A limit as words, where it does not come from turnpike.yaml: the same words, read by the same rules.</summary>
/// <param name="Amount"><c>100 requests</c>, <c>0.50 USD</c>, <c>60000 total_tokens</c>.</param>
/// <param name="Per"><c>1m</c>; left out: at once.</param>
internal sealed record RateWords(string? Amount = null, string? Per = null, IReadOnlyList<string>? Key = null, RateFor? For = null, string? Name = null, string? Count = null, string? Burst = null, string? Reserve = null, string? Wait = null, string? CountOn = null, string? OnStoreFailure = null, bool? Shadow = null)
{
    private const int Most = 100;
    private static readonly Shape<IReadOnlyList<RateRule>> Shape = RateShape.List("caller");

    /// <summary>No references: what comes over the network names no secret of this machine.</summary>
    private static readonly ConfigEnvironment Nothing = new(_ => null, _ => null);

    /// <summary>The limits of a caller, or a sentence for each thing that is wrong.</summary>
    public static (RateRules? Rules, string? Error) Read(string caller, IReadOnlyList<RateWords>? words)
    {
        if (words is not { Count: > 0 }) return (null, null);
        if (words.Count > Most || words.Any(w => w is null)) return (null, $"limits: at most {Most}, each such as {{\"amount\":\"100 requests\",\"per\":\"1m\"}}.");
        var reading = new Reading(Nothing);
        // The path of the file's limits: who moves between the file and here goes on counting where it was.
        var place = new Spot(new MapNode(1, 1, []), "", reading).Member("callers", Map()).Member(caller, Map()).Member("limits", new ListNode(1, 1, [.. words.Select(w => w.ToNode())]));
        return Shape.TryRead(place, out var rules) && reading.Errors.Count == 0
            ? (new RateRules(rules) { Words = words }, null)
            : (null, string.Join(" ", reading.Errors.Select(e => $"{e.Path[(e.Path.IndexOf("limits", StringComparison.Ordinal) is > 0 and var at ? at : 0)..]}: {e.Message}.")));
    }

    /// <summary>A rule of the file in these words.</summary>
    public static RateWords Of(RateRule rule) => new(rule.Amount.ToString(), Text(rule.Per), rule.Key, rule.For is { } of ? RateFor.Of(of) : null, rule.Name,
        rule.Count switch { RateCount.FixedWindow => "fixed-window", RateCount.SlidingWindow => "sliding-window", _ => null },
        rule.Burst?.ToString(), rule.Reserve?.ToString(), rule.Wait > TimeSpan.Zero ? Text(rule.Wait) : null, rule.OnlySuccess ? "success" : null, rule.OnStoreFailure.ToString().ToLowerInvariant(), rule.Shadow ? true : null);

    private static string? Text(TimeSpan? span) => span is { } time ? $"{(long)time.TotalSeconds}s" : null;

    private MapNode ToNode() => Map(("amount", Scalar(Amount)), ("per", Scalar(Per)), ("key", List(Key)), ("for", For?.ToNode()), ("name", Scalar(Name)), ("count", Scalar(Count)), ("burst", Scalar(Burst)),
        ("reserve", Scalar(Reserve)), ("wait", Scalar(Wait)), ("count-on", Scalar(CountOn)), ("on-store-failure", Scalar(OnStoreFailure)), ("shadow", Shadow is { } on ? Scalar(on ? "true" : "false") : null));

    internal static MapNode Map(params IEnumerable<(string Name, Node? Value)> entries) => new(1, 1, [.. entries.Where(e => e.Value is not null).Select(e => new MapEntry(new ScalarNode(1, 1, e.Name, false), e.Value!))]);

    internal static ScalarNode? Scalar(string? text) => text is null ? null : new(1, 1, text, false);

    internal static ListNode? List(IReadOnlyList<string>? texts) => texts is null ? null : new(1, 1, [.. texts.Select(t => new ScalarNode(1, 1, t ?? "", false))]);
}

/// <summary>For which calls it counts, in the words of <c>for</c>.</summary>
internal sealed record RateFor(IReadOnlyList<string>? Assurance = null, IReadOnlyList<string>? Groups = null, IReadOnlyList<string>? Models = null, IReadOnlyDictionary<string, string>? Metadata = null)
{
    public static RateFor Of(RateCondition of) => new(of.Assurance.Count == 0 ? null : [.. of.Assurance.Select(a => a.ToString().ToLowerInvariant())], NotEmpty(of.Groups), NotEmpty(of.Models), of.Metadata.Count == 0 ? null : of.Metadata.ToDictionary());

    public Node ToNode() => RateWords.Map(("assurance", RateWords.List(Assurance)), ("groups", RateWords.List(Groups)), ("models", RateWords.List(Models)), ("metadata", Metadata is null ? null : RateWords.Map(Metadata.Select(m => (m.Key, (Node?)RateWords.Scalar(m.Value))))));

    private static IReadOnlyList<string>? NotEmpty(IReadOnlyList<string> list) => list.Count == 0 ? null : list;
}
