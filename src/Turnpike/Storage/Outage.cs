namespace Turnpike.Storage;

/// <summary>
/// A server that is away: for a few seconds the writer tries on, because it may only be changing over; then callers are told at
/// once, and somebody looks twice a second whether it is back.
/// </summary>
internal sealed class Outage : IDisposable
{
    /// <summary>How long the writer waits for a server that is changing over.</summary>
    public static readonly TimeSpan Usual = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(500);

    private readonly TimeProvider clock;
    private readonly TimeSpan patience;
    private readonly ITimer timer;
    private volatile Exception? reason;
    private long since; // of the first failure in a row, 0 when the last transaction went well
    private long tried;

    public Outage(TimeProvider clock, TimeSpan patience, Action probe)
    {
        (this.clock, this.patience) = (clock, patience);
        timer = clock.CreateTimer(_ => probe(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Why nothing is written at the moment; null when the server is there as far as is known.</summary>
    public Exception? Reason => reason;

    /// <summary>True when it is away and was asked a moment ago: there is no need to ask for every caller.</summary>
    public bool IsFresh => reason is not null && clock.GetElapsedTime(tried) < Between / 2;

    public static void Pause() => Thread.Sleep(Between / 2);

    /// <summary>After a failure: waits and says true to try again, or begins the outage.</summary>
    public bool WaitOnce()
    {
        if (since == 0)
        {
            since = clock.GetTimestamp();
            return true; // the connection may have been all that broke
        }
        if (reason is not null || clock.GetElapsedTime(since) >= patience)
        {
            Begin(reason ?? new StorageException("PostgreSQL has not answered for seconds."));
            return false;
        }
        Pause();
        return true;
    }

    public void Begin(Exception why)
    {
        reason = why;
        tried = clock.GetTimestamp();
        timer.Change(Between, Between);
    }

    public void Over()
    {
        since = 0;
        if (reason is null) return;
        reason = null;
        timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public void Dispose() => timer.Dispose();
}
