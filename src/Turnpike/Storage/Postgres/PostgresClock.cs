namespace Turnpike.Storage.Postgres;

/// <summary>The server's clock, which all nodes share: asked once a second, in between this machine's monotonic one goes on from there.</summary>
internal sealed class PostgresClock(TimeProvider clock)
{
    private static readonly TimeSpan Trusted = TimeSpan.FromSeconds(1);
    private DateTimeOffset there;
    private long asked;

    public DateTimeOffset Now(Sql sql)
    {
        var passed = clock.GetElapsedTime(asked);
        if (asked != 0 && passed < Trusted) return Microseconds.FromMicroseconds((there + passed).ToMicroseconds());
        there = sql.First("select cast(extract(epoch from clock_timestamp()) * 1000000 as bigint)", row => row.Time(0));
        asked = clock.GetTimestamp();
        return there;
    }
}
