namespace Turnpike.Tests.Gateway;

/// <summary>A clock that stands still until it is moved; timers run by the real one.</summary>
internal sealed class ManualTime : TimeProvider
{
    private long jumped;
    private long ticks = new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero).UtcTicks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref ticks) + Interlocked.Read(ref jumped), TimeSpan.Zero);

    public override long GetTimestamp() => Interlocked.Read(ref ticks);

    public void Pass(TimeSpan by) => Interlocked.Add(ref ticks, by.Ticks);

    /// <summary>Somebody sets the wall clock; no time passes.</summary>
    public void Jump(TimeSpan by) => Interlocked.Add(ref jumped, by.Ticks);
}
