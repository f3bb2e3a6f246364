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
            if (measures[i] is Measure.Path path) Want(path, i);
    }

    private void Want(Measure.Path path, int index)
    {
        Paths.Want(path.Expression, (path.CountsEach ? FieldValues.Counted : FieldValues.Added) + index);
        if (path.CountsEach) Paths.Want(path.Counted, FieldValues.Listed + index);
        if (path.Outermost is not { } list || path.CountsEach && list == path.Counted) return;
        Paths.Want(list, FieldValues.Opened + index).Want($"{list}[*]", FieldValues.Filled + index);
    }

    /// <summary>Records at a path, or nothing at all.</summary>
    public static UsageSettings OfRecords(string? path) => new(UsageFormats.None, path is null ? [] : [new Measure.Path(Metering.Units.Records, path)]);

    public UsageFormat Format { get; }

    public IReadOnlyList<Measure> Measures { get; }

    /// <summary>What to look for in an answer.</summary>
    public PathNode Paths { get; }

    /// <summary>The units that can come of it; empty names those of a provider's format too.</summary>
    public IEnumerable<string> Units => Measures.Select(m => m.Unit);

    /// <summary>The length of the request's body is one of its measures.</summary>
    public bool AsksLength => Measures.Any(m => m is Measure.Size { OfRequest: true });

    /// <summary>Does anything tell this unit?</summary>
    public bool Tells(string unit)
    {
        for (var i = 0; i < Measures.Count; i++)
            if (Measures[i].Unit == unit) return true;
        return Format.Tells(unit);
    }
}
