using System.Text.Json;

namespace Turnpike.Protocols.Schemas;

/// <summary>
/// A JSON Schema of the 2020-12 dialect, the part of it that is bounded: no remote references, no dynamic ones, no
/// <c>unevaluated…</c>, and regular expressions that take time proportional to the text. What is not in that part is refused when
/// the schema is read, never skipped when a value is checked.
/// </summary>
public sealed class JsonSchema
{
    /// <summary>How many violations are told of one value.</summary>
    public const int MostViolations = 10;

    /// <summary>References that lead to references, and values within values.</summary>
    private const int MaxDepth = 128;

    private IReadOnlyList<SchemaRule> rules = [];

    internal JsonSchema()
    {
    }

    /// <summary>The schema, or null with everything in it that is wrong or not supported, by JSON pointer.</summary>
    public static JsonSchema? Parse(JsonElement schema, out IReadOnlyList<(string Pointer, string Message)> errors)
    {
        var reader = new SchemaReader(schema);
        var read = reader.Read(schema, "");
        errors = reader.Errors;
        if (errors.Count > 0) return null;
        read.Source = schema.Clone();
        return read;
    }

    /// <summary>The schema as it was written.</summary>
    public JsonElement Source { get; private set; }

    /// <summary>What is wrong with a value; empty when nothing is.</summary>
    public IReadOnlyList<SchemaViolation> Check(JsonElement value)
    {
        var found = new List<SchemaViolation>();
        try { Check(value, new SchemaPlace("", 0), found); }
        catch (SchemaUndecidedException e) { found.Add(new SchemaViolation(e.Pointer, e.Message)); }
        return found;
    }

    internal void Is(IReadOnlyList<SchemaRule> made) => rules = made;

    internal void Check(JsonElement value, SchemaPlace at, List<SchemaViolation> found)
    {
        if (at.Depth > MaxDepth) throw new SchemaUndecidedException(at.Pointer, "is nested too deeply");
        foreach (var rule in rules)
        {
            if (found.Count >= MostViolations) return;
            rule(value, at with { Depth = at.Depth + 1 }, found);
        }
    }

    internal bool Accepts(JsonElement value, SchemaPlace at)
    {
        var found = new List<SchemaViolation>();
        Check(value, at, found);
        return found.Count == 0;
    }
}

/// <summary>One thing that is wrong with a value.</summary>
/// <param name="Pointer">Where, as a JSON pointer; empty for the whole value.</param>
/// <param name="Message">What, to follow the place: "is no string".</param>
public sealed record SchemaViolation(string Pointer, string Message);

/// <summary>
/// A value that cannot be checked within the bounds is refused as a whole: to take it for one that does not fit would let it through
/// below <c>not</c>, <c>if</c> or <c>patternProperties</c>.
/// </summary>
internal sealed class SchemaUndecidedException(string pointer, string message) : Exception(message)
{
    public string Pointer => pointer;
}

/// <summary>Checks one keyword.</summary>
internal delegate void SchemaRule(JsonElement value, SchemaPlace at, List<SchemaViolation> found);

/// <summary>Where a check stands.</summary>
internal readonly record struct SchemaPlace(string Pointer, int Depth)
{
    public SchemaPlace Below(string name) => new($"{Pointer}/{name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}", Depth);

    public SchemaViolation Says(string message) => new(Pointer, message);
}
