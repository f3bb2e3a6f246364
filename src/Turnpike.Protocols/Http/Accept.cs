namespace Turnpike.Protocols.Http;

/// <summary>Reads one wish out of an <c>Accept</c> header: is this a browser that wants to show a page?</summary>
public static class Accept
{
    /// <summary>
    /// True if <c>text/html</c> is wanted more than <c>application/json</c> and <c>application/problem+json</c>. False
    /// for <c>*/*</c> alone, for a tie and for no header: agents get JSON.
    /// </summary>
    public static bool PrefersHtml(string? accept)
    {
        if (string.IsNullOrEmpty(accept)) return false;
        var html = Quality(accept, "text", "html");
        return html > 0 && html > Quality(accept, "application", "json") && html > Quality(accept, "application", "problem+json");
    }

    // The most specific range that matches decides (RFC 9110 §12.5.1).
    private static int Quality(ReadOnlySpan<char> accept, ReadOnlySpan<char> type, ReadOnlySpan<char> subtype)
    {
        var best = -1;
        var quality = 0;
        foreach (var part in accept.Split(','))
        {
            var range = accept[part].Trim(" \t");
            var semicolon = range.IndexOf(';');
            var media = (semicolon < 0 ? range : range[..semicolon]).Trim(" \t");
            var specificity = Specificity(media, type, subtype);
            if (specificity < best || specificity < 0) continue;
            if (QValue.OfParameters(semicolon < 0 ? [] : range[(semicolon + 1)..]) is not { } q) continue;
            quality = specificity == best ? Math.Max(q, quality) : q;
            best = specificity;
        }
        return quality;
    }

    private static int Specificity(ReadOnlySpan<char> media, ReadOnlySpan<char> type, ReadOnlySpan<char> subtype)
    {
        var slash = media.IndexOf('/');
        if (slash < 0) return -1;
        var left = media[..slash];
        var right = media[(slash + 1)..];
        if (left is "*" && right is "*") return 0;
        if (!left.Equals(type, StringComparison.OrdinalIgnoreCase)) return -1;
        if (right is "*") return 1;
        return right.Equals(subtype, StringComparison.OrdinalIgnoreCase) ? 2 : -1;
    }
}
