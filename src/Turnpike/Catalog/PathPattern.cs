namespace Turnpike.Catalog;

/// <summary>
/// A path with <c>{name}</c> for one segment and a final <c>{**rest}</c> for all that follow. It is compared with canonical
/// paths, byte for byte, so that what is matched is what is priced and forwarded.
/// </summary>
internal sealed class PathPattern : IEquatable<PathPattern>
{
    private readonly Segment[] segments;

    private PathPattern(string text, Segment[] segments) => (Text, this.segments) = (text, segments);

    public string Text { get; }

    /// <summary>Higher is more exact: literals before names before the rest, left to right.</summary>
    public IEnumerable<int> Rank => segments.Select(s => s.Kind switch { Kind.Literal => 0, Kind.Name => 1, _ => 2 });

    public IReadOnlyList<string> Names => [.. segments.Where(s => s.Kind != Kind.Literal).Select(s => s.Text)];

    /// <summary>The text without the names: patterns of one shape match the same paths.</summary>
    public string Shape => "/" + string.Join('/', segments.Select(s => s.Kind switch { Kind.Literal => s.Text, Kind.Name => "{}", _ => "{**}" }));

    /// <summary>True when both match the same paths, with no way to tell which was meant.</summary>
    public bool ClashesWith(PathPattern other) => Shape == other.Shape;

    /// <summary>Null with a sentence in <paramref name="error"/> when the text is no pattern.</summary>
    public static PathPattern? Parse(string text, out string? error)
    {
        error = null;
        if (!text.StartsWith('/')) { error = "a path begins with '/'"; return null; }
        var parts = text.Length == 1 ? [] : text[1..].Split('/');
        var segments = new List<Segment>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < parts.Length; i++)
        {
            if (ReadSegment(parts[i], i == parts.Length - 1, out error) is not { } segment) return null;
            if (segment.Kind != Kind.Literal && !names.Add(segment.Text)) { error = $"'{segment.Text}' stands twice"; return null; }
            segments.Add(segment);
        }
        return new PathPattern(text, [.. segments]);
    }

    private static Segment? ReadSegment(string part, bool last, out string? error)
    {
        error = null;
        if (part.Length == 0 && !last) { error = "a path has no empty segments"; return null; }
        if (!part.Contains('{', StringComparison.Ordinal) && !part.Contains('}', StringComparison.Ordinal)) return ReadLiteral(part, out error);
        var rest = part.StartsWith("{**", StringComparison.Ordinal);
        var name = part.Trim('{', '}', '*');
        if (part != (rest ? $"{{**{name}}}" : $"{{{name}}}") || name.Length == 0 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-'))
        {
            error = "a part of a path is text, {name}, or a last {**name}";
            return null;
        }
        if (rest && !last) { error = "{**name} stands last"; return null; }
        return new Segment(rest ? Kind.Rest : Kind.Name, name);
    }

    /// <summary>A literal is written as canonical paths are (RFC 3986), or it would never match: no dot segments, no ';', escapes only where needed.</summary>
    private static Segment? ReadLiteral(string part, out string? error)
    {
        error = part switch
        {
            "." or ".." => "a path has no '.' or '..'",
            [.., '*'] => "one segment of any text is written {name}, and all that follow {**name}", // who writes it means many paths, and would sell at none
            [':', ..] => "one segment of any text is written {name}",
            _ => null,
        };
        for (var i = 0; i < part.Length && error is null; i++)
        {
            if (part[i] == '%') error = EscapeError(part.AsSpan(i));
            else if (!char.IsAsciiLetterOrDigit(part[i]) && !"-._~!$&'()*+,=:@".Contains(part[i], StringComparison.Ordinal)) error = $"'{(char.IsControl(part[i]) ? '?' : part[i])}' does not stand in a path; write it percent-encoded";
        }
        return error is null ? new Segment(Kind.Literal, part) : null;
    }

    private static string? EscapeError(ReadOnlySpan<char> escape)
    {
        if (escape.Length < 3 || !byte.TryParse(escape[1..3], System.Globalization.NumberStyles.AllowHexSpecifier, null, out var value)) return "'%' begins an escape of two hexadecimal digits";
        if (char.IsAsciiLetterLower(escape[1]) || char.IsAsciiLetterLower(escape[2])) return "an escape is written in capitals, %C3";
        if (char.IsAsciiLetterOrDigit((char)value) || (char)value is '-' or '.' or '_' or '~') return $"'{escape[..3]}' is written plainly as '{(char)value}'";
        return (char)value is '/' or '\\' or '%' or ';' || value < 0x20 || value == 0x7F ? $"'{escape[..3]}' is ambiguous; calls with it are refused" : null;
    }

    /// <summary>Does this canonical path (below host and prefix, without query) fit? No allocation.</summary>
    public bool Matches(ReadOnlySpan<char> path)
    {
        if (path.Length == 0 || path[0] != '/') return false;
        path = path[1..];
        for (var i = 0; i < segments.Length; i++)
        {
            if (segments[i].Kind == Kind.Rest) return true;
            var slash = path.IndexOf('/');
            var last = i == segments.Length - 1;
            if (last != slash < 0) return last && slash < 0;
            var part = last ? path : path[..slash];
            if (segments[i].Kind == Kind.Literal ? !part.SequenceEqual(segments[i].Text) : part.Length == 0) return false;
            if (last) return true;
            path = path[(slash + 1)..];
            if (i + 1 < segments.Length && segments[i + 1].Kind == Kind.Rest) return true;
        }
        return path.Length == 0;
    }

    /// <summary>What a canonical path that fits has where the pattern has <c>{name}</c> or <c>{**name}</c>, as it is written there; null: it has no such part.</summary>
    public string? Capture(string path, string name)
    {
        var from = 1;
        foreach (var segment in segments)
        {
            if (from > path.Length) return null;
            var slash = path.IndexOf('/', from);
            var to = slash < 0 || segment.Kind == Kind.Rest ? path.Length : slash;
            if (segment.Kind != Kind.Literal && segment.Text == name) return path[from..to];
            from = to + 1;
        }
        return null;
    }

    public bool Equals(PathPattern? other) => other?.Text == Text;

    public override bool Equals(object? obj) => Equals(obj as PathPattern);

    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => Text;

    private enum Kind { Literal, Name, Rest }

    private readonly record struct Segment(Kind Kind, string Text);
}
