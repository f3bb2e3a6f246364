using System.Buffers;
using System.Text.Unicode;

namespace Turnpike.Protocols.Http;

/// <summary>The path part of a request target: writing its canonical form, refusing what is ambiguous.</summary>
internal static class TargetPath
{
    private const string Unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    // pchar of RFC 3986 §3.3 and '/'; without ';', whose segments need a closer look.
    private static readonly SearchValues<char> Plain = SearchValues.Create(Unreserved + "!$&'()*+,=:@/");

    // Decoded where they come encoded. Also what RFC 3986 §3.3 lets stand plain in a segment: most upstreams take '%3A' for ':', and
    // a dear '/m:generate' must not be had for the price of a wildcard. '+' and ';' stay: there the two spellings do differ.
    private static readonly SearchValues<char> Decoded = SearchValues.Create(Unreserved + "!$&'()*,=:@");

    /// <summary>True if nothing in the path can need a change or a refusal; a vectorised look, no allocation.</summary>
    public static bool IsPlainlyCanonical(ReadOnlySpan<char> path) =>
        !path.ContainsAnyExcept(Plain) && !path.Contains("//", StringComparison.Ordinal) && !path.Contains("/.", StringComparison.Ordinal);

    /// <summary>Writes the canonical form of <paramref name="path"/>; returns the reason if it has none.</summary>
    public static string? Write(ReadOnlySpan<char> path, Span<char> canonical, out int length)
    {
        length = 0;
        for (var i = 0; i < path.Length;)
        {
            if (length == canonical.Length) return TargetErrors.TooLong;
            var c = path[i];
            if (c == '%')
            {
                var value = PercentValue(path[i..]);
                if (Refuse(value) is { } error) return error;
                if (value >= 0x80)
                {
                    if (WriteUtf8(path, ref i, canonical, ref length) is { } invalid) return invalid;
                    continue;
                }
                if (Decoded.Contains((char)value)) canonical[length++] = (char)value;
                else if (!TryWriteEncoded(value, canonical, ref length)) return TargetErrors.TooLong;
                i += 3;
                continue;
            }
            i++;
            if (Plain.Contains(c) || c == ';') canonical[length++] = c;
            else if (c == '\\') return TargetErrors.Backslash;
            else if (c == '#') return TargetErrors.Fragment;
            else if (c is <= ' ' or >= '\x7f') return TargetErrors.RawCharacter;
            else if (!TryWriteEncoded(c, canonical, ref length)) return TargetErrors.TooLong;
        }
        return null;
    }

    /// <summary>Refuses empty and dot segments in a canonical path, also those that hide behind a segment parameter.</summary>
    public static string? CheckSegments(ReadOnlySpan<char> path)
    {
        var rest = path[1..];
        while (true)
        {
            var slash = rest.IndexOf('/');
            var segment = slash < 0 ? rest : rest[..slash];
            if (segment.IsEmpty && slash >= 0) return TargetErrors.DoubledSlash;
            if (segment is "." or "..") return TargetErrors.DotSegment;
            // "/..;/" and "/..%3B/": servlet containers drop the parameter first and then climb.
            var name = segment[..NameLength(segment)];
            if (name.Length < segment.Length && name is ("" or "." or "..")) return TargetErrors.SegmentParameter;
            if (slash < 0) return null;
            rest = rest[(slash + 1)..];
        }
    }

    /// <summary>The byte that <c>%XX</c> at the beginning stands for, or -1.</summary>
    public static int PercentValue(ReadOnlySpan<char> text) =>
        text.Length >= 3 && char.IsAsciiHexDigit(text[1]) && char.IsAsciiHexDigit(text[2])
            ? (FromHex(text[1]) << 4) | FromHex(text[2])
            : -1;

    private static string? Refuse(int value) => value switch
    {
        < 0 => TargetErrors.InvalidPercent,
        < 0x20 or 0x7f => TargetErrors.EncodedControl,
        '/' => TargetErrors.EncodedSlash,
        '\\' => TargetErrors.EncodedBackslash,
        '.' => TargetErrors.EncodedDot,
        '%' => TargetErrors.DoubleEncoding,
        _ => null,
    };

    // A run of encoded bytes from 0x80 up must be whole, shortest-form UTF-8: "%c0%ae" is a dot to a lenient decoder.
    private static string? WriteUtf8(ReadOnlySpan<char> path, ref int at, Span<char> canonical, ref int length)
    {
        Span<byte> sequence = stackalloc byte[4];
        var count = 0;
        while (count < 4)
        {
            var value = at < path.Length && path[at] == '%' ? PercentValue(path[at..]) : -1;
            if (value < 0x80) return TargetErrors.InvalidUtf8;
            sequence[count++] = (byte)value;
            at += 3;
            if (!TryWriteEncoded(value, canonical, ref length)) return TargetErrors.TooLong;
            if (Utf8.IsValid(sequence[..count])) return null;
        }
        return TargetErrors.InvalidUtf8;
    }

    private static bool TryWriteEncoded(int value, Span<char> canonical, ref int length)
    {
        if (length + 3 > canonical.Length) return false;
        canonical[length] = '%';
        canonical[length + 1] = ToHex(value >> 4);
        canonical[length + 2] = ToHex(value & 0xf);
        length += 3;
        return true;
    }

    private static int NameLength(ReadOnlySpan<char> segment)
    {
        var plain = segment.IndexOf(';');
        var encoded = segment.IndexOf("%3B", StringComparison.Ordinal);
        var name = plain < 0 ? segment.Length : plain;
        return encoded < 0 ? name : Math.Min(name, encoded);
    }

    private static char ToHex(int digit) => (char)(digit < 10 ? '0' + digit : 'A' + digit - 10);

    private static int FromHex(char digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}
