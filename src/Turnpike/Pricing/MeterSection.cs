using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Metering;

namespace Turnpike.Pricing;

/// <summary>The <c>meters:</c> section: what is asked of the records of use.</summary>
internal static class MeterSection
{
    private static readonly Shape<string> Unit = new ScalarShape<string>("a unit such as input_tokens", (string t, out string? v) => Units.CheckName(v = t) is { } wrong ? $"is none: {wrong}" : null, "^[a-z][a-z0-9_]{0,47}$");

    private static readonly Shape<string> Dimension = new ScalarShape<string>("operation, caller, payer, model, header:NAME, path:NAME or claim:NAME", ReadDimension, "^(operation|caller|payer|model|(header|path|claim):[A-Za-z0-9_.-]{1,64})$");

    /// <summary>Headers of such names hold what nobody may write down.</summary>
    private static readonly string[] Secret = ["auth", "cookie", "key", "payment", "session", "sign", "token", "secret", "dpop"];

    private static readonly (Aggregation Aggregation, Key<string> Key)[] Aggregations =
    [
        (Aggregation.Sum, Of("sum", "Adds a unit up.", "input_tokens")),
        (Aggregation.Count, Of("count", "Counts the calls that tell a unit; requests are all of them.", "requests")),
        (Aggregation.Average, Of("average", "The mean of a unit over calls.", "duration_ms")),
        (Aggregation.Minimum, Of("min", "The least of a unit in a call.", "duration_ms")),
        (Aggregation.Maximum, Of("max", "The most of a unit in a call.", "duration_ms")),
        (Aggregation.Unique, Of("unique", "How many different values of a unit, or of operation, caller, payer or model.", "caller")),
        (Aggregation.Latest, Of("latest", "A unit's value in the last call.", "seats")),
    ];

    private static readonly Key<IReadOnlyList<string>> GroupBy = new("group-by", new ListShape<string>(Dimension), "What is kept apart: operation, caller, payer, model; or a header of the request (header:x-team), a part of its path (path:city), a claim of the caller's token (claim:team).") { Default = "everything together", Example = "[model, caller]" };
    private static readonly Key<long> MostGroups = new("max-groups", Shapes.Integer(1, 100_000), "Groups beyond these are told together as (others).") { Default = "1000", Example = "1000" };

    private static readonly Shape<IReadOnlyList<KeyValuePair<string, MeterDefinition>>> Named =
        new NamedShape<MeterDefinition>("meters by name", "meter", OperationSection.CheckName, new MapShape<MeterDefinition>([.. Aggregations.Select(a => a.Key), GroupBy, MostGroups], Build));

    private static readonly Key<MeterSet> Key = new("meters",
        new ConvertedShape<IReadOnlyList<KeyValuePair<string, MeterDefinition>>, MeterSet>(Named, all => new MeterSet(all.ToDictionary(m => m.Key, m => m.Value, StringComparer.Ordinal))),
        "Questions to the records of use, asked at /admin/v1/meters/{name}/query. Where there are meters, every delivered call is recorded; without, those whose operation has usage, a metered price or cost, or whose upstream is paid for (pays), and those that a limit in units counts.")
    { Default = "none", Example = "{ tokens: { sum: total_tokens, group-by: [model] } }" };

    public static readonly Section Section = new(Scope.Document, Key)
    {
        Tell = catalog => catalog.Settings.Get<MeterSet>()?.ByName.Values.Select(m => $"{m.Name}: {m.Aggregation.ToString().ToLowerInvariant()} of {m.Unit}{(m.GroupBy.Count > 0 ? " by " + string.Join(", ", m.GroupBy) : "")}") ?? [],
    };

    private static string? ReadDimension(string text, out string? dimension)
    {
        dimension = text;
        if (MeterDefinition.Dimensions.Contains(text)) return null;
        if (!MeterDefinition.IsLabel(text) || text[(text.IndexOf(':', StringComparison.Ordinal) + 1)..] is not { Length: > 0 and <= 64 } name || name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.'))) return "is no dimension; write operation, caller, payer, model, header:NAME, path:NAME or claim:NAME";
        if (text.StartsWith(MeterDefinition.Header, StringComparison.Ordinal) && Array.Exists(Secret, word => name.Contains(word, StringComparison.OrdinalIgnoreCase))) return "may hold a credential: nobody writes that down";
        return null;
    }

    private static Key<string> Of(string name, string doc, string example) => new(name, Unit, doc) { Default = "not asked", Example = example };

    private static MeterDefinition? Build(MapValues m)
    {
        var asked = Aggregations.Where(a => m.IsWritten(a.Key)).ToList();
        if (asked is [var (aggregation, key)])
            return new MeterDefinition(m.At.Name, aggregation, m.Get(key)!, m.Get(GroupBy, []), m.IsWritten(MostGroups) ? (int)m.Get(MostGroups) : MeterDefinition.DefaultMostGroups);
        m.At.Refuse("a meter is one of sum, count, average, min, max, unique and latest");
        return null;
    }
}
