using System.Collections.Concurrent;

namespace Turnpike.Limits;

/// <summary>
/// GCRA counters in memory, one timestamp a key: the virtual scheduling form, in ticks. Bounded: keys at rest are swept.
/// </summary>
internal sealed class RateCounters(TimeProvider time)
{
    private const int SweepAbove = 100_000;
    private readonly ConcurrentDictionary<(string Limit, string Key), long> arrival = new();
    private int kept; // of our own: asking the dictionary would lock all of it
    private int sweepAt = SweepAbove;
    private int sweeping;

    /// <summary>Takes one if the limit allows; else tells how long to wait and takes nothing.</summary>
    public bool TryTake(string limit, string key, RateLimit rate, out TimeSpan wait)
    {
        var now = time.GetTimestamp();
        var (step, burst) = Spacing(rate);
        while (true)
        {
            var known = arrival.TryGetValue((limit, key), out var tat);
            var from = known ? Math.Max(tat, now) : now;
            if (from - now > burst) { wait = time.GetElapsedTime(now, from - burst); return false; }
            if (known && arrival.TryUpdate((limit, key), from + step, tat)) break;
            if (known || !arrival.TryAdd((limit, key), from + step)) continue;
            if (Interlocked.Increment(ref kept) >= Volatile.Read(ref sweepAt)) Sweep(now);
            break;
        }
        wait = TimeSpan.Zero;
        return true;
    }

    /// <summary>Would the next one be refused? Takes nothing.</summary>
    public bool IsSpent(string limit, string key, RateLimit rate, out TimeSpan wait)
    {
        wait = TimeSpan.Zero;
        var now = time.GetTimestamp();
        if (!arrival.TryGetValue((limit, key), out var tat)) return false;
        var (_, burst) = Spacing(rate);
        if (tat - now <= burst) return false;
        wait = time.GetElapsedTime(now, tat - burst);
        return true;
    }

    /// <summary>Gives one back: a reservation that came to nothing.</summary>
    public void GiveBack(string limit, string key, RateLimit rate)
    {
        var (step, _) = Spacing(rate);
        while (arrival.TryGetValue((limit, key), out var tat) && !arrival.TryUpdate((limit, key), tat - step, tat)) { }
    }

    /// <summary>The ticks one request takes to come back, rounded up so that no window ever has one too many, and those of all but one.</summary>
    private (long Step, long Burst) Spacing(RateLimit rate)
    {
        var step = (Ticks(rate.Per) + rate.Amount - 1) / rate.Amount;
        return (step, step * (rate.Amount - 1));
    }

    private long Ticks(TimeSpan span) => (long)((Int128)span.Ticks * time.TimestampFrequency / TimeSpan.TicksPerSecond);

    /// <summary>An attacker with many addresses must not grow this without end: what is at rest says nothing and goes.</summary>
    private void Sweep(long now)
    {
        if (Interlocked.Exchange(ref sweeping, 1) == 1) return;
        foreach (var one in arrival)
            if (one.Value <= now && arrival.TryRemove(one)) Interlocked.Decrement(ref kept);
        Volatile.Write(ref sweepAt, Math.Max(SweepAbove, Volatile.Read(ref kept) * 2));
        Volatile.Write(ref sweeping, 0);
    }
}
