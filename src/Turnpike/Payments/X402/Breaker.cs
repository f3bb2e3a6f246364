namespace Turnpike.Payments.X402;

/// <summary>Stops asking somebody who failed five times in a row, for half a minute; then one question decides.</summary>
internal sealed class Breaker(TimeProvider time)
{
    private const int MostFailures = 5;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);
    private readonly Lock door = new();
    private int failures;
    private DateTimeOffset openUntil;

    public bool IsClosed
    {
        get
        {
            lock (door) return openUntil <= time.GetUtcNow();
        }
    }

    public void Count(bool success)
    {
        lock (door)
        {
            failures = success ? 0 : failures + 1;
            if (failures >= MostFailures) openUntil = time.GetUtcNow() + Pause;
        }
    }
}
