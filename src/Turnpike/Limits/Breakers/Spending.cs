namespace Turnpike.Limits.Breakers;

/// <summary>What one caller spends in a stretch, held and spent, and what it usually does: a moving average in sixteenths of a unit.</summary>
internal sealed class Spending
{
    /// <summary>How many stretches with spending there have to be before anything is usual.</summary>
    private const int Learning = 3;

    private long stretch;
    private long current;
    private Int128 usual;
    private int known;

    /// <summary>Adds to this stretch. True when that is too much: above the floor, and above so many times the usual.</summary>
    public bool Add(long amount, long now, TimeSpan within, long times, long floor, out long spent, out long average)
    {
        lock (this)
        {
            Roll(now / within.Ticks);
            current += amount;
            (spent, average) = (current, (long)(usual / 16));
            return known >= Learning && current > floor && (Int128)current * 16 > usual * times;
        }
    }

    /// <summary>Nothing was ever spent.</summary>
    public bool IsIdle
    {
        get { lock (this) return known == 0 && current == 0; }
    }

    /// <summary>What was held comes to less.</summary>
    public void Correct(long less, long now, TimeSpan within)
    {
        lock (this)
        {
            Roll(now / within.Ticks);
            current = Math.Max(0, current - less);
        }
    }

    private void Roll(long present)
    {
        if (present == stretch) return;
        // Stretches without spending are no habit: an agent that works by day is not judged by its nights.
        if (current > 0)
        {
            usual = known == 0 ? (Int128)current * 16 : usual + ((Int128)current * 16 - usual) / 8;
            known = Math.Min(known + 1, Learning);
        }
        (stretch, current) = (present, 0);
    }
}
