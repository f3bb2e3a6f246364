namespace Turnpike.Storage;

/// <summary>Times as both databases keep them: whole microseconds since 1970, UTC.</summary>
internal static class Microseconds
{
    public static long ToMicroseconds(this DateTimeOffset time) => (time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    public static DateTimeOffset FromMicroseconds(long microseconds) => new(DateTimeOffset.UnixEpoch.Ticks + microseconds * TimeSpan.TicksPerMicrosecond, TimeSpan.Zero);

    /// <summary>Now, as it will be read back.</summary>
    public static DateTimeOffset Now(this TimeProvider clock) => FromMicroseconds(clock.GetUtcNow().ToMicroseconds());
}
