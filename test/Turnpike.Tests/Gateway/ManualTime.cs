namespace Turnpike.Tests.Gateway;

/// <summary>A clock that stands still until it is moved; timers run by the real one.</summary>
internal sealed class ManualTime : TimeProvider
{
    private long jumped;
    private long ticks = new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero).UtcTicks;

    /// <summary>How much faster than the real clock its timers run.</summary>
    public int Haste { get; set; } = 1;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref ticks) + Interlocked.Read(ref jumped), TimeSpan.Zero);

    public override long GetTimestamp() => Interlocked.Read(ref ticks);

    public void Pass(TimeSpan by) => Interlocked.Add(ref ticks, by.Ticks);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new HastyTimer(base.CreateTimer(callback, state, Of(dueTime), Of(period)), Of);

    private TimeSpan Of(TimeSpan wait) => wait == Timeout.InfiniteTimeSpan ? wait : wait / Haste;

    private sealed class HastyTimer(ITimer timer, Func<TimeSpan, TimeSpan> haste) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(haste(dueTime), haste(period));

        public void Dispose() => timer.Dispose();

        public ValueTask DisposeAsync() => timer.DisposeAsync();
    }

    /// <summary>Somebody sets the wall clock; no time passes.</summary>
    public void Jump(TimeSpan by) => Interlocked.Add(ref jumped, by.Ticks);
}
