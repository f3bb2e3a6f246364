using FsCheck;
using FsCheck.Fluent;
using Turnpike.Limits;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Limits;

/// <summary>GCRA: never more than was said, and a wait that is exact.</summary>
public sealed class RateCountersTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    /// <summary>A limit and the pauses before each request, in tenths of what one request takes to come back.</summary>
    internal sealed record Traffic(int Amount, int Seconds, int[] Pauses);

    private static Arbitrary<Traffic> Any =>
        (from amount in Gen.Choose(1, 20)
         from seconds in Gen.Choose(1, 90)
         from pauses in Gen.Frequency((3, Gen.Constant(0)), (2, Gen.Choose(0, 25))).ArrayOf(60)
         select new Traffic(amount, seconds, pauses)).ToArbitrary();

    private static void Check(Func<Traffic, bool> holds) =>
        Prop.ForAll(Any, holds).Check(Config.QuickThrowOnFailure.WithQuietOnSuccess(true).WithMaxTest(200).WithReplay(402UL, 2026_11_21UL));

    [Fact]
    public void In_no_window_does_more_pass_than_the_amount_and_what_came_back_meanwhile() => Check(traffic =>
    {
        var (time, rate) = (new ManualTime(), Rate(traffic));
        var counters = new RateCounters(time);
        var step = rate.Per.Ticks / rate.Amount;
        var passed = new List<long>();
        foreach (var pause in traffic.Pauses)
        {
            time.Pass(TimeSpan.FromTicks(pause * step / 10));
            if (counters.TryTake("l", "k", rate, out _)) passed.Add(time.GetTimestamp());
        }
        for (var from = 0; from < passed.Count; from++)
            for (var to = from; to < passed.Count; to++)
                if ((to - from + 1 - rate.Amount) * rate.Per.Ticks > (passed[to] - passed[from]) * rate.Amount) return false;
        return passed.Count > 0;
    });

    [Fact]
    public void Waiting_as_long_as_it_says_works_and_one_tick_less_does_not() => Check(traffic =>
    {
        var (time, rate) = (new ManualTime(), Rate(traffic));
        var counters = new RateCounters(time);
        foreach (var pause in traffic.Pauses)
        {
            time.Pass(TimeSpan.FromTicks(pause * (rate.Per.Ticks / rate.Amount) / 10));
            if (counters.TryTake("l", "k", rate, out var wait)) continue;
            if (wait <= TimeSpan.Zero || !counters.IsSpent("l", "k", rate, out var told) || told != wait) return false;
            time.Pass(wait - Tick);
            if (counters.TryTake("l", "k", rate, out _)) return false;
            time.Pass(Tick);
            if (counters.IsSpent("l", "k", rate, out _) || !counters.TryTake("l", "k", rate, out _)) return false;
        }
        return true;
    });

    [Fact]
    public void The_whole_amount_passes_at_once_and_no_more()
    {
        var (time, rate) = (new ManualTime(), new RateLimit(60, TimeSpan.FromMinutes(1), []));
        var counters = new RateCounters(time);
        Enumerable.Range(0, 100).Count(_ => counters.TryTake("l", "k", rate, out TimeSpan _)).ShouldBe(60);
        counters.TryTake("l", "k", rate, out var wait).ShouldBeFalse();
        wait.ShouldBe(TimeSpan.FromSeconds(1));
        counters.TryTake("l", "another", rate, out _).ShouldBeTrue();
        counters.TryTake("m", "k", rate, out _).ShouldBeTrue();
    }

    [Fact]
    public void Callers_at_once_do_not_get_more_between_them()
    {
        var (time, rate) = (new ManualTime(), new RateLimit(37, TimeSpan.FromMinutes(1), []));
        var counters = new RateCounters(time);
        var passed = 0;
        Parallel.For(0, 2000, _ => { if (counters.TryTake("l", "k", rate, out TimeSpan _)) Interlocked.Increment(ref passed); });
        passed.ShouldBe(37);
    }

    [Fact]
    public void What_is_given_back_can_be_taken_again()
    {
        var (time, rate) = (new ManualTime(), new RateLimit(1, TimeSpan.FromMinutes(1), []));
        var counters = new RateCounters(time);
        counters.TryTake("l", "k", rate, out _).ShouldBeTrue();
        counters.GiveBack("l", "k", rate);
        counters.TryTake("l", "k", rate, out _).ShouldBeTrue();
        counters.TryTake("l", "k", rate, out _).ShouldBeFalse();
    }

    private static RateLimit Rate(Traffic traffic) => new(traffic.Amount, TimeSpan.FromSeconds(traffic.Seconds), []);
}
