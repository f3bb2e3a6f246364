using Microsoft.Extensions.Logging.Abstractions;
using Turnpike.Audit;
using Turnpike.Billing;
using Turnpike.Billing.Automatic;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Storage;
using Turnpike.Storage.Nodes;
using Turnpike.Tokens;

namespace Turnpike.EndToEnd.Storage.Nodes;

/// <summary>Consents and followed money on PostgreSQL, by two nodes at once: every statement, and every race that matters.</summary>
public sealed class TopUpNodesTests : IDisposable
{
    private readonly TemporaryDatabase place = new();
    private readonly List<IDisposable> open = [];

    private static Money Usd(long cents) => new(cents * 10_000_000, "USD");

    [Fact]
    public async Task Each_time_a_token_runs_low_one_order_is_made_by_however_many_nodes_and_never_above_the_cap()
    {
        var (a, b) = (await JoinAsync("a"), await JoinAsync("b"));
        var token = await a.Desk.IssueAsync(new TokenOrder(Usd(600)), "external:stripe");
        var mandate = await AgreedAsync(a, token, "buy_1", monthly: 1200);
        (await b.Mandates.CrossedAsync(10, default)).ShouldBeEmpty("there is enough");
        for (var round = 1; round <= 3; round++)
        {
            await SpendAsync(a, token, round == 1 ? 550 : 500);
            var made = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() => (i % 2 == 0 ? a : b).Mandates.CrossAsync(mandate.Id, Usd(100_000), default).AsTask())));
            made.Count(m => m.Order is not null).ShouldBe(round == 3 ? 0 : 1, $"round {round}");
            made.Count(m => m.AtCap).ShouldBe(round == 3 ? 1 : 0, "told once");
            if (round == 3) break;
            var due = (await b.Mandates.DueAsync(10, default)).ShouldHaveSingleItem();
            var turns = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => Task.Run(() => (i % 2 == 0 ? a : b).Mandates.TurnAsync(due, TimeSpan.FromMinutes(1), default).AsTask())));
            var (taken, may) = turns.Single(t => t is not null)!.Value;
            may.ShouldBeTrue();
            await a.Desk.TopUpAsync(token, taken.Pending!, "external:stripe", Usd(500), null, null, null, DateTimeOffset.UnixEpoch, default);
            (await Task.WhenAll(a.Mandates.OverAsync(taken, $"pi_{round}", paid: true, null, default).AsTask(), b.Mandates.OverAsync(taken, $"pi_{round}", paid: true, null, default).AsTask())).Count(over => over).ShouldBe(1);
        }
        (await a.Mandates.ChargesAsync(mandate.Id, 10, default)).Select(c => c.Status).ShouldBe([PurchaseStatus.Paid, PurchaseStatus.Paid]);
        (await b.Mandates.ChargedAsync(mandate, default)).ShouldBe(Usd(1000));
        (await b.Mandates.CrossedAsync(10, default)).ShouldBeEmpty("until next month");
        (await b.Mandates.ListAsync(null, 10, default)).ShouldHaveSingleItem();
        (await b.Mandates.ListAsync(mandate.Id, 10, default)).ShouldBeEmpty();
        (await a.Ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    [Fact]
    public async Task Of_two_consents_paid_at_once_at_two_nodes_one_holds()
    {
        var (a, b) = (await JoinAsync("a"), await JoinAsync("b"));
        var token = await a.Desk.IssueAsync(new TokenOrder(Usd(600)), "external:stripe");
        for (var round = 0; round < 10; round++)
        {
            var (one, two) = (await AskedAsync(a, token, $"buy_{round}a"), await AskedAsync(b, token, $"buy_{round}b"));
            await Task.WhenAll(a.Mandates.ActivateAsync(one, "cus_1", "pm_1", default).AsTask(), b.Mandates.ActivateAsync(two, "cus_1", "pm_1", default).AsTask());
            (await a.Mandates.ListAsync(null, 100, default)).Count(m => m.Status == MandateStatus.Active).ShouldBe(1, $"round {round}");
        }
        (await a.Mandates.PaidAsync(10, default)).ShouldBeEmpty();
        var now = (await a.Mandates.FindByAccountAsync(token.Account, default))!;
        (await b.Mandates.EndAsync(now, "off", default), await a.Mandates.EndAsync(now, "off", default), await a.Mandates.ResumeAsync(now, default)).ShouldBe((true, false, false));
    }

    /// <summary>The attack: move the money at one node in the moment another is told of the dispute.</summary>
    [Fact]
    public async Task Money_moved_at_one_node_while_another_freezes_is_refused_or_followed()
    {
        var (a, b) = (await JoinAsync("a"), await JoinAsync("b"));
        for (var round = 0; round < 25; round++)
        {
            var (one, two) = (await a.Desk.IssueAsync(new TokenOrder(Usd(500)) { Owner = "acme" }, "external:stripe"), await b.Desk.IssueAsync(new TokenOrder(Usd(100)) { Owner = "acme" }, "external:owner"));
            var freezing = Task.Run(() => b.Handovers.FreezeAsync(one.Account, "USD", $"dispute:{round}", one.Created, default).AsTask());
            await Task.WhenAll(Task.Run(() => a.Handover.MoveAsync(one.Id, two.Id, Usd(300), $"k{round}", default).AsTask()), freezing);
            (await a.Tokens.FreshAsync(one.Id, default))!.Status.ShouldBe(TokenStatus.Frozen);
            if (await b.Ledger.AvailableAsync(two.Account, "USD", default) != Usd(100)) (await a.Tokens.FreshAsync(two.Id, default))!.Status.ShouldBe(TokenStatus.Frozen, $"round {round}");
            (await a.Handovers.ThawAsync($"dispute:{round}", default)).ShouldContain(one.Account);
            (await b.Tokens.FreshAsync(one.Id, default))!.Status.ShouldBe(TokenStatus.Active);
        }
        (await a.Handovers.MovedAsync("handover:nothing:k", "USD", default)).IsZero.ShouldBeTrue();
        (await a.Ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    public void Dispose()
    {
        foreach (var each in Enumerable.Reverse(open)) each.Dispose();
        place.Dispose();
    }

    private static async Task<Mandate> AskedAsync(Member node, Token token, string purchase, long monthly = 1200)
    {
        await node.Purchases.AddAsync(new Purchase(purchase, "data", Usd(500), Usd(500), null, null, token.Id, TopUp: false), default);
        await node.Purchases.SetStatusAsync(purchase, PurchaseStatus.Paid, "pi_" + purchase, default);
        await node.Mandates.AddAsync(new Mandate(Ids.New("ma"), token.Account, purchase, "data", new MandateTerms(Usd(500), Usd(500), null, null, Usd(100), Usd(monthly))), default);
        return (await node.Mandates.FindByPurchaseAsync(purchase, default))!;
    }

    private static async Task<Mandate> AgreedAsync(Member node, Token token, string purchase, long monthly)
    {
        var asked = await AskedAsync(node, token, purchase, monthly);
        (await node.Mandates.PaidAsync(10, default)).ShouldBe([purchase]);
        (await node.Mandates.ActivateAsync(asked, "cus_1", "pm_1", default)).ShouldBeTrue();
        return (await node.Mandates.FindAsync(asked.Id, default))!;
    }

    private static async Task SpendAsync(Member node, Token token, long cents) =>
        (await node.Ledger.PostAsync(new Transfer(Ids.New("x"), token.Account, "revenue:data", Usd(cents), "spent", LimitedFrom: true, LimitedTo: false), default)).ShouldBe(PostResult.Posted);

    private async Task<Member> JoinAsync(string name)
    {
        var database = place.Open();
        open.Add(database);
        var lease = await NodeLease.OpenAsync(database, name, "v", TimeProvider.System, default);
        var audit = new AuditTrail(database, TimeProvider.System, name);
        open.Add(audit);
        var (ledger, revisions) = (new SqlLedger(database, audit, lease), new Revisions(database, TimeProvider.System, NullLogger<Revisions>.Instance));
        var (tokens, handovers) = (new TokenStore(database, revisions), new HandoverStore(database, revisions, TimeProvider.System));
        return new Member(ledger, tokens, handovers, new TokenDesk(tokens, ledger, audit, TimeProvider.System), new TokenHandover(tokens, handovers, ledger, TimeProvider.System), new MandateStore(database, TimeProvider.System), new PurchaseStore(database, TimeProvider.System));
    }

    private sealed record Member(SqlLedger Ledger, TokenStore Tokens, HandoverStore Handovers, TokenDesk Desk, TokenHandover Handover, MandateStore Mandates, PurchaseStore Purchases);
}
