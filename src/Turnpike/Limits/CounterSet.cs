using System.Collections.Concurrent;
using Turnpike.Catalog;

namespace Turnpike.Limits;

/// <summary>
/// The counters of every rule and key, in memory. A decision over several of them is one: they are locked together, all are looked
/// at, and all are charged or none. Bounded: what is at rest says nothing and is swept.
/// </summary>
internal sealed class CounterSet(TimeProvider time)
{
    private const int SweepAbove = 100_000;
    private readonly ConcurrentDictionary<(string Rule, string Who), (Counter Counter, RateRule Rule)> all = new();
    private ConcurrentQueue<(RateRule Rule, string Who, Counter Counter)>? news; // where several nodes count
    private long numbers;
    private int kept; // of our own: asking the dictionary would lock all of it
    private int sweepAt = SweepAbove;
    private int sweeping;

    public int Count => Volatile.Read(ref kept);

    public Moment Now => new((long)((Int128)time.GetTimestamp() * TimeSpan.TicksPerSecond / time.TimestampFrequency), time.GetUtcNow().UtcTicks);

    /// <summary>Charges every demand, or none; then <paramref name="tight"/> is the one that waits longest, shadow rules aside.</summary>
    public bool TryTake(Span<Demand> demands, out int tight, out TimeSpan wait)
    {
        while (true)
        {
            foreach (ref var demand in demands) demand.Counter = Find(demand.Rule, demand.Who);
            // A call may meet one counter through two rules' keys only if it is the same rule: numbers are distinct, and their order is everybody's.
            demands.Sort(static (a, b) => a.Counter.Number.CompareTo(b.Counter.Number));
            var locked = 0;
            try
            {
                for (; locked < demands.Length; locked++) Monitor.Enter(demands[locked].Counter);
                if (!AnyGone(demands)) return Decide(demands, Now, out tight, out wait);
            }
            finally
            {
                for (var i = 0; i < locked; i++) Monitor.Exit(demands[i].Counter);
            }
        }
    }

    /// <summary>A reservation comes to so much after all; zero gives it back.</summary>
    public static void Correct(in Demand demand, long amount)
    {
        lock (demand.Counter) demand.Counter.Correct(demand.Rule, demand.Taken, amount);
    }

    /// <summary>From now on it is remembered what to tell other nodes.</summary>
    public void Share() => news ??= new();

    /// <summary>What was taken here since the last telling, of at most so many counters. What is held at once is told again and again, or it would be taken for gone.</summary>
    public IReadOnlyList<(RateRule Rule, string Who, long Count)> Tell(int most)
    {
        List<(RateRule, string, long)> told = [];
        for (var left = Math.Min(most, news?.Count ?? 0); left > 0 && news!.TryDequeue(out var one); left--)
        {
            long count;
            lock (one.Counter) count = one.Counter.Tell(one.Rule);
            if (one.Rule.Per is null && count != 0) news.Enqueue(one);
            if (count != 0 || one.Rule.Per is null) told.Add((one.Rule, one.Who, count));
        }
        return told;
    }

    /// <summary>Other nodes took so much; at once: have so much.</summary>
    public void Hear(RateRule rule, string who, long count)
    {
        while (true)
        {
            var counter = Find(rule, who);
            lock (counter)
            {
                if (counter.Gone) continue;
                if (rule.Per is null) counter.Elsewhere = count;
                else counter.Add(rule, count, Now);
                return;
            }
        }
    }

    /// <summary>What counts under a rule now, fullest first. Looking takes nothing.</summary>
    public IReadOnlyList<CounterView> Look(string? rule, string? who, int most)
    {
        var now = Now;
        List<CounterView> found = [];
        foreach (var (key, (counter, counted)) in all)
        {
            if (rule is not null && key.Rule != rule || who is not null && key.Who != who) continue;
            lock (counter)
                if (!counter.IsAtRest(counted, now) && counter.State(counted, now) is var (left, until)) found.Add(new CounterView(key.Rule, key.Who, counted, left, until));
        }
        return [.. found.OrderBy(c => (Int128)c.Left * 1_000_000 / c.Counted.Amount.Units).ThenBy(c => c.Who, StringComparer.Ordinal).Take(most)];
    }

    /// <summary>Begins anew for this key. False when nothing was counted.</summary>
    public bool Reset(string rule, string who)
    {
        if (!all.TryRemove((rule, who), out var known)) return false;
        Interlocked.Decrement(ref kept);
        // Whoever has it in hand looks again, or corrects what counts no more.
        lock (known.Counter) known.Counter.Gone = true;
        return true;
    }

    private static bool Decide(Span<Demand> demands, Moment now, out int tight, out TimeSpan wait)
    {
        (tight, wait) = (-1, TimeSpan.Zero);
        for (var i = 0; i < demands.Length; i++)
        {
            ref var demand = ref demands[i];
            var needed = demand.Counter.WaitFor(demand.Rule, demand.Amount, now);
            demand.Exceeded = needed > TimeSpan.Zero;
            if (demand.Exceeded && !demand.Rule.Shadow && needed > wait) (tight, wait) = (i, needed);
        }
        foreach (ref var demand in demands)
        {
            if (tight < 0) demand.Taken = demand.Counter.Take(demand.Rule, demand.Amount, now);
            (demand.Left, demand.Until) = demand.Counter.State(demand.Rule, now);
        }
        return tight < 0;
    }

    private static bool AnyGone(Span<Demand> demands)
    {
        foreach (ref var demand in demands)
            if (demand.Counter.Gone) return true;
        return false;
    }

    private Counter Find(RateRule rule, string who)
    {
        if (all.TryGetValue((rule.Id, who), out var known)) return known.Counter;
        Action<Counter>? changed = news is { } told ? counter => told.Enqueue((rule, who, counter)) : null;
        var made = new Counter(Interlocked.Increment(ref numbers)) { Changed = changed };
        var counter = all.GetOrAdd((rule.Id, who), (made, rule)).Counter;
        if (ReferenceEquals(counter, made) && Interlocked.Increment(ref kept) > sweepAt) Sweep();
        return counter;
    }

    /// <summary>An attacker with many addresses must not grow this without end.</summary>
    private void Sweep()
    {
        if (Interlocked.Exchange(ref sweeping, 1) == 1) return;
        _ = Task.Run(() =>
        {
            var now = Now;
            foreach (var (key, (counter, rule)) in all)
                lock (counter)
                    if (counter.IsAtRest(rule, now))
                    {
                        counter.Gone = true;
                        if (all.TryRemove(key, out _)) Interlocked.Decrement(ref kept);
                    }
            sweepAt = Math.Max(SweepAbove, Count * 2);
            Volatile.Write(ref sweeping, 0);
        });
    }
}

/// <summary>One rule a call has to pass: how much it takes, of whose counter, and what came of it.</summary>
internal struct Demand(RateRule rule, string who, long amount)
{
    public RateRule Rule { get; } = rule;

    public string Who { get; } = who;

    public long Amount { get; } = amount;

    public Counter Counter { get; set; } = null!;

    public Taken Taken { get; set; }

    /// <summary>It did not fit (and was charged all the same where the rule is a shadow).</summary>
    public bool Exceeded { get; set; }

    public long Left { get; set; }

    public TimeSpan Until { get; set; }
}

/// <summary>A counter as an operator sees it.</summary>
/// <param name="Until">How long until more is left.</param>
internal sealed record CounterView(string Rule, string Who, RateRule Counted, long Left, TimeSpan Until);
