namespace Turnpike.Metering;

/// <summary>Where the quantity of one unit of the document's own comes from.</summary>
internal abstract record Measure(string Unit)
{
    /// <summary>What is counted where an answer does not tell it; null: nothing, and the owner hears of it.</summary>
    public long? Fallback { get; init; }

    /// <summary>A number in the JSON answer; a path that ends with every element counts the elements, whatever they are.</summary>
    internal sealed record Path(string Unit, string Expression) : Measure(Unit)
    {
        private const string Each = "[*]";

        public bool CountsEach => Expression.EndsWith(Each, StringComparison.Ordinal);

        /// <summary>The list whose elements are counted.</summary>
        public string Counted => Expression[..^Each.Length];

        /// <summary>The outermost list it goes through: an empty one tells that there is nothing. Null where it goes through none.</summary>
        public string? Outermost => Expression.IndexOf(Each, StringComparison.Ordinal) is var at and >= 0 ? Expression[..at] : null;
    }

    /// <summary>A whole number in a header of the answer.</summary>
    internal sealed record Header(string Unit, string Name) : Measure(Unit);

    /// <summary>How long the upstream took, in the unit, begun ones counting whole.</summary>
    internal sealed record Time(string Unit, TimeSpan Each) : Measure(Unit);

    /// <summary>The size of the answer or of the request, in bytes.</summary>
    internal sealed record Size(string Unit, bool OfRequest) : Measure(Unit);

    /// <summary>The same for every answer.</summary>
    internal sealed record Constant(string Unit, long Count) : Measure(Unit);
}
