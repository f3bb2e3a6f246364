namespace Turnpike.Limits.Breakers;

/// <summary>What came of one caller's paid calls: in this stretch, and by its share the one before.</summary>
internal sealed class Outcomes
{
    private long stretch, calls, errors, callsBefore, errorsBefore;

    public void Add(bool error, long now, TimeSpan within)
    {
        lock (this)
        {
            Roll(now / within.Ticks);
            calls++;
            if (error) errors++;
        }
    }

    /// <summary>True when more than so many errors came, and they are at least so many hundredths of all; then it begins anew.</summary>
    public bool IsTooMuch(long now, TimeSpan within, long moreThan, long percent, out long bad, out long all)
    {
        lock (this)
        {
            Roll(now / within.Ticks);
            var rest = within.Ticks - now % within.Ticks;
            bad = errors + (long)((Int128)errorsBefore * rest / within.Ticks);
            all = calls + (long)((Int128)callsBefore * rest / within.Ticks);
            if (bad <= moreThan || bad * 100 < all * percent) return false;
            (calls, errors, callsBefore, errorsBefore) = (0, 0, 0, 0);
            return true;
        }
    }

    private void Roll(long present)
    {
        if (present == stretch) return;
        (callsBefore, errorsBefore) = present == stretch + 1 ? (calls, errors) : (0, 0);
        (stretch, calls, errors) = (present, 0, 0);
    }
}
