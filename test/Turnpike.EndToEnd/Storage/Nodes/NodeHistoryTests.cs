using Turnpike.Audit;
using Turnpike.Ledger;
using Turnpike.Storage;
using Turnpike.Storage.Nodes;
using Turnpike.Tests.Simulation.Histories;
using static Turnpike.Tests.Ledger.Some;
using static Turnpike.Tests.Simulation.Histories.BudgetObject;

namespace Turnpike.EndToEnd.Storage.Nodes;

/// <summary>Two nodes over one PostgreSQL, asked by real threads at once: together they are one ledger.</summary>
public sealed class NodeHistoryTests : IDisposable
{
    private const int Rounds = 30;
    private readonly TemporaryDatabase place = new();
    private readonly List<IDisposable> open = [];

    [Fact]
    public async Task A_budget_and_its_single_use_ids_are_linearizable_over_two_nodes()
    {
        SqlLedger[] nodes = [await JoinAsync("a"), await JoinAsync("b")];
        var random = new Random(402);
        for (var round = 0; round < Rounds; round++)
        {
            var account = $"token:{round}";
            await nodes[0].PostAsync(TopUp($"t{round}", account, Usd(3)), default);
            var work = Enumerable.Range(0, 4).Select(thread => (IReadOnlyList<(int Node, Ask Ask)>)[.. Enumerable.Range(0, 4).Select(_ => (thread % 2, Some(random, round)))]).ToList();
            var history = await Recorder.RecordAsync(work, each => DoAsync(nodes[each.Node], account, each.Ask));
            Linearizable.Check(history, new Budget(3, ""), static (budget, each, answer) => Sequentially(budget, each.Ask, answer)).ShouldBeTrue(string.Join('\n', history));
        }
        (await nodes[1].VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    /// <summary>Every call holds four of eight accounts, in any order; each node writes many calls in one transaction.</summary>
    [Fact]
    public async Task Accounts_held_together_are_never_waited_for_in_a_circle()
    {
        SqlLedger[] nodes = [await JoinAsync("a"), await JoinAsync("b")];
        string[] accounts = [.. Enumerable.Range(0, 8).Select(i => $"cap:{i}")];
        foreach (var account in accounts) await nodes[0].PostAsync(TopUp("t" + account, account, Usd(1_000)), default);
        await Task.WhenAll(Enumerable.Range(0, 32).Select(thread => Task.Run(async () =>
        {
            var random = new Random(thread);
            for (var call = 0; call < 40; call++)
            {
                var legs = accounts.OrderBy(_ => random.Next()).Take(4).Select(account => new Leg(account, "used:cap", Usd(1), Limited: true)).ToList();
                (await nodes[thread % 2].HoldAsync(Hold($"{thread}:{call}", legs), default)).ShouldBeOfType<HoldResult.Held>();
                await nodes[thread % 2].CaptureAsync(Capture($"{thread}:{call}", Usd(1), "tx"), default);
            }
        })));
        long left = 0;
        foreach (var account in accounts) left += (await nodes[0].AvailableAsync(account, "USD", default)).Units;
        left.ShouldBe(Usd(8 * 1_000 - 32 * 40 * 4).Units);
        await Task.Delay(1_500); // a server's sessions tell of deadlocks once a second
        var database = place.Options.Location[(place.Options.Location.LastIndexOf('/') + 1)..];
        (await (await SharedPostgres.GetAsync()).AskAsync($"select deadlocks from pg_stat_database where datname = '{database}'", database)).ShouldBe(0L);
    }

    public void Dispose()
    {
        foreach (var each in Enumerable.Reverse(open)) each.Dispose();
        place.Dispose();
    }

    private async Task<SqlLedger> JoinAsync(string name)
    {
        var database = place.Open();
        open.Add(database);
        var audit = new AuditTrail(database, TimeProvider.System, name);
        open.Add(audit);
        var lease = await NodeLease.OpenAsync(database, name, "v", TimeProvider.System, default);
        open.Add(new Timer(_ => _ = lease.RenewAsync("v", default), null, NodeLease.Renewal, NodeLease.Renewal));
        return new SqlLedger(database, audit, lease);
    }
}
