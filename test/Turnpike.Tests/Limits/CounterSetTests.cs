using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Limits;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Limits;

/// <summary>Counters against an exact model, and under concurrency.</summary>
public sealed class CounterSetTests
{
    private static RateRule Rule(string id, long amount, int? seconds, RateCount count = RateCount.TokenBucket) =>
        new(id, id, new Money(amount, "requests"), seconds is { } s ? TimeSpan.FromSeconds(s) : null) { Count = count };

    private static bool Take(CounterSet counters, params (RateRule Rule, long Amount)[] wanted) =>
        counters.TryTake(wanted.Select(w => new Demand(w.Rule, "k", w.Amount)).ToArray(), out _, out _);

    [Theory]
    [InlineData("TokenBucket")]
    [InlineData("FixedWindow")]
    [InlineData("SlidingWindow")]
    public async Task A_million_concurrent_decisions_over_three_rules_are_exact_and_half_take_nothing(string way)
    {
        var count = Enum.Parse<RateCount>(way);
        var counters = new CounterSet(new ManualTime());
        var (small, middle, large) = (Rule("small", 1_000, 3600, count), Rule("middle", 5_000, 3600, count), Rule("large", 7_001, 3600, count));
        long both = 0, one = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(() =>
        {
            for (var i = 0; i < 125_000; i++)
                if ((i + thread) % 2 == 0) Interlocked.Add(ref both, Take(counters, (small, 1), (middle, 1), (large, 1)) ? 1 : 0);
                else Interlocked.Add(ref one, Take(counters, (large, 1), (middle, 1)) ? 1 : 0);
        })));
        both.ShouldBeLessThanOrEqualTo(1_000);
        (both + one).ShouldBe(5_000);
        var left = 0;
        while (Take(counters, (large, 1))) left++;
        left.ShouldBe(2_001, "what was refused by the middle one took nothing of the large one");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(4242)]
    public void A_token_bucket_is_the_bucket_of_the_textbook(int seed)
    {
        var (time, random) = (new ManualTime(), new Random(seed));
        var counters = new CounterSet(time);
        var rule = Rule("r", 10, 10);
        // The model in thousandths of a token: one a second, ten at most.
        long tokens = 10_000;
        for (var i = 0; i < 20_000; i++)
        {
            var pause = random.Next(0, 1500);
            time.Pass(TimeSpan.FromMilliseconds(pause));
            tokens = Math.Min(10_000, tokens + pause);
            var amount = random.Next(1, 5);
            var fits = tokens >= amount * 1000;
            Take(counters, (rule, amount)).ShouldBe(fits, $"step {i}: {tokens} thousandths, {amount} wanted");
            if (fits) tokens -= amount * 1000;
        }
    }

    [Fact]
    public void Counted_one_by_one_what_comes_at_just_the_rate_passes_for_ever_and_one_more_does_not()
    {
        var time = new ManualTime();
        var set = new CounterSet(time);
        var rule = new RateRule("r", "r", new Money(20, RateRule.Requests), TimeSpan.FromSeconds(60)) { Count = RateCount.Each };
        for (var i = 0; i < 500; i++)
        {
            set.TryTake([new Demand(rule, "a", 1)], out _, out _).ShouldBeTrue();
            time.Pass(TimeSpan.FromSeconds(3));
        }
        set.TryTake([new Demand(rule, "a", 1)], out _, out _).ShouldBeTrue();
        set.TryTake([new Demand(rule, "a", 1)], out _, out var wait).ShouldBeFalse();
        wait.ShouldBe(TimeSpan.FromSeconds(3));
        time.Pass(wait);
        Demand[] given = [new(rule, "a", 1)];
        set.TryTake(given, out _, out _).ShouldBeTrue();
        CounterSet.Correct(given[0], 0);
        set.TryTake([new Demand(rule, "a", 1)], out _, out _).ShouldBeTrue("what is given back can be taken");
    }

    [Fact]
    public void The_wait_that_is_told_is_enough_and_a_millisecond_less_is_not()
    {
        foreach (var count in Enum.GetValues<RateCount>())
        {
            var (time, random) = (new ManualTime(), new Random(11));
            var counters = new CounterSet(time);
            var rule = Rule("r", 7, 10, count);
            for (var i = 0; i < 2_000; i++)
            {
                time.Pass(TimeSpan.FromMilliseconds(random.Next(0, 2_000)));
                var demands = new[] { new Demand(rule, "k", random.Next(1, 4)) };
                if (counters.TryTake(demands, out _, out var wait)) continue;
                wait.ShouldBeGreaterThan(TimeSpan.Zero);
                if (wait > TimeSpan.FromMilliseconds(1))
                {
                    time.Pass(wait - TimeSpan.FromMilliseconds(1));
                    counters.TryTake(demands, out _, out wait).ShouldBeFalse($"{count}, step {i}");
                }
                time.Pass(wait);
                counters.TryTake(demands, out _, out _).ShouldBeTrue($"{count}, step {i}");
            }
        }
    }

    [Fact]
    public void What_is_corrected_upwards_is_owed_and_what_is_corrected_downwards_is_free()
    {
        foreach (var count in Enum.GetValues<RateCount>())
        {
            var counters = new CounterSet(new ManualTime());
            var rule = Rule("r", 100, 60, count);
            var demands = new[] { new Demand(rule, "k", 60) };
            counters.TryTake(demands, out _, out _).ShouldBeTrue();
            CounterSet.Correct(demands[0], 10);
            Take(counters, (rule, 90)).ShouldBeTrue();
            Take(counters, (rule, 1)).ShouldBeFalse();
            demands = [new Demand(rule, "other", 10)];
            counters.TryTake(demands, out _, out _).ShouldBeTrue();
            CounterSet.Correct(demands[0], 150);
            counters.TryTake([new Demand(rule, "other", 1)], out _, out var wait).ShouldBeFalse();
            wait.ShouldBeGreaterThan(TimeSpan.FromSeconds(count == RateCount.TokenBucket ? 30 : 0));
        }
    }

    [Fact]
    public void One_call_larger_than_the_limit_passes_when_nothing_else_has_and_is_owed()
    {
        var time = new ManualTime();
        var counters = new CounterSet(time);
        var rule = Rule("r", 10, 10);
        Take(counters, (rule, 25)).ShouldBeTrue();
        time.Pass(TimeSpan.FromSeconds(24));
        Take(counters, (rule, 10)).ShouldBeFalse();
        time.Pass(TimeSpan.FromSeconds(1));
        Take(counters, (rule, 10)).ShouldBeTrue();
    }

    [Fact]
    public void A_clock_set_back_an_hour_locks_nobody_out()
    {
        var time = new JumpingTime();
        var counters = new CounterSet(time);
        foreach (var rule in Enum.GetValues<RateCount>().Select(count => Rule(count.ToString(), 5, 10, count)))
        {
            for (var i = 0; i < 5; i++) Take(counters, (rule, 1)).ShouldBeTrue();
            time.Jump(TimeSpan.FromHours(-1));
            time.Pass(TimeSpan.FromSeconds(20));
            Take(counters, (rule, 1)).ShouldBeTrue(rule.Id);
        }
    }

    [Fact]
    public async Task Counters_at_rest_are_swept_and_those_in_use_are_not()
    {
        var time = new ManualTime();
        var counters = new CounterSet(time);
        var rule = Rule("r", 2, 10);
        for (var i = 0; i < 100_000; i++) counters.TryTake([new Demand(rule, $"a{i}", 1)], out _, out _);
        time.Pass(TimeSpan.FromSeconds(60));
        Take(counters, (rule, 2)).ShouldBeTrue();
        for (var i = 0; i < 10; i++) counters.TryTake([new Demand(rule, $"b{i}", 1)], out _, out _);
        for (var tries = 0; counters.Count > 1_000 && tries < 6_000; tries++) await Task.Delay(10);
        counters.Count.ShouldBeLessThan(1_000);
        Take(counters, (rule, 1)).ShouldBeFalse();
    }

    private sealed class JumpingTime : TimeProvider
    {
        private long steady = TimeSpan.TicksPerHour, wall = new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero).UtcTicks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => new(wall, TimeSpan.Zero);

        public override long GetTimestamp() => steady;

        public void Pass(TimeSpan by) => (steady, wall) = (steady + by.Ticks, wall + by.Ticks);

        public void Jump(TimeSpan by) => wall += by.Ticks;
    }
}
