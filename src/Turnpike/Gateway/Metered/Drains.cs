using Turnpike.Payments;

namespace Turnpike.Gateway.Metered;

/// <summary>Bounds how many answers are read on for callers who have left: an attacker could open and drop streams without end.</summary>
internal static class Drains
{
    private const int Most = 256;
    private static int now;

    /// <summary>True when there is room; given back when the call ends.</summary>
    public static bool TryBegin(Payment payment)
    {
        if (Interlocked.Increment(ref now) <= Most)
        {
            payment.Call.Lease(new Place());
            return true;
        }
        Interlocked.Decrement(ref now);
        return false;
    }

    private sealed class Place : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            Interlocked.Decrement(ref now);
            return default;
        }
    }
}
