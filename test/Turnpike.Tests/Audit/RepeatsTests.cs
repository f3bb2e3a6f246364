using Turnpike.Audit;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Audit;

/// <summary>What is counted comes out as often as it went in.</summary>
public sealed class RepeatsTests
{
    private readonly ManualTime clock = new();
    private readonly Repeats repeats;

    public RepeatsTests() => repeats = new Repeats(clock);

    private static AuditEvent Terms(int correlation, string request = "GET /a") => new() { Kind = AuditKinds.Terms, Correlation = $"c{correlation}", Request = request };

    private List<AuditEvent> Take()
    {
        List<AuditEvent> due = [];
        repeats.Take(due);
        return due;
    }

    [Fact]
    public void The_first_few_stay_apart_and_the_rest_comes_when_the_window_ends()
    {
        var apart = Enumerable.Range(0, 100).Count(i => !repeats.TryCount(Terms(i)));
        apart.ShouldBe(Repeats.Apart);
        clock.Pass(Repeats.Window - TimeSpan.FromTicks(1));
        Take().ShouldBeEmpty();
        clock.Pass(TimeSpan.FromSeconds(1));
        Take().ShouldHaveSingleItem().ShouldBe(Terms(Repeats.Apart) with { Times = 100 - Repeats.Apart });
        Take().ShouldBeEmpty();
    }

    [Fact]
    public void A_flood_that_goes_on_is_counted_on_and_one_that_ended_begins_anew()
    {
        for (var i = 0; i < 100; i++) repeats.TryCount(Terms(i));
        repeats.TellAll();
        Take().Count.ShouldBe(1);
        repeats.TryCount(Terms(0)).ShouldBeTrue("nothing has ended");
        clock.Pass(Repeats.Window);
        Take().Single().Times.ShouldBe(1);
        clock.Pass(Repeats.Window);
        Take().ShouldBeEmpty();
        repeats.Any.ShouldBeFalse();
        repeats.TryCount(Terms(0)).ShouldBeFalse();
    }

    [Fact]
    public void Only_the_correlation_may_differ()
    {
        AuditEvent[] kinds =
        [
            Terms(1), Terms(1, "GET /b"), Terms(1) with { Kind = AuditKinds.Refused }, Terms(1) with { Reason = "r" }, Terms(1) with { Operation = "o" }, Terms(1) with { Caller = "k" }, Terms(1) with { Payer = "p" },
            Terms(1) with { Address = "a" }, Terms(1) with { Method = "m" }, Terms(1) with { Amount = "1 USD" }, Terms(1) with { Reference = "x" }, Terms(1) with { Detail = "d" },
        ];
        foreach (var kind in kinds)
            for (var i = 0; i < Repeats.Apart; i++) repeats.TryCount(kind with { Correlation = $"c{i}" }).ShouldBeFalse();
        foreach (var kind in kinds) repeats.TryCount(kind).ShouldBeTrue();
        repeats.TellAll();
        Take().ShouldBe(kinds, ignoreOrder: true);
    }

    [Fact]
    public void More_kinds_than_it_remembers_are_told_one_by_one()
    {
        for (var round = 0; round < 2 * Repeats.Apart; round++)
            for (var i = 0; i < 10_000; i++)
                if (i >= 4096) repeats.TryCount(Terms(round, $"GET /{i}")).ShouldBeFalse();
                else repeats.TryCount(Terms(round, $"GET /{i}"));
        repeats.TellAll();
        Take().Sum(told => told.Times).ShouldBe(4096 * Repeats.Apart);
    }
}
