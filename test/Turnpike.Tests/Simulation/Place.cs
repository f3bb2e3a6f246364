using Turnpike.Storage;

namespace Turnpike.Tests.Simulation;

/// <summary>Where code runs: a process, or the outside. When a process dies, nothing of it ever runs again.</summary>
internal sealed class Place : SynchronizationContext
{
    private readonly Scheduler scheduler;

    public Place(Scheduler scheduler, string name)
    {
        (this.scheduler, Name) = (scheduler, name);
        Time = new SimulatedTime(scheduler, this);
        scheduler.Add(this);
    }

    public string Name { get; }

    public SimulatedTime Time { get; }

    public bool Dead { get; set; }

    /// <summary>The writer of its database, which writes when the scheduler says so.</summary>
    public GroupCommit? Writer { get; set; }

    /// <summary>Until then its disk is slow.</summary>
    public long StalledUntil { get; private set; }

    /// <summary>Until then it stands still (SIGSTOP, a long collection of garbage): clocks go on, nothing of it runs.</summary>
    public long PausedUntil { get; private set; }

    /// <summary>Called after each batch.</summary>
    public Action? Wrote { get; set; }

    public void Write()
    {
        Writer!.WriteBatch();
        Wrote?.Invoke();
    }

    public void Stall(TimeSpan by)
    {
        StalledUntil = scheduler.Ticks + by.Ticks;
        scheduler.At(StalledUntil, new Alarm(this, static () => { }));
    }

    public void Pause(TimeSpan by)
    {
        PausedUntil = scheduler.Ticks + by.Ticks;
        scheduler.At(PausedUntil, new Alarm(this, static () => { }));
    }

    public override void Post(SendOrPostCallback d, object? state) => scheduler.Ready(this, d, state);

    public override void Send(SendOrPostCallback d, object? state) => d(state);

    public override SynchronizationContext CreateCopy() => this;
}
