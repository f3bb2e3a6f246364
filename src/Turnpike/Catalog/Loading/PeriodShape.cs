using System.Globalization;
using Turnpike.Catalog.Document;
using Turnpike.Ledger;

namespace Turnpike.Catalog.Loading;

/// <summary>The keys of whatever is renewed period by period: <c>per</c>, <c>anchor</c> and <c>time-zone</c>.</summary>
internal static class PeriodShape
{
    private static readonly Key<(int Count, string Unit)> Per = new("per", new ScalarShape<(int, string)>("a period such as 1m, 1h, 1d or 1mo", ReadPer, "^[1-9][0-9]*(s|m|h|d|mo)$"),
        "How often it begins anew: seconds, minutes and hours of fixed length, days and months of the calendar.") { Required = true, Example = "1mo" };
    private static readonly Key<(int Count, string Unit)> MayPer = (Key<(int Count, string Unit)>)Per.Optional("each call alone");
    private static readonly Key<(int Count, string Unit)> OncePer = (Key<(int Count, string Unit)>)Per.Optional("never: in all");
    private static readonly Key<DateTime> Anchor = new("anchor", new ScalarShape<DateTime>("a date or a local time such as 2026-01-15 or 2026-01-15T06:00", ReadAnchor, "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2})?$"),
        "A local time at which one period begins; the others follow from it.") { Default = "midnight, and the first of the month", Example = "2026-01-15" };
    private static readonly Key<TimeZoneInfo> Zone = new("time-zone", new ScalarShape<TimeZoneInfo>("a time zone such as Europe/Berlin", ReadZone),
        "Whose days and months these are.") { Default = "UTC", Example = "Europe/Berlin" };

    public static readonly IReadOnlyList<Key> Keys = [Per, Anchor, Zone];

    /// <summary>An amount of anything that can be counted: money, requests, or a unit of usage.</summary>
    public static readonly Shape<Money> Amount = new ScalarShape<Money>("an amount such as 5 requests, 10000 total_tokens or 10.00 USD",
        (string t, out Money v) => !Money.TryParse(t, out v) ? "is no amount; write 5 requests, 10000 total_tokens or 10.00 USD" : v.IsZero ? "is nothing; an amount is above zero" : CheckUnit(v.Currency),
        @"^[0-9]+(\.[0-9]{1,9})? +([A-Z]{3}|[a-z][a-z_]*)$");

    /// <summary>The same keys where what they belong to may know no periods.</summary>
    public static readonly IReadOnlyList<Key> OptionalKeys = [MayPer, Anchor, Zone];

    /// <summary>The same keys where what they belong to may never begin anew.</summary>
    public static readonly IReadOnlyList<Key> UnendingKeys = [OncePer, Anchor, Zone];

    /// <summary>The period, or null where none is written; false when something of one stands there alone.</summary>
    public static bool TryReadOptional(MapValues m, out Period? period)
    {
        period = m.IsWritten(MayPer) ? Read(m, m.Get(MayPer)) : m.IsWritten(OncePer) ? Read(m, m.Get(OncePer)) : null;
        return period is not null || new Key[] { Anchor, Zone }.All(key => !m.IsWritten(key) || m.Of(key).Refuse("belongs to 'per', which is missing"));
    }

    public static Period Read(MapValues m) => Read(m, m.Get(Per));

    private static Period Read(MapValues m, (int Count, string Unit) per)
    {
        return new Period(per.Count, per.Unit, m.IsWritten(Anchor) ? m.Get(Anchor) : Period.DefaultAnchor, m.Get(Zone) ?? TimeZoneInfo.Utc);
    }

    /// <summary>Reads <c>1d</c>, in UTC.</summary>
    public static bool TryRead(string? text, out Period? period)
    {
        period = text is not null && ReadPer(text, out var per) is null ? new Period(per.Count, per.Unit, Period.DefaultAnchor, TimeZoneInfo.Utc) : null;
        return period is not null;
    }

    private static string? CheckUnit(string unit) =>
        Money.IsMoney(unit) || unit.Length <= 64 && unit.All(c => char.IsAsciiLetterLower(c) || c == '_') ? null : "has no unit that is counted; a unit is lower case, such as requests or total_tokens, money is three capitals";

    private static string? ReadPer(string text, out (int Count, string Unit) per)
    {
        per = default;
        if (!Shapes.TryDuration(text, out _)) return "is no period; write 30s, 1m, 1h, 1d or 1mo";
        var unit = text.EndsWith("mo", StringComparison.Ordinal) ? "mo" : text[^1..];
        per = (int.Parse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.None, CultureInfo.InvariantCulture), unit);
        return null;
    }

    private static string? ReadAnchor(string text, out DateTime anchor) =>
        DateTime.TryParseExact(text, ["yyyy-MM-dd", "yyyy-MM-ddTHH:mm"], CultureInfo.InvariantCulture, DateTimeStyles.None, out anchor) ? null : "is no date or local time; write 2026-01-15 or 2026-01-15T06:00";

    private static string? ReadZone(string text, out TimeZoneInfo? zone) =>
        TimeZoneInfo.TryFindSystemTimeZoneById(text, out zone) ? null : "is no time zone this machine knows; write one such as Europe/Berlin, or leave it out for UTC";
}
