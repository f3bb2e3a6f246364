namespace Turnpike.Metering;

/// <summary>Where the quantity of one unit of the document's own comes from.</summary>
internal abstract record Measure(string Unit)
{
    /// <summary>Numbers at a path of the JSON answer, added up; anything else there counts one.</summary>
    internal sealed record Path(string Unit, string Expression) : Measure(Unit);

    /// <summary>A whole number in a header of the answer.</summary>
    internal sealed record Header(string Unit, string Name) : Measure(Unit);

    /// <summary>How long the upstream took, in the unit, begun ones counting whole.</summary>
    internal sealed record Time(string Unit, TimeSpan Each) : Measure(Unit);

    /// <summary>The size of the answer or of the request, in bytes.</summary>
    internal sealed record Size(string Unit, bool OfRequest) : Measure(Unit);

    /// <summary>The same for every answer.</summary>
    internal sealed record Constant(string Unit, long Count) : Measure(Unit);
}
