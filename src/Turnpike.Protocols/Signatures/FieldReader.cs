using System.Globalization;
using System.Text;
using Turnpike.Protocols.Http;

namespace Turnpike.Protocols.Signatures;

/// <summary>
/// One pass over a structured field (RFC 9651 §4.2), as far as message signatures need it: dictionaries of items and inner lists,
/// with strings, tokens, integers, byte sequences and booleans. Decimals, dates and display strings are refused.
/// </summary>
internal ref struct FieldReader(ReadOnlySpan<char> text)
{
    private const int MaxMembers = 32;
    private ReadOnlySpan<char> rest = text;

    /// <summary>A dictionary, or null when it is malformed. A key that comes again replaces what came before (§4.2.2).</summary>
    public static Dictionary<string, FieldMember>? ReadDictionary(string text)
    {
        var reader = new FieldReader(text.AsSpan().Trim(' '));
        var members = new Dictionary<string, FieldMember>(StringComparer.Ordinal);
        while (true)
        {
            if (reader.Key() is not { } key || members.Count == MaxMembers || reader.Value() is not { } value) return null;
            members[key] = value;
            reader.Space();
            if (reader.rest.IsEmpty) return members;
            if (!reader.Take(',')) return null;
            reader.Space();
            if (reader.rest.IsEmpty) return null;
        }
    }

    /// <summary>A single item, or null.</summary>
    public static FieldItem? ReadItem(string text)
    {
        var reader = new FieldReader(text.AsSpan().Trim(' '));
        return reader.Item() is { } item && reader.rest.IsEmpty ? item : null;
    }

    private FieldMember? Value()
    {
        if (!Take('=')) return Parameters() is { } bare ? new FieldMember(new FieldItem(true, bare), null) : null;
        if (rest.IsEmpty || rest[0] != '(') return Item() is { } item ? new FieldMember(item, null) : null;
        rest = rest[1..];
        var items = new List<FieldItem>();
        while (true)
        {
            var before = rest.Length;
            while (Take(' ')) { }
            if (Take(')')) return Parameters() is { } parameters ? new FieldMember(new FieldItem(false, parameters), items) : null;
            // Items stand apart from each other.
            if (items.Count > 0 && rest.Length == before || items.Count == MaxMembers || Item() is not { } one) return null;
            items.Add(one);
        }
    }

    private FieldItem? Item() => Bare() is { } value && Parameters() is { } parameters ? new FieldItem(value, parameters) : null;

    private List<KeyValuePair<string, object>>? Parameters()
    {
        var found = new List<KeyValuePair<string, object>>();
        while (Take(';'))
        {
            while (Take(' ')) { }
            if (Key() is not { } key || found.Count == MaxMembers) return null;
            object? value = true;
            if (Take('=') && (value = Bare()) is null) return null;
            // Two readers might each believe another one; the grammar's last one is the sender's only in the grammar.
            if (found.Exists(p => p.Key == key)) return null;
            found.Add(new(key, value));
        }
        return found;
    }

    private string? Key()
    {
        var length = 0;
        while (length < rest.Length && (char.IsAsciiLetterLower(rest[length]) || rest[length] == '*' || length > 0 && (char.IsAsciiDigit(rest[length]) || rest[length] is '_' or '-' or '.'))) length++;
        if (length == 0) return null;
        var key = rest[..length].ToString();
        rest = rest[length..];
        return key;
    }

    private object? Bare()
    {
        if (rest.IsEmpty) return null;
        return rest[0] switch
        {
            '"' => String(),
            ':' => Bytes(),
            '?' => Boolean(),
            '-' or (>= '0' and <= '9') => Integer(),
            _ => Token(),
        };
    }

    private string? String()
    {
        var value = new StringBuilder();
        for (var i = 1; i < rest.Length; i++)
        {
            var c = rest[i];
            if (c == '"') { rest = rest[(i + 1)..]; return value.ToString(); }
            if (c == '\\' && (++i == rest.Length || (c = rest[i]) is not ('"' or '\\'))) return null;
            if (c is < ' ' or > '~') return null;
            value.Append(c);
        }
        return null;
    }

    private byte[]? Bytes()
    {
        var end = rest[1..].IndexOf(':');
        if (end < 0) return null;
        var inside = rest.Slice(1, end);
        rest = rest[(end + 2)..];
        return inside.ContainsAny('-', '_') ? null : Base64Url.DecodeLenient(inside);
    }

    private object? Boolean()
    {
        if (rest.Length < 2 || rest[1] is not ('0' or '1')) return null;
        var value = rest[1] == '1';
        rest = rest[2..];
        return value;
    }

    private object? Integer()
    {
        var length = rest[0] == '-' ? 1 : 0;
        while (length < rest.Length && char.IsAsciiDigit(rest[length])) length++;
        if (length is 0 or > 16 || length < rest.Length && rest[length] == '.' || !long.TryParse(rest[..length], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)) return null;
        rest = rest[length..];
        return value;
    }

    private FieldToken? Token()
    {
        if (!char.IsAsciiLetter(rest[0]) && rest[0] != '*') return null;
        var length = 1;
        while (length < rest.Length && (char.IsAsciiLetterOrDigit(rest[length]) || "!#$%&'*+-.^_`|~:/".Contains(rest[length], StringComparison.Ordinal))) length++;
        var token = new FieldToken(rest[..length].ToString());
        rest = rest[length..];
        return token;
    }

    private bool Take(char c)
    {
        if (rest.IsEmpty || rest[0] != c) return false;
        rest = rest[1..];
        return true;
    }

    private void Space() => rest = rest.TrimStart(" \t");
}

/// <summary>An item with its parameters in the order received: a string, <see cref="FieldToken"/>, long, byte array or bool.</summary>
internal sealed record FieldItem(object Value, List<KeyValuePair<string, object>> Parameters)
{
    public object? this[string name] => Parameters.Find(p => p.Key == name).Value;

    /// <summary>The item as RFC 9651 §4.1.3 writes it.</summary>
    public StringBuilder Write(StringBuilder to) => WriteParameters(WriteBare(to, Value));

    public StringBuilder WriteParameters(StringBuilder to)
    {
        foreach (var (key, value) in Parameters)
        {
            to.Append(';').Append(key);
            if (value is not true) WriteBare(to.Append('='), value);
        }
        return to;
    }

    private static StringBuilder WriteBare(StringBuilder to, object value) => value switch
    {
        string text => to.Append(StructuredFields.String(text)),
        FieldToken token => to.Append(token.Text),
        long number => to.Append(CultureInfo.InvariantCulture, $"{number}"),
        byte[] bytes => to.Append(':').Append(Convert.ToBase64String(bytes)).Append(':'),
        bool flag => to.Append(flag ? "?1" : "?0"),
        _ => throw new ArgumentException("no bare item", nameof(value)),
    };
}

/// <summary>A bare word.</summary>
internal sealed record FieldToken(string Text);

/// <summary>A member of a dictionary: an item, or a list of items whose parameters are those of <see cref="Item"/>.</summary>
internal sealed record FieldMember(FieldItem Item, List<FieldItem>? Items)
{
    /// <summary>The member's value as RFC 9651 §4.1 writes it.</summary>
    public StringBuilder Write(StringBuilder to)
    {
        if (Items is null) return Item.Write(to);
        to.Append('(');
        for (var i = 0; i < Items.Count; i++) Items[i].Write(i > 0 ? to.Append(' ') : to);
        return Item.WriteParameters(to.Append(')'));
    }
}
