namespace Turnpike.Payments.X402;

/// <summary>Stops asking somebody who failed five times in a row, for half a minute; then one question decides.</summary>
internal sealed class Breaker(TimeProvider time)
{
    private const int MostFailures = 5;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);
    private readonly Lock door = new();
    private int failures;
    private long? opened;

    public bool IsClosed
    {
        get
        {
            lock (door) return opened is not { } since || time.GetElapsedTime(since) >= Pause;
        }
    }

    public void Count(bool success)
    {
        lock (door)
        {
            failures = success ? 0 : failures + 1;
            if (failures >= MostFailures) opened = time.GetTimestamp();
        }
    }
}
