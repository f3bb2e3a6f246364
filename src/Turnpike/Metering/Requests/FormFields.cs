using System.Text;

namespace Turnpike.Metering.Requests;

/// <summary>One short field of a form with files (RFC 7578), found without a copy of the files beside it.</summary>
internal static class FormFields
{
    private const int LongestBoundary = 70, LongestValue = 1024; // RFC 2046, 5.1.1

    /// <summary>The boundary of a <c>multipart/form-data</c> body; null for any other type.</summary>
    public static string? BoundaryOf(string contentType)
    {
        if (!contentType.StartsWith("multipart/form-data", StringComparison.OrdinalIgnoreCase)) return null;
        foreach (var part in contentType.Split(';', StringSplitOptions.TrimEntries))
            if (part.StartsWith("boundary=", StringComparison.OrdinalIgnoreCase) && part["boundary=".Length..].Trim('"') is { Length: > 0 and <= LongestBoundary } boundary) return boundary;
        return "";
    }

    /// <summary>
    /// The text of the field; null where there is none. False for a form that cannot be relied on: no form at all, or one that has the
    /// field twice, of which another reader might take the other.
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
            if (!rest.StartsWith("\r\n"u8) || end < 0 || head < 0 || head > end) return false;
            if (NameOf(Encoding.UTF8.GetString(rest[2..head])) == name)
            {
                if (value is not null || end - head - 4 is < 0 or > LongestValue) return false;
                value = Encoding.UTF8.GetString(rest[(head + 4)..end]);
            }
            rest = rest[(end + line.Length)..];
        }
    }

    /// <summary>The name of a part that is no file.</summary>
    private static string? NameOf(string head)
    {
        var said = head.Split("\r\n").FirstOrDefault(h => h.StartsWith("content-disposition:", StringComparison.OrdinalIgnoreCase));
        string? name = null;
        foreach (var parameter in said?.Split(';', StringSplitOptions.TrimEntries) ?? [])
            if (parameter.StartsWith("name=", StringComparison.OrdinalIgnoreCase)) name = parameter["name=".Length..].Trim('"');
        return name;
    }
}
