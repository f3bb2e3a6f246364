namespace Turnpike.Metering;

/// <summary>The <c>meters:</c> of a document.</summary>
internal sealed record MeterSet(IReadOnlyDictionary<string, MeterDefinition> ByName)
{
    /// <summary>What is written down of each call beside names, because a meter groups by it.</summary>
    public IReadOnlyList<string> Labels { get; } = [.. ByName.Values.SelectMany(m => m.GroupBy).Where(MeterDefinition.IsLabel).Distinct(StringComparer.Ordinal)];
}

/// <summary>What is asked of the records of use again and again.</summary>
/// <param name="Unit">The unit it is about; for <see cref="Aggregation.Unique"/> also a dimension.</param>
/// <param name="GroupBy">Dimensions: operation, caller, payer, model, and labels such as header:x-team.</param>
/// <param name="MostGroups">Groups beyond these are told together as <c>(others)</c>: a label an attacker can choose must not fill the memory.</param>
internal sealed record MeterDefinition(string Name, Aggregation Aggregation, string Unit, IReadOnlyList<string> GroupBy, int MostGroups)
{
    public const int DefaultMostGroups = 1000;

    public static readonly IReadOnlyList<string> Dimensions = ["operation", "caller", "payer", "model"];

    /// <summary>Where a label may come from: a header or a part of the path of the request, a claim of the caller's token.</summary>
    public const string Header = "header:", Path = "path:", Claim = "claim:";

    public static bool IsLabel(string dimension) => dimension.StartsWith(Header, StringComparison.Ordinal) || dimension.StartsWith(Path, StringComparison.Ordinal) || dimension.StartsWith(Claim, StringComparison.Ordinal);

    /// <summary>True for what this meter may be grouped and filtered by.</summary>
    public bool Knows(string dimension) => Dimensions.Contains(dimension) || IsLabel(dimension) && GroupBy.Contains(dimension);

    public static string? DimensionOf(UsageRecord record, string dimension) => dimension switch
    {
        "operation" => record.Operation,
        "caller" => record.Caller,
        "payer" => record.Payer,
        "model" => record.Model,
        _ => record.Labels.GetValueOrDefault(dimension),
    };
}

/// <summary>How quantities become one.</summary>
internal enum Aggregation
{
    Sum,
    Count,
    Average,
    Minimum,
    Maximum,
    Unique,
    Latest,
}
