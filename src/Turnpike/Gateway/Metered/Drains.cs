namespace Turnpike.Gateway.Metered;

/// <summary>Bounds how many answers are read on for callers who have left: an attacker could open and drop streams without end.</summary>
internal sealed class Drains
{
    private const int Most = 256;
    private int now;

    /// <summary>A place, which is given back when the answer has ended; null when there is none.</summary>
    public IDisposable? TryBegin()
    {
        if (Interlocked.Increment(ref now) <= Most) return new Place(this);
        Interlocked.Decrement(ref now);
        return null;
    }

    private sealed class Place(Drains drains) : IDisposable
    {
        private Drains? taken = drains;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref taken, null) is { } of) Interlocked.Decrement(ref of.now);
        }
    }
}
