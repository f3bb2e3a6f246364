using Turnpike.Metering.Formats;
using Turnpike.Metering.Reading;

namespace Turnpike.Metering;

/// <summary>The <c>usage:</c> of an operation: what its answers tell, and what is measured beside.</summary>
internal sealed class UsageSettings
{
    public UsageSettings(UsageFormat format, IReadOnlyList<Measure> measures)
    {
        (Format, Measures, Paths) = (format, measures, format.NewPaths());
        for (var i = 0; i < measures.Count; i++)
            if (measures[i] is Measure.Path path) Paths.Want(path.Expression, (path.CountsEach ? FieldValues.Counted : FieldValues.Added) + i);
    }

    /// <summary>Records at a path, or nothing at all.</summary>
    public static UsageSettings OfRecords(string? path) => new(UsageFormats.None, path is null ? [] : [new Measure.Path(Metering.Units.Records, path)]);

    public UsageFormat Format { get; }

    public IReadOnlyList<Measure> Measures { get; }

    /// <summary>What to look for in an answer.</summary>
    public PathNode Paths { get; }

    /// <summary>The units that can come of it; empty names those of a provider's format too.</summary>
    public IEnumerable<string> Units => Measures.Select(m => m.Unit);
}
