using System.Globalization;
using System.Numerics;
using Turnpike.Ledger;

namespace Turnpike.Catalog.Document;

/// <summary>The scalars of the language.</summary>
internal static class Shapes
{
    private static readonly (string Suffix, long Seconds)[] TimeUnits = [("mo", 30 * 86_400), ("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)];

    public static readonly Shape<string> Text = new ScalarShape<string>("text", (string t, out string? v) => (v = t.Trim()).Length == 0 ? "is empty" : null);

    public static readonly Shape<bool> Flag = new ScalarShape<bool>("true or false",
        (string t, out bool v) => (v = t == "true") || t == "false" ? null : "is neither true nor false", type: "boolean");

    public static readonly Shape<TimeSpan> Duration = new ScalarShape<TimeSpan>("a duration such as 30s, 5m, 1h, 1d or 1mo",
        (string t, out TimeSpan v) => TryDuration(t, out v) ? null : "is no duration; write 30s, 5m, 1h, 1d or 1mo", "^[1-9][0-9]*(s|m|h|d|mo)$");

    /// <summary>A number of bytes, <c>64KiB</c> or <c>1MiB</c>, at most 64 MiB.</summary>
    public static readonly Shape<long> Size = new ScalarShape<long>("a size such as 64KiB or 1MiB",
        (string t, out long v) =>
        {
            var unit = t.EndsWith("MiB", StringComparison.Ordinal) ? 1 << 20 : t.EndsWith("KiB", StringComparison.Ordinal) ? 1 << 10 : 0;
            if (unit == 0 || !long.TryParse(t.AsSpan(0, t.Length - 3), NumberStyles.None, CultureInfo.InvariantCulture, out v)) { v = 0; return "is no size; write 64KiB or 1MiB"; }
            if (v < 1 || v > (64 << 20) / unit) return "is no size from 1KiB to 64MiB";
            v *= unit;
            return null;
        }, "^[1-9][0-9]*(KiB|MiB)$");

    /// <summary>An amount above zero of a currency.</summary>
    public static readonly Shape<Money> Money = new ScalarShape<Money>("an amount of money such as 0.01 USD",
        (string t, out Money v) => !Ledger.Money.TryParse(t, out v) || !Ledger.Money.IsMoney(v.Currency) ? "is no amount of money; write 0.01 USD, at most nine decimals"
            : v.IsZero ? "is nothing; an amount is above zero" : null,
        @"^[0-9]+(\.[0-9]{1,9})? +[A-Z]{3}$");

    /// <summary>An http or https address that things are appended to: no user, query or fragment.</summary>
    public static readonly Shape<Uri> Url = HttpUrl(hidden: false);

    /// <summary>The same for addresses that often carry a key; errors do not show them, and they may have a query.</summary>
    public static readonly Shape<Uri> KeyedUrl = HttpUrl(hidden: true);

    public static Shape<long> Integer(long least, long most) => new ScalarShape<long>($"a whole number from {least} to {most}",
        (string t, out long v) => long.TryParse(t, NumberStyles.None, CultureInfo.InvariantCulture, out v) && v >= least && v <= most
            ? null : $"is no whole number from {least} to {most}", type: "integer");

    /// <summary>A count of one unit, <c>60 requests</c>.</summary>
    public static Shape<long> Count(string unit) => new ScalarShape<long>($"a quantity such as 60 {unit}",
        (string t, out long v) =>
        {
            v = 0;
            if (!Ledger.Money.TryParse(t, out var quantity) || quantity.Currency != unit) return $"is no number of {unit}; write 60 {unit}";
            v = quantity.Units;
            return v == 0 ? $"is nothing; at least 1 {unit} is wanted" : null;
        }, $"^[1-9][0-9]* +{unit}$");

    /// <summary>A duration as <c>check</c> tells it: <c>1 hour 30 minutes</c>.</summary>
    public static string Tell(TimeSpan span)
    {
        (long Count, string Unit)[] parts = [(span.Days, "day"), (span.Hours, "hour"), (span.Minutes, "minute"), (span.Seconds, "second")];
        return string.Join(' ', parts.Where(p => p.Count > 0).Select(p => $"{p.Count} {p.Unit}{(p.Count == 1 ? "" : "s")}"));
    }

    /// <summary>A whole positive number of seconds, minutes, hours, days or months of 30 days, at most ten years.</summary>
    public static bool TryDuration(string text, out TimeSpan span)
    {
        span = default;
        var digits = text.TrimEnd('s', 'm', 'o', 'h', 'd');
        var unit = TimeUnits.FirstOrDefault(u => text.AsSpan(digits.Length).SequenceEqual(u.Suffix)).Seconds;
        if (unit == 0 || !long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var count)) return false;
        if (count < 1 || (BigInteger)count * unit > 10L * 365 * 86_400) return false;
        span = TimeSpan.FromSeconds(count * unit);
        return true;
    }

    private static Shape<Uri> HttpUrl(bool hidden) => new ScalarShape<Uri>("a URL, http:// or https://",
        (string t, out Uri? v) =>
        {
            if (!Uri.TryCreate(t, UriKind.Absolute, out v) || v.Scheme is not ("http" or "https") || v.Host.Length == 0) return "is no http:// or https:// URL";
            if (v.UserInfo.Length > 0) return "carries a user or password; give them as a header";
            if (v.Fragment.Length > 0 || !hidden && v.Query.Length > 0) return hidden ? "has a fragment" : "has a query or fragment";
            return null;
        }, "^https?://", hidden);
}
