namespace Turnpike.Tests.Simulation;

/// <summary>The scheduler's clock as one place sees it: its wall clock may be wrong or jump, its timers may not.</summary>
internal sealed class SimulatedTime(Scheduler scheduler, Place place) : TimeProvider
{
    /// <summary>How far the wall clock is off.</summary>
    public TimeSpan Off { get; set; }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => scheduler.Now + Off;

    public override long GetTimestamp() => scheduler.Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(scheduler, place, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class Timer(Scheduler scheduler, Place place, TimerCallback callback, object? state) : ITimer
    {
        private Alarm? alarm;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (alarm is not null) alarm.Off = true;
            alarm = null;
            if (dueTime < TimeSpan.Zero) return true;
            alarm = new Alarm(place, () =>
            {
                callback(state);
                if (period > TimeSpan.Zero && alarm is { Off: false }) Change(period, period);
            });
            scheduler.At(scheduler.Ticks + dueTime.Ticks, alarm);
            return true;
        }

        public void Dispose()
        {
            if (alarm is not null) alarm.Off = true;
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
