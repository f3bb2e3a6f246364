namespace Turnpike.Tests.Payments.Evm;

/// <summary>A clock that jumps to whatever somebody waits for, so that waiting takes no time and tests see it pass.</summary>
internal sealed class LeapingTime(DateTimeOffset start) : TimeProvider
{
    private long ticks = start.UtcTicks;

    /// <summary>How far the wall clock is off.</summary>
    public TimeSpan Off { get; set; }

    public override DateTimeOffset GetUtcNow() => new DateTimeOffset(Interlocked.Read(ref ticks), TimeSpan.Zero) + Off;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Interlocked.Read(ref ticks);

    public void Leap(TimeSpan by) => Interlocked.Add(ref ticks, by.Ticks);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime >= TimeSpan.Zero)
        {
            Leap(dueTime);
            ThreadPool.QueueUserWorkItem(_ => callback(state));
        }
        return new Rung();
    }

    private sealed class Rung : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
