using Microsoft.Extensions.Logging.Abstractions;
using Turnpike.Audit;
using Turnpike.Ledger;
using Turnpike.Plans.Grants;
using Turnpike.Storage;
using Turnpike.Storage.Nodes;
using Turnpike.Tokens;
using static Turnpike.Tests.Ledger.Some;

namespace Turnpike.EndToEnd.Storage.Nodes;

/// <summary>Balances on two nodes over one PostgreSQL: granted on one, spent on both, finished by the heir, expired once.</summary>
public sealed class BalanceNodesTests : IDisposable
{
    private readonly TemporaryDatabase place = new();
    private readonly List<IDisposable> open = [];
    private readonly Moving time = new();

    [Fact]
    public async Task Granted_on_one_it_is_spent_on_both_exactly_and_what_a_dead_node_held_is_there_again()
    {
        var (a, b) = (await JoinAsync("a"), await JoinAsync("b"));
        for (var i = 0; i < 10; i++) (await a.Grants.GrantAsync(new Grant("bot", $"g{i}", i == 3 ? GrantKind.Promotional : GrantKind.Paid, Usd(37)) { Priority = i == 3 ? 1 : 100, Expires = time.GetUtcNow().AddDays(20 - i) }, default)).ShouldNotBeNull();
        (await b.Rows.AnyAsync("bot", default)).ShouldBeTrue();
        var sources = await b.Rows.SourcesAsync("bot", "USD", time.GetUtcNow(), default);
        sources.ShouldBe(["balance:bot:g3", "balance:bot:g9", "balance:bot:g8", "balance:bot:g7", "balance:bot:g6", "balance:bot:g5", "balance:bot:g4", "balance:bot:g2", "balance:bot:g1", "balance:bot:g0"]);
        Hold Spend(int i) => Hold($"h{i}", Usd(10), sources[0]) with { Sources = sources };
        using var spent = new CancellationTokenSource();
        var kept = KeepAsync(spent.Token, a, b); // however long it takes here, both live
        var results = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Task.Run(async () => await (i % 2 == 0 ? a : b).Ledger.HoldAsync(Spend(i), default))));
        await spent.CancelAsync();
        await kept;
        results.Count(r => r is HoldResult.Held).ShouldBe(37);
        (await a.Rows.SourcesAsync("bot", "USD", time.GetUtcNow(), default)).ShouldBeEmpty();

        await a.Database.WriteAsync(sql => NodeStore.End(sql, a.Lease.Incarnation), default);
        await b.Lease.RenewAsync("v", default);
        foreach (var orphan in await b.Ledger.OrphansAsync(default)) await b.Ledger.ReleaseAsync(orphan.Hold.Id, "crashed", [], default);
        var held = Enumerable.Range(0, 100).Count(i => i % 2 == 1 && results[i] is HoldResult.Held);
        (await b.Grants.ListAsync("bot", 100, default)).Sum(s => s.Left.Units).ShouldBe(Usd(370 - 10 * held).Units);
        (await b.Ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    [Fact]
    public async Task Two_nodes_that_expire_at_once_take_what_is_unused_once()
    {
        var (a, b) = (await JoinAsync("a"), await JoinAsync("b"));
        await a.Grants.GrantAsync(new Grant("bot", "short", GrantKind.Paid, Usd(100)) { Expires = time.GetUtcNow().AddHours(1) }, default);
        await a.Grants.GrantAsync(new Grant("bot", "long", GrantKind.Paid, Usd(50)), default);
        await b.Ledger.HoldAsync(Hold("h", Usd(30), "balance:bot:short"), default);
        time.Passed = TimeSpan.FromHours(2);
        (await b.Rows.SourcesAsync("bot", "USD", time.GetUtcNow(), default)).ShouldBe(["balance:bot:long"]);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => (i % 2 == 0 ? a : b).Grants.ExpireAsync(default).AsTask())));
        (await a.Ledger.VerifyAsync(default)).Totals.ShouldContain(new AccountTotal("breakage", Usd(70)));
        await b.Ledger.ReleaseAsync("h", "undelivered", [], default);
        await b.Grants.ExpireAsync(default);
        (await a.Ledger.VerifyAsync(default)).ShouldSatisfyAllConditions(r => r.Findings.ShouldBeEmpty(), r => r.Totals.ShouldContain(new AccountTotal("breakage", Usd(100))), r => r.Totals.ShouldContain(new AccountTotal("balance", Usd(50))));
    }

    [Fact]
    public async Task A_transfer_between_tokens_sent_to_both_nodes_moves_once_and_a_freeze_on_one_holds_on_the_other()
    {
        var (a, b) = (await JoinAsync("a"), await JoinAsync("b"));
        var (one, two) = (await a.Desk.IssueAsync(new TokenOrder(Usd(100)) { Owner = "acme", Gift = Usd(20) }, "external:owner"), await b.Desk.IssueAsync(new TokenOrder(Usd(100)) { Owner = "acme" }, "external:owner"));
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(async () => (await (i % 2 == 0 ? a : b).Handover.MoveAsync(one.Id, two.Id, Usd(40), "k", default)).ShouldBeNull())));
        (await a.Handover.MoveAsync(one.Id, two.Id, Usd(41), "k2", default))!.Value.Reason.Code.ShouldBe("token-exhausted");
        await a.Desk.SetStatusAsync(one.Id, TokenStatus.Frozen, "disputed", default);
        (await b.Handover.MoveAsync(one.Id, two.Id, Usd(1), "k3", default))!.Value.Reason.Code.ShouldBe("token-frozen");
        ((await b.Ledger.AvailableAsync(one.Account, "USD", default)), (await b.Ledger.AvailableAsync(two.Account, "USD", default))).ShouldBe((Usd(60), Usd(140)));
        (await b.Ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    public void Dispose()
    {
        foreach (var each in Enumerable.Reverse(open)) each.Dispose();
        place.Dispose();
    }

    private static async Task KeepAsync(CancellationToken until, params Member[] members)
    {
        while (!until.IsCancellationRequested)
        {
            foreach (var member in members) await member.Lease.RenewAsync("v", default);
            await Task.Delay(200, CancellationToken.None);
        }
    }

    private async Task<Member> JoinAsync(string name)
    {
        var database = place.Open();
        open.Add(database);
        var lease = await NodeLease.OpenAsync(database, name, "v", TimeProvider.System, default);
        var audit = new AuditTrail(database, TimeProvider.System, name);
        open.Add(audit);
        var (ledger, revisions) = (new SqlLedger(database, audit, lease), new Revisions(database, TimeProvider.System, NullLogger<Revisions>.Instance));
        var (tokens, grants) = (new TokenStore(database, revisions), new GrantStore(database, revisions));
        return new Member(database, lease, ledger, grants, new GrantDesk(grants, ledger, time), new TokenDesk(tokens, ledger, audit, time), new TokenHandover(tokens, new HandoverStore(database, revisions, time), ledger, time));
    }

    private sealed record Member(Database Database, NodeLease Lease, SqlLedger Ledger, GrantStore Rows, GrantDesk Grants, TokenDesk Desk, TokenHandover Handover);

    private sealed class Moving : TimeProvider
    {
        public TimeSpan Passed { get; set; }

        public override DateTimeOffset GetUtcNow() => new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero) + Passed;
    }
}
