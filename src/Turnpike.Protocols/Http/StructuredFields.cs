using System.Globalization;
using System.Text;

namespace Turnpike.Protocols.Http;

/// <summary>The little of Structured Fields (RFC 9651) that is needed: an <c>Idempotency-Key</c> in, <c>RateLimit</c> fields out.</summary>
public static class StructuredFields
{
    /// <summary>Longest item text that is taken, in characters.</summary>
    public const int MaxItemLength = 255;

    /// <summary>
    /// The value of a string item (<c>"…"</c>) or of a bare token such as a UUID; null if it is empty, longer than
    /// <see cref="MaxItemLength"/>, not printable ASCII, or carries parameters.
    /// </summary>
    /// <remarks>Bare values are taken because most clients send their key unquoted, digits first.</remarks>
    public static string? ParseStringOrToken(string? field)
    {
        var text = field.AsSpan().Trim(" \t");
        if (text.IsEmpty || text.Length > MaxItemLength + 2) return null;
        var value = text[0] == '"' ? Unquote(text) : Bare(text);
        return value is { Length: > 0 and <= MaxItemLength } ? value : null;
    }

    /// <summary>A string item: quoted, <c>"</c> and <c>\</c> escaped (RFC 9651 §4.1.6).</summary>
    /// <exception cref="ArgumentException">The value is not printable ASCII; names come from checked configuration.</exception>
    public static string String(string value)
    {
        var text = new StringBuilder(value.Length + 2).Append('"');
        foreach (var c in value)
        {
            if (c is < ' ' or > '~') throw new ArgumentException("a structured string is printable ASCII", nameof(value));
            if (c is '"' or '\\') text.Append('\\');
            text.Append(c);
        }
        return text.Append('"').ToString();
    }

    /// <summary>A string item with integer parameters, such as <c>"minute";q=60;w=60</c> (RateLimit-Policy) or <c>"minute";r=12;t=30</c> (RateLimit).</summary>
    public static string String(string value, params ReadOnlySpan<(string Key, long Value)> parameters)
    {
        var text = new StringBuilder(String(value));
        foreach (var (key, number) in parameters) text.Append(CultureInfo.InvariantCulture, $";{key}={number}");
        return text.ToString();
    }

    /// <summary>A list of items already serialised.</summary>
    public static string List(params IEnumerable<string> items) => string.Join(", ", items);

    private static string? Bare(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && !"!#$%&'*+-.^_`|~:/=".Contains(c)) return null;
        }
        return text.ToString();
    }

    private static string? Unquote(ReadOnlySpan<char> text)
    {
        var value = new StringBuilder(text.Length);
        for (var i = 1; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '"') return i == text.Length - 1 ? value.ToString() : null;
            if (c == '\\')
            {
                if (++i == text.Length || text[i] is not ('"' or '\\')) return null;
                c = text[i];
            }
            if (c is < ' ' or > '~') return null;
            value.Append(c);
        }
        return null;
    }
}
