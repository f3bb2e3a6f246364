using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Turnpike.Protocols.Http;

/// <summary>The JSON Canonicalization Scheme (RFC 8785), for the integers-only JSON that payment terms are made of.</summary>
/// <remarks>
/// Members are ordered by UTF-16 code units, there is no white space, strings are escaped as ECMAScript does. Refused
/// with null, never with an exception: numbers that are not plain integers below 2^53 in magnitude (floating point
/// is spelt differently by different writers), duplicate keys, lone surrogates, more than 32 levels.
/// </remarks>
public static class CanonicalJson
{
    public const int MaxDepth = StrictJson.MaxDepth;

    private const long Unsafe = 1L << 53;

    private static readonly SearchValues<char> Escaped = SearchValues.Create(
        "\"\\\0\x01\x02\x03\x04\x05\x06\a\b\t\n\v\f\r\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f");

    public static byte[]? ToBytes(ReadOnlySpan<byte> json) => StrictJson.Parse(json) is { } element ? ToBytes(element) : null;

    public static byte[]? ToBytes(JsonElement element)
    {
        var target = new ArrayBufferWriter<byte>(256);
        try
        {
            return Write(element, target, 0) ? target.WrittenSpan.ToArray() : null;
        }
        catch (InvalidOperationException)
        {
            return null; // a lone surrogate: the runtime throws on reading the text
        }
    }

    public static string? ToText(JsonElement element) => ToBytes(element) is { } bytes ? Encoding.UTF8.GetString(bytes) : null;

    public static string? ToText(string json) => ToBytes(Encoding.UTF8.GetBytes(json)) is { } bytes ? Encoding.UTF8.GetString(bytes) : null;

    /// <summary>A flat object of strings, without a parser in between; null for a duplicate key or a lone surrogate.</summary>
    public static byte[]? ToBytes(params ReadOnlySpan<KeyValuePair<string, string>> members)
    {
        var sorted = members.ToArray();
        Array.Sort(sorted, static (a, b) => string.CompareOrdinal(a.Key, b.Key));
        var target = new ArrayBufferWriter<byte>(256);
        target.Write("{"u8);
        for (var i = 0; i < sorted.Length; i++)
        {
            if (HasLoneSurrogate(sorted[i].Key) || HasLoneSurrogate(sorted[i].Value)) return null;
            if (i > 0)
            {
                if (sorted[i].Key == sorted[i - 1].Key) return null;
                target.Write(","u8);
            }
            WriteString(sorted[i].Key, target);
            target.Write(":"u8);
            WriteString(sorted[i].Value, target);
        }
        target.Write("}"u8);
        return target.WrittenSpan.ToArray();
    }

    private static bool HasLoneSurrogate(string text)
    {
        for (var i = text.AsSpan().IndexOfAnyInRange('\ud800', '\udfff'); i >= 0 && i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1])) return true;
            i++;
        }
        return false;
    }

    private static bool Write(JsonElement element, ArrayBufferWriter<byte> target, int depth)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object: return depth < MaxDepth && WriteObject(element, target, depth + 1);
            case JsonValueKind.Array: return depth < MaxDepth && WriteArray(element, target, depth + 1);
            case JsonValueKind.String: WriteString(element.GetString()!, target); return true;
            case JsonValueKind.Number: return WriteInteger(element, target);
            case JsonValueKind.True: target.Write("true"u8); return true;
            case JsonValueKind.False: target.Write("false"u8); return true;
            case JsonValueKind.Null: target.Write("null"u8); return true;
            default: return false;
        }
    }

    private static bool WriteObject(JsonElement element, ArrayBufferWriter<byte> target, int depth)
    {
        var members = new List<(string Name, JsonElement Value)>();
        foreach (var member in element.EnumerateObject()) members.Add((member.Name, member.Value));
        members.Sort(static (a, b) => string.CompareOrdinal(a.Name, b.Name));

        target.Write("{"u8);
        for (var i = 0; i < members.Count; i++)
        {
            if (i > 0)
            {
                if (members[i].Name == members[i - 1].Name) return false;
                target.Write(","u8);
            }
            WriteString(members[i].Name, target);
            target.Write(":"u8);
            if (!Write(members[i].Value, target, depth)) return false;
        }
        target.Write("}"u8);
        return true;
    }

    private static bool WriteArray(JsonElement element, ArrayBufferWriter<byte> target, int depth)
    {
        target.Write("["u8);
        var first = true;
        foreach (var item in element.EnumerateArray())
        {
            if (!first) target.Write(","u8);
            first = false;
            if (!Write(item, target, depth)) return false;
        }
        target.Write("]"u8);
        return true;
    }

    private static bool WriteInteger(JsonElement element, ArrayBufferWriter<byte> target)
    {
        var text = element.GetRawText();
        if (text.AsSpan().ContainsAny('.', 'e', 'E')) return false;
        if (!long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)) return false;
        if (value is <= -Unsafe or >= Unsafe) return false;
        Span<byte> digits = stackalloc byte[20];
        value.TryFormat(digits, out var length, provider: CultureInfo.InvariantCulture); // -0 becomes 0, as RFC 8785 §3.2.2.3 wants
        target.Write(digits[..length]);
        return true;
    }

    private static void WriteString(string text, ArrayBufferWriter<byte> target)
    {
        target.Write("\""u8);
        var rest = text.AsSpan();
        while (rest.Length > 0)
        {
            var special = rest.IndexOfAny(Escaped);
            var plain = special < 0 ? rest : rest[..special];
            var room = target.GetSpan(Encoding.UTF8.GetMaxByteCount(plain.Length));
            target.Advance(Encoding.UTF8.GetBytes(plain, room));
            if (special < 0) break;
            WriteEscape(rest[special], target);
            rest = rest[(special + 1)..];
        }
        target.Write("\""u8);
    }

    private static void WriteEscape(char c, ArrayBufferWriter<byte> target)
    {
        switch (c)
        {
            case '"': target.Write("\\\""u8); break;
            case '\\': target.Write("\\\\"u8); break;
            case '\b': target.Write("\\b"u8); break;
            case '\t': target.Write("\\t"u8); break;
            case '\n': target.Write("\\n"u8); break;
            case '\f': target.Write("\\f"u8); break;
            case '\r': target.Write("\\r"u8); break;
            default:
                target.Write("\\u00"u8);
                target.Write([(byte)('0' + (c >> 4)), (byte)((c & 0xf) < 10 ? '0' + (c & 0xf) : 'a' + (c & 0xf) - 10)]);
                break;
        }
    }
}
