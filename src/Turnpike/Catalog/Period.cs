namespace Turnpike.Catalog;

/// <summary>
/// A stretch of time that comes again: minutes and hours of fixed length, days and months of the owner's calendar. It is counted
/// from its anchor, never from the period before, so that a month that began on the 31st does so again.
/// </summary>
/// <param name="Unit">One of <c>s m h d mo</c>.</param>
/// <param name="Anchor">Local time in <paramref name="Zone"/> where one period begins.</param>
internal sealed record Period(int Count, string Unit, DateTime Anchor, TimeZoneInfo Zone)
{
    /// <summary>Where periods begin unless said: midnight, and the first of the month.</summary>
    public static readonly DateTime DefaultAnchor = new(2001, 1, 1, 0, 0, 0, DateTimeKind.Unspecified);

    /// <summary>As it is written: <c>1mo</c>.</summary>
    public string Text => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Count}{Unit}");

    /// <summary>The period this moment falls in; it ends where the next begins.</summary>
    public (DateTimeOffset Start, DateTimeOffset End) At(DateTimeOffset now) => Unit switch
    {
        "mo" => Calendar(now, Months, (anchor, index) => anchor.AddMonths(index * Count)),
        "d" => Calendar(now, Days, (anchor, index) => anchor.AddDays((long)index * Count)),
        _ => Fixed(now),
    };

    private (DateTimeOffset, DateTimeOffset) Fixed(DateTimeOffset now)
    {
        var length = Count * (Unit switch { "h" => TimeSpan.TicksPerHour, "m" => TimeSpan.TicksPerMinute, _ => TimeSpan.TicksPerSecond });
        var anchor = Utc(Anchor).UtcTicks;
        var index = Math.DivRem(now.UtcTicks - anchor, length, out var rest) - (rest < 0 ? 1 : 0);
        return (new DateTimeOffset(anchor + index * length, TimeSpan.Zero), new DateTimeOffset(anchor + (index + 1) * length, TimeSpan.Zero));
    }

    private (DateTimeOffset, DateTimeOffset) Calendar(DateTimeOffset now, Func<DateTime, int> about, Func<DateTime, int, DateTime> begin)
    {
        // The estimate is off by one at most: a short month, or an hour that the clocks skipped.
        var index = about(TimeZoneInfo.ConvertTime(now, Zone).DateTime) - 1;
        while (Utc(begin(Anchor, index + 1)) <= now) index++;
        return (Utc(begin(Anchor, index)), Utc(begin(Anchor, index + 1)));
    }

    private int Months(DateTime local) => (int)Math.Floor(((local.Year - Anchor.Year) * 12 + local.Month - Anchor.Month) / (decimal)Count);

    private int Days(DateTime local) => (int)Math.Floor((local.Date - Anchor.Date).Days / (decimal)Count);

    /// <summary>A local time that the clocks skip is the moment they skip to; one that comes twice is its first.</summary>
    private DateTimeOffset Utc(DateTime local)
    {
        while (Zone.IsInvalidTime(local)) local = local.AddMinutes(15);
        var offset = Zone.IsAmbiguousTime(local) ? Zone.GetAmbiguousTimeOffsets(local).Max() : Zone.GetUtcOffset(local);
        return new DateTimeOffset(local, offset).ToUniversalTime();
    }
}
