using System.Globalization;
using System.Text.Json;

namespace Turnpike.Protocols.Http;

/// <summary>
/// A path into JSON: the part of RFC 9535 that names places and decides nothing. <c>$</c>, then members (<c>.name</c>,
/// <c>['name']</c>), indexes (<c>[0]</c>) and all that is there (<c>[*]</c>, <c>.*</c>).
/// </summary>
public sealed class JsonPath
{
    /// <summary>Longest text that is read, in characters.</summary>
    public const int MaxLength = 512;

    private const int MaxIndex = 1_000_000;

    private JsonPath(string text, IReadOnlyList<JsonStep> steps)
    {
        Text = text;
        Steps = steps;
    }

    /// <summary>As it was written.</summary>
    public string Text { get; }

    public IReadOnlyList<JsonStep> Steps { get; }

    /// <summary>The path, or null with a short reason.</summary>
    public static JsonPath? Parse(string? text, out string? error)
    {
        error = null;
        var rest = text.AsSpan();
        if (rest.IsEmpty || rest[0] != '$') { error = "a path begins with $"; return null; }
        if (rest.Length > MaxLength) { error = "the path is too long"; return null; }
        var steps = new List<JsonStep>();
        for (rest = rest[1..]; !rest.IsEmpty;)
        {
            if (ReadStep(ref rest) is not { } step) { error = "a path is made of .name, ['name'], [0], [*] and .*"; return null; }
            steps.Add(step);
        }
        return new JsonPath(text!, steps);
    }

    /// <summary>Every place of <paramref name="root"/> that this names, in document order.</summary>
    public IEnumerable<JsonElement> Select(JsonElement root) => Select(root, 0);

    public override string ToString() => Text;

    private IEnumerable<JsonElement> Select(JsonElement at, int depth)
    {
        if (depth == Steps.Count) { yield return at; yield break; }
        if (at.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in at.EnumerateObject())
                if (Steps[depth].Matches(member.Name))
                    foreach (var found in Select(member.Value, depth + 1)) yield return found;
        }
        else if (at.ValueKind == JsonValueKind.Array)
        {
            var index = 0;
            foreach (var item in at.EnumerateArray())
                if (Steps[depth].Matches(index++))
                    foreach (var found in Select(item, depth + 1)) yield return found;
        }
    }

    private static JsonStep? ReadStep(ref ReadOnlySpan<char> rest)
    {
        if (rest[0] == '.')
        {
            rest = rest[1..];
            var length = 0;
            while (length < rest.Length && rest[length] is not ('.' or '[')) length++;
            var name = rest[..length];
            rest = rest[length..];
            return name.IsEmpty || name.ContainsAny("'\"]*@?() ") && name is not "*" ? null : name is "*" ? JsonStep.All : JsonStep.Member(name.ToString());
        }
        if (rest[0] != '[') return null;
        return rest.Length > 1 && rest[1] is '\'' or '"' ? ReadQuoted(ref rest) : ReadIndex(ref rest);
    }

    private static JsonStep? ReadQuoted(ref ReadOnlySpan<char> rest)
    {
        var end = rest[2..].IndexOf(rest[1]);
        if (end < 0 || rest.Length < end + 4 || rest[end + 3] != ']' || rest.Slice(2, end).Contains('\\')) return null;
        var name = rest.Slice(2, end).ToString();
        rest = rest[(end + 4)..];
        return JsonStep.Member(name);
    }

    private static JsonStep? ReadIndex(ref ReadOnlySpan<char> rest)
    {
        var end = rest.IndexOf(']');
        if (end < 0) return null;
        var inside = rest[1..end];
        rest = rest[(end + 1)..];
        if (inside is "*") return JsonStep.All;
        return int.TryParse(inside, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index <= MaxIndex ? JsonStep.Item(index) : null;
    }
}

/// <summary>One step of a path: a member by name, an item by index, or everything.</summary>
public sealed record JsonStep
{
    public static readonly JsonStep All = new();

    private JsonStep()
    {
    }

    /// <summary>Null: not a member by name.</summary>
    public string? Name { get; private init; }

    /// <summary>Null: not an item by index.</summary>
    public int? Index { get; private init; }

    public static JsonStep Member(string name) => new() { Name = name };

    public static JsonStep Item(int index) => new() { Index = index };

    public bool Matches(string member) => Index is null && (Name is null || Name == member);

    public bool Matches(int item) => Name is null && (Index is null || Index == item);
}
