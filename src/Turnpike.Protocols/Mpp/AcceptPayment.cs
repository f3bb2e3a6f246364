using Turnpike.Protocols.Http;

namespace Turnpike.Protocols.Mpp;

/// <summary>Which offers a caller would pay, from <c>Accept-Payment: tempo/charge, stripe/charge;q=0.5, */session;q=0</c>.</summary>
public sealed class AcceptPayment
{
    private const int MaxRanges = 64;
    private const string Anything = "*";

    private readonly Range[] ranges;

    private AcceptPayment(Range[] ranges) => this.ranges = ranges;

    /// <summary>What an absent header means.</summary>
    public static AcceptPayment Any { get; } = new([new Range(Anything, Anything, QValue.One)]);

    /// <summary>Reads the header; malformed ranges are skipped, and if none is left anything is accepted.</summary>
    public static AcceptPayment Parse(string? header)
    {
        if (string.IsNullOrWhiteSpace(header)) return Any;
        var ranges = new List<Range>();
        foreach (var part in header.AsSpan().Split(','))
        {
            if (ranges.Count < MaxRanges && ReadRange(header.AsSpan()[part].Trim(" \t")) is { } range) ranges.Add(range);
        }
        return ranges.Count == 0 ? Any : new AcceptPayment([.. ranges]);
    }

    /// <summary>How much this offer is wanted, in thousandths; 0 means not at all. The most specific range decides; on a tie the higher.</summary>
    public int Rank(string method, string intent)
    {
        var best = -1;
        var quality = 0;
        foreach (var range in ranges)
        {
            if (range.Method != Anything && range.Method != method) continue;
            if (range.Intent != Anything && range.Intent != intent) continue;
            var specificity = (range.Method != Anything ? 1 : 0) + (range.Intent != Anything ? 1 : 0);
            if (specificity < best) continue;
            quality = specificity > best ? range.Quality : Math.Max(quality, range.Quality);
            best = specificity;
        }
        return quality;
    }

    private static Range? ReadRange(ReadOnlySpan<char> text)
    {
        var semicolon = text.IndexOf(';');
        var name = (semicolon < 0 ? text : text[..semicolon]).Trim(" \t");
        var slash = name.IndexOf('/');
        if (slash <= 0 || slash == name.Length - 1) return null;
        if (QValue.OfParameters(semicolon < 0 ? [] : text[(semicolon + 1)..]) is not { } quality) return null;
        return new Range(name[..slash].ToString(), name[(slash + 1)..].ToString(), quality);
    }

    private sealed record Range(string Method, string Intent, int Quality);
}
