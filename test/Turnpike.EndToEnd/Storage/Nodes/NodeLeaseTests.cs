using Microsoft.Extensions.Logging.Abstractions;
using Turnpike.Audit;
using Turnpike.Ledger;
using Turnpike.Storage;
using Turnpike.Storage.Nodes;
using Turnpike.Tokens;
using static Turnpike.Tests.Ledger.Some;

namespace Turnpike.EndToEnd.Storage.Nodes;

/// <summary>Several nodes over one PostgreSQL, each with a handle of its own in this process: leases, heirs, and who may finish what.</summary>
public sealed class NodeLeaseTests : IDisposable
{
    private readonly TemporaryDatabase place = new();
    private readonly List<IDisposable> open = [];

    [Fact]
    public async Task A_hold_of_a_lapsed_node_has_one_heir_and_its_own_node_can_no_longer_capture_it()
    {
        var (a, b, c) = (await JoinAsync("a"), await JoinAsync("b"), await JoinAsync("c"));
        await a.Ledger.PostAsync(TopUp("t", "token:a", Usd(100)), default);
        var held = ((HoldResult.Held)await a.Ledger.HoldAsync(Hold("h", Usd(40)), default)).State;
        (await b.Ledger.OrphansAsync(default)).ShouldBeEmpty();
        await LapseAsync(a);

        await Task.WhenAll(Enumerable.Range(0, 10).Select(i => (i % 2 == 0 ? b : c).Lease.RenewAsync("v", default)));
        await b.Lease.RenewAsync("v", default);
        await c.Lease.RenewAsync("v", default);
        var (ofB, ofC) = (await b.Ledger.OrphansAsync(default), await c.Ledger.OrphansAsync(default));
        (ofB.Count + ofC.Count).ShouldBe(1);
        var heir = ofB.Count == 1 ? b : c;

        await heir.Ledger.ReleaseAsync("h", "crashed", [], default);
        (await heir.Ledger.HoldAsync(Hold("h", Usd(40)), default)).ShouldBeOfType<HoldResult.Held>(); // the payer came again, to a living node
        await Should.ThrowAsync<HoldLostException>(async () => await a.Ledger.CaptureAsync(Capture("h", Usd(40), "late") with { HeldBy = held.Incarnation }, default));
        await a.Ledger.ReleaseAsync("h", "undelivered", [], default, held.Incarnation);
        (await heir.Ledger.CaptureAsync(Capture("h", Usd(40), "tx") with { HeldBy = heir.Lease.Incarnation }, default)).Status.ShouldBe(HoldStatus.Settled);
        (await a.Ledger.AvailableAsync("token:a", "USD", default)).ShouldBe(Usd(60));
        (await a.Ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_node_that_finds_itself_inherited_goes_on_as_another()
    {
        var (a, b) = (await JoinAsync("a"), await JoinAsync("b"));
        var before = a.Lease.Incarnation;
        await LapseAsync(a);
        await b.Lease.RenewAsync("v", default);
        (await a.Lease.RenewAsync("v", default)).ShouldBeFalse();
        a.Lease.Incarnation.ShouldNotBe(before);
        a.Lease.IsOurs(before).ShouldBeFalse();
        b.Lease.IsOurs(before).ShouldBeTrue();
        (await a.Lease.RenewAsync("v", default)).ShouldBeTrue();
        (await a.Ledger.HoldAsync(Hold("n", Usd(1), from: "external:p", limited: false), default)).ShouldBeOfType<HoldResult.Held>();
        (await b.Ledger.OrphansAsync(default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_heir_of_an_heir_finishes_both()
    {
        var (a, b, c) = (await JoinAsync("a"), await JoinAsync("b"), await JoinAsync("c"));
        await a.Ledger.HoldAsync(Hold("a", Usd(1), from: "external:p", limited: false), default);
        await b.Ledger.HoldAsync(Hold("b", Usd(1), from: "external:p", limited: false), default);
        await LapseAsync(a);
        await b.Lease.RenewAsync("v", default);
        await LapseAsync(b);
        await c.Lease.RenewAsync("v", default);
        (await c.Ledger.OrphansAsync(default)).Select(state => state.Hold.Id).ShouldBe(["a", "b"], ignoreOrder: true);
    }

    [Fact]
    public async Task Without_a_renewal_no_money_is_taken()
    {
        var time = new StandingTime();
        var a = await JoinAsync("a", time);
        await a.Ledger.HoldAsync(Hold("h", Usd(1), from: "external:p", limited: false), default);
        time.Passed = NodeLease.Length;
        await Should.ThrowAsync<StorageUnavailableException>(async () => await a.Ledger.HoldAsync(Hold("i", Usd(1), from: "external:p", limited: false), default));
        await Should.ThrowAsync<StorageUnavailableException>(async () => await a.Ledger.CaptureAsync(Capture("h", Usd(1), "x"), default));
        (await a.Lease.RenewAsync("v", default)).ShouldBeTrue(); // nobody inherited meanwhile
        (await a.Ledger.CaptureAsync(Capture("h", Usd(1), "x"), default)).Status.ShouldBe(HoldStatus.Settled);
    }

    [Fact]
    public async Task Two_living_nodes_of_one_name_are_refused_and_a_stopped_one_makes_way_at_once()
    {
        var a = await JoinAsync("same");
        using var renewing = new Timer(_ => _ = a.Lease.RenewAsync("v", default), null, 200, 200);
        await Should.ThrowAsync<StorageInUseException>(async () => await JoinAsync("same"));
        await renewing.DisposeAsync();
        await a.Lease.EndAsync(default);
        (await JoinAsync("same")).Lease.IsHeld.ShouldBeTrue();
    }

    [Fact]
    public async Task A_hundred_concurrent_holds_from_two_nodes_on_a_budget_for_37_give_37_and_fifty_copies_of_one_credential_give_one()
    {
        var (a, b) = (await JoinAsync("a"), await JoinAsync("b"));
        await a.Ledger.PostAsync(TopUp("t", "token:a", Usd(37)), default);
        var results = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => (i % 2 == 0 ? a : b).Ledger.HoldAsync(Hold($"h{i}", Usd(1)), default).AsTask()));
        results.Count(result => result is HoldResult.Held).ShouldBe(37);
        results.Count(result => result is HoldResult.InsufficientFunds).ShouldBe(63);
        var copies = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => (i % 2 == 0 ? a : b).Ledger.HoldAsync(Hold("once", Usd(1), from: "external:p", limited: false, receipt: $"r{i}"), default).AsTask()));
        copies.Count(result => result is HoldResult.Held).ShouldBe(1);
        (await b.Ledger.VerifyAsync(default)).ShouldSatisfyAllConditions(report => report.Findings.ShouldBeEmpty(), report => report.OpenHolds.ShouldBe(38));
    }

    [Fact]
    public async Task Nodes_that_start_at_once_on_an_empty_database_agree_on_one_key()
    {
        var store = TemporaryDatabase.NewEmpty();
        var keys = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            using var database = Database.Open(new StorageOptions(store), TimeProvider.System);
            return Convert.ToHexString(await new InstallationStore(database).KeyAsync("terms", default));
        })));
        keys.Distinct().Count().ShouldBe(1);
    }

    [Fact]
    public async Task A_token_revoked_on_one_node_is_forgotten_by_the_other()
    {
        var (a, b) = (await JoinAsync("a"), await JoinAsync("b"));
        var token = await a.Desk.IssueAsync(new TokenOrder(Usd(100)), "external:owner");
        (await b.Desk.FindAsync(token.Id, default))!.Status.ShouldBe(TokenStatus.Active);
        await a.Desk.SetStatusAsync(token.Id, TokenStatus.Revoked, "test", default);
        (await a.Desk.FindAsync(token.Id, default))!.Status.ShouldBe(TokenStatus.Revoked);
        await b.Revisions.LookAsync(default);
        (await b.Desk.FindAsync(token.Id, default))!.Status.ShouldBe(TokenStatus.Revoked);
    }

    /// <summary>The attack: have the token replaced at one node in the moment another hears of the dispute.</summary>
    [Fact]
    public async Task A_token_replaced_on_one_node_while_another_freezes_it_is_frozen_whichever_comes_first()
    {
        var (a, b) = (await JoinAsync("a"), await JoinAsync("b"));
        var outcomes = new List<bool>();
        for (var round = 0; round < 60; round++)
        {
            var token = await a.Desk.IssueAsync(new TokenOrder(Usd(100)), "external:owner");
            // The first two rounds are each order by itself, so that both come up however fast the machine is.
            if (round == 0) await b.Desk.SetStatusAsync(token.Id, TokenStatus.Frozen, "disputed", default);
            var replaced = a.Desk.SucceedAsync(token, "test", default).AsTask();
            if (round == 1) await replaced;
            var frozen = b.Desk.SetStatusAsync(token.Id, TokenStatus.Frozen, "disputed", default).AsTask();
            outcomes.Add(await replaced is not null);
            (await frozen).ShouldBeTrue();
            await Task.WhenAll(a.Revisions.LookAsync(default), b.Revisions.LookAsync(default));
            foreach (var node in new[] { a, b })
                (await node.Desk.CurrentAsync(token.Id, default))!.Status.ShouldBe(TokenStatus.Frozen, $"round {round}");
        }
        outcomes.Distinct().Count().ShouldBe(2, "both orders came up");
    }

    public void Dispose()
    {
        foreach (var each in Enumerable.Reverse(open)) each.Dispose();
        place.Dispose();
    }

    private async Task<Member> JoinAsync(string name, TimeProvider? time = null)
    {
        time ??= new StandingTime(); // no machine is too slow for its lease
        var database = place.Open();
        open.Add(database);
        var lease = await NodeLease.OpenAsync(database, name, "v", time, default);
        var audit = new AuditTrail(database, TimeProvider.System, name);
        open.Add(audit);
        var (ledger, revisions) = (new SqlLedger(database, audit, lease), new Revisions(database, time, NullLogger<Revisions>.Instance));
        return new Member(database, lease, ledger, revisions, new TokenDesk(new TokenStore(database, revisions), ledger, audit, time));
    }

    private static async Task LapseAsync(Member node) =>
        await node.Database.WriteAsync(sql => NodeStore.End(sql, node.Lease.Incarnation), default);

    private sealed record Member(Database Database, NodeLease Lease, SqlLedger Ledger, Revisions Revisions, TokenDesk Desk);

    /// <summary>A clock that passes when it is told to.</summary>
    private sealed class StandingTime : TimeProvider
    {
        public TimeSpan Passed { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => TimeSpan.TicksPerDay + Passed.Ticks;
    }
}
