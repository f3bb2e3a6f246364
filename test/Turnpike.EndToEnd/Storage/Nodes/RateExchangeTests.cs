using Microsoft.Extensions.Logging.Abstractions;
using Turnpike.Catalog;
using Turnpike.EndToEnd.Harness;
using Turnpike.Ledger;
using Turnpike.Limits;
using Turnpike.Limits.Shared;
using Turnpike.Storage;
using Turnpike.Storage.Nodes;

namespace Turnpike.EndToEnd.Storage.Nodes;

/// <summary>Nodes over one PostgreSQL count together what is counted in memory.</summary>
public sealed class RateExchangeTests : IDisposable
{
    private readonly string store = TemporaryDatabase.NewEmpty();
    private readonly List<IDisposable> open = [];

    [Theory]
    [InlineData("TokenBucket")]
    [InlineData("FixedWindow")]
    [InlineData("SlidingWindow")]
    public async Task Three_nodes_together_admit_one_limits_worth(string kind)
    {
        var nodes = (Member[])[await JoinAsync("a"), await JoinAsync("b"), await JoinAsync("c")];
        var rule = new RateRule("r", "r", new Money(300, RateRule.Requests), TimeSpan.FromHours(1)) { Count = Enum.Parse<RateCount>(kind) };
        var admitted = 0;
        for (var i = 0; i < 900; i++)
        {
            if (Take(nodes[i % 3], rule)) admitted++;
            await Task.Delay(5);
        }
        // What the others took in the last 250 ms, and on its way, may not be known yet; alone, each would admit its 300.
        admitted.ShouldBeInRange(300, 700);
    }

    [Fact]
    public async Task What_is_held_at_once_counts_at_every_node_and_a_node_that_dies_holds_nothing()
    {
        var (a, b) = (await JoinAsync("a"), await JoinAsync("b"));
        var rule = new RateRule("r", "r", new Money(5, RateRule.Requests), null);
        for (var i = 0; i < 4; i++) Take(a, rule).ShouldBeTrue();
        await Task.Delay(1000);
        Take(b, rule).ShouldBeTrue();
        await Task.Delay(4000); // longer than anything is remembered that is not said again
        Take(b, rule).ShouldBeFalse();
        Take(a, rule).ShouldBeFalse();
        await a.Exchange.StopAsync(default);
        a.Exchange.Dispose();
        await Until.HoldsAsync("what it held is free", () => Take(b, rule));
        for (var i = 0; i < 3; i++) Take(b, rule).ShouldBeTrue();
        Take(b, rule).ShouldBeFalse();
    }

    [Fact]
    public async Task A_node_that_does_not_hear_knows_it_and_hears_again()
    {
        await using var proxy = new Faults.PostgresProxy((await SharedPostgres.GetAsync()).Port);
        var behind = await JoinAsync("a", await (await SharedPostgres.GetAsync()).CreateDatabaseAsync(proxy.Port));
        await Until.HoldsAsync("it hears", () => !behind.Exchange.IsDeaf);
        proxy.Silent = true;
        await Until.HoldsAsync("it knows", () => behind.Exchange.IsDeaf);
        proxy.Silent = false;
        await Until.HoldsAsync("it hears again", () => !behind.Exchange.IsDeaf);
    }

    public void Dispose()
    {
        foreach (var each in Enumerable.Reverse(open)) each.Dispose();
    }

    private static bool Take(Member node, RateRule rule) => node.Counters.TryTake([new Demand(rule, "who", 1)], out _, out _);

    private async Task<Member> JoinAsync(string name, string? on = null)
    {
        var database = Database.Open(new StorageOptions(on ?? store), TimeProvider.System);
        open.Add(database);
        var counters = new CounterSet(TimeProvider.System);
        var exchange = new RateExchange(counters, database, await NodeLease.OpenAsync(database, name, "v", TimeProvider.System, default), TimeProvider.System, NullLogger<RateExchange>.Instance);
        open.Add(exchange);
        await exchange.StartAsync(default);
        await Task.Delay(300); // until it listens
        return new Member(counters, exchange);
    }

    private sealed record Member(CounterSet Counters, RateExchange Exchange);
}
