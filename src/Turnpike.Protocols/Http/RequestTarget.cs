using System.Buffers;

namespace Turnpike.Protocols.Http;

/// <summary>Turns a raw request target into the one string that is matched, priced, bound, logged and forwarded.</summary>
/// <remarks>
/// A gateway that matches one reading of a path and forwards another can be made to serve the dear route at the cheap
/// route's price. So whatever two servers may read differently is refused, not repaired.
/// </remarks>
public static class RequestTarget
{
    /// <summary>Longest target taken and longest canonical target given, in characters.</summary>
    public const int MaxLength = 8 * 1024;

    private static readonly SearchValues<char> HostCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_:[]");

    // Everything printable but '#' and '%': a query is opaque to us and goes on as it came.
    private static readonly SearchValues<char> PlainQuery =
        SearchValues.Create("!\"$&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~");

    /// <summary>
    /// Canonicalises <paramref name="rawTarget"/> (origin-form, absolute-form or <c>*</c>; RFC 9112 §3.2), exactly once.
    /// </summary>
    /// <returns>
    /// The canonical target, the same string instance if it already was canonical; or a reason from
    /// <see cref="TargetErrors"/>. Never throws.
    /// </returns>
    /// <remarks>
    /// Path: encoded unreserved characters are decoded (<c>%41</c> is <c>A</c>), other encodings get upper-case digits,
    /// printable characters that may not stand raw in a path (<c>[ ] { } | ^ " &lt; &gt; `</c>) are encoded. Refused:
    /// encoded slash, backslash, dot, percent or control, raw backslash, doubled slash, dot segments, also behind a
    /// segment parameter, invalid percent, invalid or overlong UTF-8, anything raw outside printable ASCII.
    /// Query: verbatim, but an invalid percent, an encoded NUL, CR or LF and anything raw outside printable ASCII are refused.
    /// </remarks>
    public static TargetResult Canonicalise(string? rawTarget)
    {
        if (string.IsNullOrEmpty(rawTarget)) return TargetResult.Refused(TargetErrors.Empty);
        if (rawTarget.Length > MaxLength) return TargetResult.Refused(TargetErrors.TooLong);
        if (rawTarget[0] == '/') return Canonicalise(rawTarget, 0);
        if (rawTarget == "*") return TargetResult.Of(rawTarget, 1);
        return ReduceAbsolute(rawTarget);
    }

    private static TargetResult Canonicalise(string target, int start)
    {
        var rest = target.AsSpan(start);
        var mark = rest.IndexOf('?');
        var path = mark < 0 ? rest : rest[..mark];
        var query = mark < 0 ? [] : rest[mark..];

        if (CheckQuery(query) is { } refused) return TargetResult.Refused(refused);
        if (start == 0 && TargetPath.IsPlainlyCanonical(path)) return TargetResult.Of(target, path.Length);

        var buffer = ArrayPool<char>.Shared.Rent(MaxLength);
        try
        {
            var canonical = buffer.AsSpan(0, MaxLength);
            if (TargetPath.Write(path, canonical, out var length) is { } error) return TargetResult.Refused(error);
            if (length + query.Length > MaxLength) return TargetResult.Refused(TargetErrors.TooLong);
            canonical = canonical[..length];
            if (TargetPath.CheckSegments(canonical) is { } ambiguous) return TargetResult.Refused(ambiguous);
            var value = start == 0 && canonical.SequenceEqual(path) ? target : string.Concat(canonical, query);
            return TargetResult.Of(value, length);
        }
        finally
        {
            ArrayPool<char>.Shared.Return(buffer);
        }
    }

    private static TargetResult ReduceAbsolute(string target)
    {
        var scheme = target.StartsWith("http://", StringComparison.OrdinalIgnoreCase) ? 7
                   : target.StartsWith("https://", StringComparison.OrdinalIgnoreCase) ? 8
                   : 0;
        if (scheme == 0) return TargetResult.Refused(TargetErrors.Form);

        var rest = target.AsSpan(scheme);
        var end = rest.IndexOfAny('/', '?', '#');
        var authority = end < 0 ? rest : rest[..end];
        // No user info, no backslash: "http://a\@b/" is read as host a by some and as host b by others.
        if (authority.IsEmpty || authority.ContainsAnyExcept(HostCharacters)) return TargetResult.Refused(TargetErrors.Form);
        if (end < 0) return TargetResult.Of("/", 1);
        return rest[end] switch
        {
            '/' => Canonicalise(target, scheme + end),
            '?' => Canonicalise("/" + target[(scheme + end)..], 0),
            _ => TargetResult.Refused(TargetErrors.Fragment),
        };
    }

    private static string? CheckQuery(ReadOnlySpan<char> query)
    {
        while (true)
        {
            var odd = query.IndexOfAnyExcept(PlainQuery);
            if (odd < 0) return null;
            if (query[odd] == '#') return TargetErrors.Fragment;
            if (query[odd] != '%') return TargetErrors.RawCharacter;
            var value = TargetPath.PercentValue(query[odd..]);
            if (value < 0) return TargetErrors.InvalidPercent;
            // CR LF splits headers and log lines of whoever decodes this; NUL truncates.
            if (value is 0x00 or 0x0a or 0x0d) return TargetErrors.EncodedControl;
            query = query[(odd + 3)..];
        }
    }
}
