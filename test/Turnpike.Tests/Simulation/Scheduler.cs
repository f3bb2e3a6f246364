namespace Turnpike.Tests.Simulation;

/// <summary>
/// One thread and a clock of its own. What is ready to run runs in an order the seed decides; time passes only when nothing is
/// ready. The same seed gives the same run.
/// </summary>
internal sealed class Scheduler
{
    private const int MostSteps = 500_000;
    private static readonly TimeSpan Longest = TimeSpan.FromHours(4);
    private readonly List<(Place Place, SendOrPostCallback Work, object? State)> ready = [];
    private readonly List<(Place Place, SendOrPostCallback Work, object? State)> frozen = [];
    private readonly PriorityQueue<Alarm, (long Due, long Order)> alarms = new();
    private readonly List<Place> places = [];
    private readonly int thread = Environment.CurrentManagedThreadId;
    private long order;

    public Scheduler(int seed)
    {
        Random = new Random(seed);
        Outside = new Place(this, "outside");
    }

    public Random Random { get; }

    /// <summary>Where everything runs that is no node: payers, and the nemesis.</summary>
    public Place Outside { get; }

    /// <summary>Ticks since the beginning; never goes back.</summary>
    public long Ticks { get; private set; }

    public DateTimeOffset Now => new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero).AddTicks(Ticks);

    /// <summary>Continuations that came from another thread: a run with any is not decided by its seed.</summary>
    public int Strays { get; private set; }

    public bool Chance(int percent) => Random.Next(100) < percent;

    public TimeSpan Between(int least, int most) => TimeSpan.FromMilliseconds(Random.Next(least, most + 1));

    public void Add(Place place) => places.Add(place);

    public void Ready(Place place, SendOrPostCallback work, object? state)
    {
        if (Environment.CurrentManagedThreadId == thread) ready.Add((place, work, state));
        else Strays++;
    }

    public void At(long due, Alarm alarm) => alarms.Enqueue(alarm, (Math.Max(due, Ticks), ++order));

    /// <summary>Runs until all of it has ended.</summary>
    public void Run(Func<Task> all)
    {
        var before = SynchronizationContext.Current;
        try
        {
            SynchronizationContext.SetSynchronizationContext(Outside);
            var task = all();
            for (var steps = 0; !task.IsCompleted; steps++)
                if (steps == MostSteps || Ticks > Longest.Ticks || !Step()) throw new InvalidOperationException($"After {steps} steps and {TimeSpan.FromTicks(Ticks)} the run has not ended: something waits for ever, or goes round in circles.");
            task.GetAwaiter().GetResult();
        }
        finally { SynchronizationContext.SetSynchronizationContext(before); }
    }

    /// <summary>Runs one thing; false when there is nothing.</summary>
    private bool Step()
    {
        places.RemoveAll(static place => place.Dead);
        var writing = places.FindAll(place => place.Writer is { } writer && writer.HasWork && place.StalledUntil <= Ticks && place.PausedUntil <= Ticks);
        Thaw();
        if (ready.Count + writing.Count == 0) return Ring();
        var pick = Random.Next(ready.Count + writing.Count);
        if (pick >= ready.Count)
        {
            var place = writing[pick - ready.Count];
            SynchronizationContext.SetSynchronizationContext(place);
            place.Write();
            return true;
        }
        var next = ready[pick];
        ready[pick] = ready[^1];
        ready.RemoveAt(ready.Count - 1);
        Run(next.Place, next.Work, next.State);
        return true;
    }

    /// <summary>What belongs to a place that stands still waits aside.</summary>
    private void Thaw()
    {
        if (places.TrueForAll(place => place.PausedUntil == 0)) return;
        for (var i = ready.Count - 1; i >= 0; i--)
        {
            if (ready[i].Place.PausedUntil <= Ticks) continue;
            frozen.Add(ready[i]);
            ready.RemoveAt(i);
        }
        foreach (var work in frozen.FindAll(work => work.Place.PausedUntil <= Ticks))
        {
            frozen.Remove(work);
            ready.Add(work);
        }
    }

    private bool Ring()
    {
        if (!alarms.TryDequeue(out var alarm, out var at)) return false;
        Ticks = Math.Max(Ticks, at.Due);
        if (alarm.Off) return true;
        if (alarm.Place.PausedUntil > Ticks) ready.Add((alarm.Place, _ => { if (!alarm.Off) alarm.Ring(); }, null));
        else Run(alarm.Place, _ => alarm.Ring(), null);
        return true;
    }

    private static void Run(Place place, SendOrPostCallback work, object? state)
    {
        if (place.Dead) return;
        SynchronizationContext.SetSynchronizationContext(place);
        work(state);
    }
}

/// <summary>Something to run at a time.</summary>
internal sealed class Alarm(Place place, Action ring)
{
    public Place Place => place;

    public Action Ring => ring;

    public bool Off { get; set; }
}
