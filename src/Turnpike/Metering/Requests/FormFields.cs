using System.Text;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Turnpike.Metering.Requests;

/// <summary>One short field of a form with files (RFC 7578), found without a copy of the files beside it.</summary>
internal static class FormFields
{
    private const string Disposition = "content-disposition";

    private const int LongestBoundary = 70, LongestValue = 1024; // RFC 2046, 5.1.1

    /// <summary>The boundary of a <c>multipart/form-data</c> body; null for any other type.</summary>
    public static string? BoundaryOf(string contentType)
    {
        if (!contentType.StartsWith("multipart/form-data", StringComparison.OrdinalIgnoreCase)) return null;
        return MediaTypeHeaderValue.TryParse(contentType, out var type) && type.Parameters.Count(p => IsBegunBy(p.Name, "boundary")) == 1 && HeaderUtilities.RemoveQuotes(type.Boundary).ToString() is { Length: > 0 and <= LongestBoundary } boundary ? boundary : "";
    }

    /// <summary>
    /// The text of the field; null where there is none. False for a form that cannot be relied on: no form at all, one that has the
    /// field twice, of which another reader might take the other, or one with a part whose name not everybody reads alike.
    /// </summary>
    public static bool TryFind(ReadOnlySpan<byte> body, string boundary, string name, out string? value)
    {
        value = null;
        ReadOnlySpan<byte> line = Encoding.ASCII.GetBytes("\r\n--" + boundary);
        if (boundary.Length == 0 || !body.StartsWith(line[2..])) return false;
        for (var rest = body[(line.Length - 2)..]; ;)
        {
            if (rest.StartsWith("--"u8)) return true;
            var end = rest.IndexOf(line);
            var head = rest.IndexOf("\r\n\r\n"u8);
            if (!rest.StartsWith("\r\n"u8) || end < 0 || head < 2 || head > end) return false;
            if (NameOf(Encoding.UTF8.GetString(rest[2..head])) is not { } part) return false;
            if (part == name)
            {
                if (value is not null || end - head - 4 is < 0 or > LongestValue) return false;
                value = Encoding.UTF8.GetString(rest[(head + 4)..end]);
            }
            rest = rest[(end + line.Length)..];
        }
    }

    /// <summary>The name of a part; null where it has none, or may be taken for another: a folded line, a header or a parameter twice, a name in another character set.</summary>
    private static string? NameOf(string head)
    {
        var lines = head.Split("\r\n");
        if (lines.Any(line => line.Length == 0 || line[0] is ' ' or '\t' || line.AsSpan().IndexOfAny('\r', '\n') >= 0)) return null;
        var said = lines.Where(line => line.StartsWith(Disposition, StringComparison.OrdinalIgnoreCase)).ToList();
        if (said.Count != 1 || !ContentDispositionHeaderValue.TryParse(said[0][Disposition.Length..].TrimStart(' ', '\t', ':'), out var parsed)) return null;
        return parsed.Parameters.Count(p => IsBegunBy(p.Name, "name")) == 1 && parsed.Name.Length > 0 && parsed.Name.AsSpan().IndexOfAny('\\', ';') < 0 ? HeaderUtilities.RemoveQuotes(parsed.Name).ToString() : null;
    }

    private static bool IsBegunBy(StringSegment name, string word) => name.StartsWith(word, StringComparison.OrdinalIgnoreCase);
}
