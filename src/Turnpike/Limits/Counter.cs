using Turnpike.Catalog;

namespace Turnpike.Limits;

/// <summary>A moment on both clocks, in ticks: one that never jumps, and the one on the wall.</summary>
internal readonly record struct Moment(long Steady, long Wall);

/// <summary>
/// What was taken under one rule by one key. Its methods are called under its own lock; <see cref="CounterSet"/> locks all counters
/// of a call in the order of their numbers, so that one decision is taken over all of them.
/// </summary>
internal sealed class Counter(long number)
{
    private Int128 full; // token bucket: when it is full again, in ticks times the rule's amount, so that nothing is ever rounded
    private long scale;
    private long window;
    private long used; // windows: in this one; at once: how many there are
    private long before; // sliding: what the window before this one came to
    private long untold; // what was taken here since the other nodes were told
    private bool listed;
    private List<long>? each; // moments on the steady clock, in order

    /// <summary>Called when something was taken here, once until it has been told; null where nobody else counts.</summary>
    public Action<Counter>? Changed { get; init; }

    /// <summary>At once: how much other nodes have.</summary>
    public long Elsewhere { get; set; }

    /// <summary>The order of locking.</summary>
    public long Number => number;

    /// <summary>Swept: whoever still has it looks again.</summary>
    public bool Gone { get; set; }

    /// <summary>How long to wait until so much fits; zero: it does now. More than ever fits waits until nothing is taken, and is then let through.</summary>
    public TimeSpan WaitFor(RateRule rule, long amount, Moment now)
    {
        if (rule.Per is not { } per) return used + Elsewhere + amount <= rule.Amount.Units || used + Elsewhere == 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(1);
        if (rule.Count == RateCount.TokenBucket)
        {
            var burst = (Int128)(rule.Burst ?? rule.Amount).Units * per.Ticks;
            var over = Debt(rule, now) + Int128.Min((Int128)amount * per.Ticks, burst) - burst;
            return over > 0 ? Up(over) : TimeSpan.Zero;
        }
        if (rule.Count == RateCount.Each)
        {
            var moments = Moments(per, now);
            var over = moments.Count + Math.Min(amount, rule.Amount.Units) - rule.Amount.Units;
            return over <= 0 ? TimeSpan.Zero : new TimeSpan(moments[(int)over - 1] + per.Ticks - now.Steady);
        }
        var rest = Roll(rule, per, now);
        var most = rule.Amount.Units - Math.Min(amount, rule.Amount.Units);
        if (Weighed(rule, per, rest) <= most) return TimeSpan.Zero;
        if (rule.Count == RateCount.FixedWindow) return new TimeSpan(rest);
        if (used > most) return new TimeSpan(rest + per.Ticks - (long)((Int128)most * per.Ticks / used));
        // The window before fades: what is still too much of it is gone after this part of the present one.
        var share = (Int128)(most - used) * per.Ticks / before;
        return new TimeSpan(Math.Max(1, rest - (long)share));
    }

    /// <summary>Takes it, fit or not. What comes back is what <see cref="Correct"/> wants.</summary>
    public Taken Take(RateRule rule, long amount, Moment now)
    {
        Note(amount);
        if (rule.Per is { } per && rule.Count == RateCount.TokenBucket)
        {
            full = Debt(rule, now) + (Int128)now.Steady * scale + (Int128)amount * per.Ticks;
            return new(amount, 0);
        }
        if (rule is { Per: { } time, Count: RateCount.Each })
        {
            Moments(time, now).AddRange(Enumerable.Repeat(now.Steady, (int)amount));
            return new(amount, now.Steady);
        }
        if (rule.Per is { } length) Roll(rule, length, now);
        used += amount;
        return new(amount, window);
    }

    /// <summary>What was reserved comes to <paramref name="amount"/> after all: less, or more than ever fits; then the next ones wait for it.</summary>
    public void Correct(RateRule rule, Taken taken, long amount)
    {
        var more = amount - taken.Count;
        Note(more);
        if (rule.Per is not { } per) used -= taken.Count;
        else if (rule.Count == RateCount.TokenBucket) full += (Int128)more * per.Ticks * scale / rule.Amount.Units;
        else if (rule.Count == RateCount.Each)
        {
            var at = each?.LastIndexOf(taken.Window) ?? -1;
            if (at < 0) return;
            if (more < 0) each!.RemoveRange(at + 1 + (int)more, -(int)more);
            else each!.InsertRange(at, Enumerable.Repeat(taken.Window, (int)more));
        }
        else if (taken.Window == window) used += more;
        else if (taken.Window == window - 1) before += more;
    }

