using System.Globalization;
using Turnpike.Catalog;

namespace Turnpike.Tests.Catalog;

/// <summary>Where periods begin and end, by the owner's calendar.</summary>
public sealed class PeriodTests
{
    [Theory]
    [InlineData("1m", null, "UTC", "2026-11-21T12:00:59Z", "2026-11-21T12:00:00Z", "2026-11-21T12:01:00Z")]
    [InlineData("1m", null, "UTC", "2026-11-21T12:01:00Z", "2026-11-21T12:01:00Z", "2026-11-21T12:02:00Z")]
    [InlineData("5h", "2026-11-21T01:00", "UTC", "2026-11-21T00:59:59Z", "2026-11-20T20:00:00Z", "2026-11-21T01:00:00Z")]
    [InlineData("1mo", null, "UTC", "2026-02-28T23:59:59Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z")]
    [InlineData("1mo", "2026-01-31", "UTC", "2026-02-28T00:00:00Z", "2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z")]
    [InlineData("1mo", "2026-01-31", "UTC", "2028-02-29T00:00:00Z", "2028-02-29T00:00:00Z", "2028-03-31T00:00:00Z")]
    [InlineData("1mo", "2026-01-31", "UTC", "2026-02-27T23:59:59Z", "2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z")]
    [InlineData("3mo", "2026-02-15", "UTC", "2025-12-01T00:00:00Z", "2025-11-15T00:00:00Z", "2026-02-15T00:00:00Z")]
    // 29 March 2026: a day of 23 hours in Berlin; 25 October one of 25.
    [InlineData("1d", null, "Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z")]
    [InlineData("1d", null, "Europe/Berlin", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z")]
    // 02:30 does not exist on 29 March: the period begins when the clocks have moved on.
    [InlineData("1d", "2026-01-01T02:30", "Europe/Berlin", "2026-03-29T03:00:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z")]
    // 02:30 comes twice on 25 October: the first one counts.
    [InlineData("1d", "2026-01-01T02:30", "Europe/Berlin", "2026-10-25T01:00:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z")]
    [InlineData("1mo", null, "America/New_York", "2026-11-01T03:59:59Z", "2026-10-01T04:00:00Z", "2026-11-01T04:00:00Z")]
    public void A_moment_falls_into_one_period(string per, string? anchor, string zone, string now, string start, string end)
    {
        var unit = per.EndsWith("mo", StringComparison.Ordinal) ? "mo" : per[^1..];
        var period = new Period(int.Parse(per[..^unit.Length], CultureInfo.InvariantCulture), unit, anchor is null ? Period.DefaultAnchor : DateTime.Parse(anchor, CultureInfo.InvariantCulture), TimeZoneInfo.FindSystemTimeZoneById(zone));
        var (from, to) = period.At(DateTimeOffset.Parse(now, CultureInfo.InvariantCulture));
        (from.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture), to.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)).ShouldBe((start, end));
    }

    [Theory]
    [InlineData("Europe/Berlin", "1d", "2026-01-01T02:30")]
    [InlineData("America/New_York", "7d", "2026-01-05T00:00")]
    [InlineData("Australia/Lord_Howe", "1d", "2026-01-01T02:15")]
    [InlineData("UTC", "1mo", "2024-01-31T00:00")]
    public void Periods_of_four_years_follow_each_other_without_gap_or_overlap(string zone, string per, string anchor)
    {
        var unit = per.EndsWith("mo", StringComparison.Ordinal) ? "mo" : per[^1..];
        var period = new Period(int.Parse(per[..^unit.Length], CultureInfo.InvariantCulture), unit, DateTime.Parse(anchor, CultureInfo.InvariantCulture), TimeZoneInfo.FindSystemTimeZoneById(zone));
        var now = new DateTimeOffset(2024, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var before = period.At(now);
        for (var i = 0; i < 4 * 366 * 24; i++, now += TimeSpan.FromHours(1))
        {
            var at = period.At(now);
            (at.Start <= now && now < at.End).ShouldBeTrue($"{now:u} is not in {at.Start:u} to {at.End:u}");
            (at == before || at.Start == before.End).ShouldBeTrue($"{at.Start:u} does not follow {before.End:u}");
            before = at;
        }
    }
}
