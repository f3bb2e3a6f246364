namespace Turnpike.Metering;

/// <summary>The <c>meters:</c> of a document.</summary>
internal sealed record MeterSet(IReadOnlyDictionary<string, MeterDefinition> ByName);

/// <summary>What is asked of the records of use again and again.</summary>
/// <param name="Unit">The unit it is about; for <see cref="Aggregation.Unique"/> also a dimension.</param>
/// <param name="GroupBy">Dimensions: operation, caller, payer, model.</param>
/// <param name="MostGroups">Groups beyond these are told together as <c>(others)</c>: a label an attacker can choose must not fill the memory.</param>
internal sealed record MeterDefinition(string Name, Aggregation Aggregation, string Unit, IReadOnlyList<string> GroupBy, int MostGroups)
{
    public const int DefaultMostGroups = 1000;

    public static readonly IReadOnlyList<string> Dimensions = ["operation", "caller", "payer", "model"];

    public static string? DimensionOf(UsageRecord record, string dimension) => dimension switch
    {
        "operation" => record.Operation,
        "caller" => record.Caller,
        "payer" => record.Payer,
        "model" => record.Model,
        _ => null,
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