    /// <summary>What there is to tell the others: what was taken since the last telling; at once, how much there is.</summary>
    public long Tell(RateRule rule)
    {
        var told = rule.Per is null ? used : untold;
        (untold, listed) = (0, rule.Per is null && used != 0);
        return told;
    }

    /// <summary>Another node took so much, or gave it back.</summary>
    public void Add(RateRule rule, long amount, Moment now)
    {
        if (rule.Per is not { } per) return;
        if (rule.Count == RateCount.TokenBucket)
        {
            full = Debt(rule, now) + (Int128)now.Steady * scale + (Int128)amount * per.Ticks;
            return;
        }
        if (rule.Count == RateCount.Each)
        {
            Moments(per, now).AddRange(Enumerable.Repeat(now.Steady, (int)Math.Clamp(amount, 0, rule.Amount.Units)));
            return;
        }
        Roll(rule, per, now);
        used = Math.Max(0, used + amount);
    }

    /// <summary>What is left, and how long until it is more.</summary>
    public (long Left, TimeSpan Until) State(RateRule rule, Moment now)
    {
        if (rule.Per is not { } per) return (Math.Max(0, rule.Amount.Units - used - Elsewhere), TimeSpan.Zero);
        if (rule.Count == RateCount.TokenBucket)
        {
            var debt = Debt(rule, now);
            var room = (Int128)(rule.Burst ?? rule.Amount).Units * per.Ticks - debt;
            var left = room > 0 ? (long)(room / per.Ticks) : 0;
            return (left, debt == 0 ? TimeSpan.Zero : Up((Int128)(left + 1) * per.Ticks - room));
        }
        if (rule.Count == RateCount.Each) return Moments(per, now) is { Count: > 0 } moments ? (Math.Max(0, rule.Amount.Units - moments.Count), new TimeSpan(moments[0] + per.Ticks - now.Steady)) : (rule.Amount.Units, TimeSpan.Zero);
        var rest = Roll(rule, per, now);
        return (Math.Max(0, rule.Amount.Units - Weighed(rule, per, rest)), new TimeSpan(rest));
    }

    /// <summary>True when forgetting it changes nothing.</summary>
    public bool IsAtRest(RateRule rule, Moment now)
    {
        if (untold != 0) return false;
        if (rule.Per is not { } per) return used + Elsewhere == 0;
        if (rule.Count == RateCount.TokenBucket) return Debt(rule, now) == 0;
        if (rule.Count == RateCount.Each) return Moments(per, now).Count == 0;
        Roll(rule, per, now);
        return used == 0 && before == 0;
    }

    /// <summary>Those that still count.</summary>
    private List<long> Moments(TimeSpan per, Moment now)
    {
        each ??= new List<long>(4);
        var gone = 0;
        while (gone < each.Count && each[gone] + per.Ticks <= now.Steady) gone++;
        each.RemoveRange(0, gone);
        return each;
    }

    private void Note(long more)
    {
        if (Changed is null || more == 0) return;
        untold += more;
        if (listed) return;
        listed = true;
        Changed(this);
    }

    /// <summary>What the bucket still lacks, in ticks times the rule's amount.</summary>
    private Int128 Debt(RateRule rule, Moment now)
    {
        full = Rescaled(rule, full);
        scale = rule.Amount.Units;
        return Int128.Max(0, full - (Int128)now.Steady * scale);
    }

    /// <summary>A changed document may have changed the amount.</summary>
    private Int128 Rescaled(RateRule rule, Int128 ticks) => scale == 0 || scale == rule.Amount.Units ? ticks : ticks / scale * rule.Amount.Units;

    private TimeSpan Up(Int128 ticks) => new((long)((ticks + scale - 1) / scale));

    private long Weighed(RateRule rule, TimeSpan per, long rest) =>
        rule.Count == RateCount.SlidingWindow ? used + (long)(((Int128)before * rest + per.Ticks - 1) / per.Ticks) : used;

    /// <summary>Turns to the present window; what is left of it, in ticks. A clock that was set back begins anew, too: better than waiting for it to catch up.</summary>
    private long Roll(RateRule rule, TimeSpan per, Moment now)
    {
        var present = Math.DivRem(now.Wall, per.Ticks, out var passed);
        if (present != window) (window, used, before) = (present, 0, rule.Count == RateCount.SlidingWindow && present == window + 1 ? used : 0);
        return per.Ticks - passed;
    }
}

/// <summary>What a counter was charged, and in which window.</summary>
internal readonly record struct Taken(long Count, long Window);
