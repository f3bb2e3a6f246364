using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Payments.Refunds;
using Turnpike.Plans.Grants;
using Turnpike.Tests.Catalog;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Payments.Included;

/// <summary>A caller without a token spends what it was granted, in the burn order, exactly.</summary>
public sealed class BalanceMethodTests
{
    private static readonly (string, string?) Key = ("apikey", Documents.Variables["AGENT_KEY"]);

    private const string Document = """
        payments: { prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" }, balance: true }
        services: { s: { upstream: "${env:UPSTREAM}", operations: { paid: { match: GET /paid, price: 0.10 USD }, order: { match: POST /order, price: 0.10 USD }, tokens: { match: GET /tokens, price: 0.10 USD, accept: [prepaid] } } } }
        plans: { two: { includes: [{ amount: 2 requests, per: 1d }] } }
        callers: { agent: { keys: ["${env:AGENT_KEY}"] } }
        """;

    private static TestGate Gate(string document = Document) => new(document: document);

    private static async Task GrantAsync(TestGate gate, string id, string amount, GrantKind kind = GrantKind.Paid, int priority = Grant.UsualPriority, TimeSpan? valid = null)
    {
        Money.TryParse(amount, out var money).ShouldBeTrue();
        (await gate.Of<GrantDesk>().GrantAsync(new Grant("agent", id, kind, money) { Priority = priority, Expires = gate.Time.GetUtcNow() + valid }, default)).ShouldNotBeNull();
    }

    private static async Task<string> LeftAsync(TestGate gate, string id) => (await gate.Ledger.AvailableAsync($"balance:agent:{id}", "USD", default)).ToDecimal();

    [Fact]
    public async Task It_burns_by_priority_then_expiry_then_order_and_a_call_may_span_several_grants()
    {
        using var gate = Gate();
        await GrantAsync(gate, "z-first", "0.15 USD");
        gate.Time.Pass(TimeSpan.FromSeconds(1));
        await GrantAsync(gate, "a-second", "0.15 USD");
        await GrantAsync(gate, "later", "0.05 USD", valid: TimeSpan.FromDays(9));
        await GrantAsync(gate, "sooner", "0.05 USD", valid: TimeSpan.FromDays(2));
        await GrantAsync(gate, "gift", "0.05 USD", GrantKind.Promotional, priority: 1);
        await GrantAsync(gate, "last", "0.10 USD", priority: 500, valid: TimeSpan.FromDays(1));
        string[] all = ["gift", "sooner", "later", "z-first", "a-second", "last"];
        List<string> seen = [];
        for (var i = 0; i < 5; i++)
        {
            var told = await gate.GetAsync("/paid", Key);
            told.Status.ShouldBe(200);
            seen.Add(told.Headers["Turnpike-Remaining"] + ": " + string.Join(' ', await Task.WhenAll(all.Select(id => LeftAsync(gate, id)))));
        }
        seen.ShouldBe([
            "0.45 USD: 0.00 0.00 0.05 0.15 0.15 0.10",
            "0.35 USD: 0.00 0.00 0.00 0.10 0.15 0.10",
            "0.25 USD: 0.00 0.00 0.00 0.00 0.15 0.10",
            "0.15 USD: 0.00 0.00 0.00 0.00 0.05 0.10",
            "0.05 USD: 0.00 0.00 0.00 0.00 0.00 0.05",
        ]);
        var short_ = await gate.GetAsync("/paid", Key);
        (short_.Status, short_.Reason).ShouldBe((402, "balance-exhausted"));
        short_.Json.GetProperty("offers").EnumerateArray().Select(o => o.GetProperty("method").GetString()).ShouldBe(["prepaid", "balance"]);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_hundred_concurrent_calls_spend_exactly_what_was_granted()
    {
        using var gate = Gate();
        for (var i = 0; i < 10; i++) await GrantAsync(gate, $"g{i}", "0.37 USD");
        var told = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Task.Run(() => gate.GetAsync("/paid", Key))));
        (told.Count(t => t.Status == 200), told.Count(t => t.Reason == "balance-exhausted"), gate.Upstream.Requests.Count).ShouldBe((37, 63, 37));
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task What_was_not_delivered_returns_to_the_grants_it_came_from()
    {
        using var gate = Gate();
        await GrantAsync(gate, "a", "0.04 USD");
        await GrantAsync(gate, "b", "0.30 USD", priority: 200);
        gate.Upstream.Says(() => ScriptedUpstream.Text("no", System.Net.HttpStatusCode.InternalServerError));
        (await gate.GetAsync("/paid", Key)).Status.ShouldBe(500);
        gate.Upstream.Answer = (_, _) => Task.FromResult(new HttpResponseMessage { Content = new Pieces("half"u8.ToArray(), null) });
        await gate.GetAsync("/paid", Key);
        (await LeftAsync(gate, "a"), await LeftAsync(gate, "b")).ShouldBe(("0.04", "0.30"));
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Expiry_takes_what_is_unused_and_no_more()
    {
        using var gate = Gate();
        await GrantAsync(gate, "paid", "0.25 USD", valid: TimeSpan.FromDays(1));
        await GrantAsync(gate, "gift", "0.05 USD", GrantKind.Promotional, valid: TimeSpan.FromDays(1));
        await GrantAsync(gate, "kept", "0.10 USD");
        (await gate.GetAsync("/paid", Key)).Status.ShouldBe(200);
        gate.Time.Pass(TimeSpan.FromDays(2));
        await gate.Of<GrantDesk>().ExpireAsync(default);
        await gate.Of<GrantDesk>().ExpireAsync(default);
        var totals = (await gate.Ledger.VerifyAsync(default)).Totals;
        totals.ShouldContain(new AccountTotal("breakage", new Money(Money.Nano * 20 / 100, "USD")));
        totals.ShouldContain(new AccountTotal("balance", new Money(Money.Nano * 10 / 100, "USD")));
        (await gate.GetAsync("/paid", Key)).Status.ShouldBe(200);
        (await gate.GetAsync("/paid", Key)).Reason.ShouldBe("balance-exhausted");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task What_expired_is_not_spent_before_it_is_taken_out()
    {
        using var gate = Gate();
        await GrantAsync(gate, "short", "5.00 USD", valid: TimeSpan.FromMinutes(1));
        gate.Time.Pass(TimeSpan.FromMinutes(1));
        (await gate.GetAsync("/paid", Key)).Reason.ShouldBe("balance-exhausted");
    }

    [Fact]
    public async Task A_token_that_is_presented_pays_and_the_plan_goes_before_the_balance()
    {
        using var gate = Gate(Document.Replace("{ keys:", "{ plan: two, keys:", StringComparison.Ordinal));
        await GrantAsync(gate, "a", "0.10 USD");
        (await gate.GetAsync("/paid", Key)).Headers["Turnpike-Cost"].ToString().ShouldBe("1 requests");
        (await gate.GetAsync("/paid", Key)).Headers["Turnpike-Cost"].ToString().ShouldBe("1 requests");
        (await gate.GetAsync("/paid", Key, ("Authorization", await gate.TokenAsync()))).Headers["Turnpike-Remaining"].ToString().ShouldBe("0.90 USD");
        (await gate.GetAsync("/paid", Key)).Headers["Turnpike-Cost"].ToString().ShouldBe("0.10 USD");
        (await gate.GetAsync("/paid", Key)).Reason.ShouldBe("allowance-used-up");
    }

    [Fact]
    public async Task Nobody_spends_a_balance_without_its_key_where_it_is_not_accepted_or_not_switched_on()
    {
        using var gate = Gate();
        await GrantAsync(gate, "a", "5.00 USD");
        (await gate.GetAsync("/paid")).Reason.ShouldBe("payment-required");
        (await gate.GetAsync("/tokens", Key)).Reason.ShouldBe("payment-required");
        gate.Edit(", balance: true", "");
        (await gate.GetAsync("/paid", Key)).Reason.ShouldBe("payment-required");
        (await LeftAsync(gate, "a")).ShouldBe("5.00");
    }

    [Fact]
    public async Task The_same_idempotency_key_pays_once_and_another_request_under_it_is_refused()
    {
        using var gate = Gate();
        await GrantAsync(gate, "a", "1.00 USD");
        var once = new Ask("POST", "/order", Key, ("Idempotency-Key", "k")) { Body = "{}" };
        (await gate.SendAsync(once)).Status.ShouldBe(200);
        (await gate.SendAsync(once)).Status.ShouldBe(200);
        (await gate.SendAsync(once with { Body = "[]" })).Reason.ShouldBe("idempotency-key-reused");
        (gate.Upstream.Requests.Count, await LeftAsync(gate, "a")).ShouldBe((1, "0.90"));
    }

    [Fact]
    public async Task A_grant_is_given_once_for_its_id_and_another_one_under_it_is_refused()
    {
        using var gate = Gate();
        var desk = gate.Of<GrantDesk>();
        var grant = new Grant("agent", "invoice-1", GrantKind.Paid, new Money(Money.Nano, "USD"));
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(async () => (await desk.GrantAsync(grant, default)).ShouldNotBeNull())));
        (await desk.GrantAsync(grant with { Amount = new Money(2, "USD") }, default)).ShouldBeNull();
        (await desk.GrantAsync(grant with { Kind = GrantKind.Promotional }, default)).ShouldBeNull();
        (await LeftAsync(gate, "invoice-1")).ShouldBe("1.00");
    }

    [Fact]
    public async Task A_grant_that_is_taken_back_goes_to_where_it_came_from_and_calls_keep_what_they_hold()
    {
        using var gate = Gate();
        await GrantAsync(gate, "gift", "0.30 USD", GrantKind.Promotional);
        gate.Upstream.Answer = async (_, _) =>
        {
            (await gate.Of<GrantDesk>().TakeBackAsync("agent", "gift", "a mistake", default))!.Value.Taken.ToDecimal().ShouldBe("0.20");
            return ScriptedUpstream.Text("sunny");
        };
        (await gate.GetAsync("/paid", Key)).Status.ShouldBe(200);
        (await gate.Ledger.VerifyAsync(default)).Totals.ShouldContain(new AccountTotal("external", new Money(-Money.Nano / 10, "USD")));
        await gate.ShouldBalanceAsync();
    }

    [Theory]
    [InlineData("0.03 USD", "0.00", "0.03")]
    [InlineData("0.08 USD", "0.02", "0.06")]
    [InlineData(null, "0.04", "0.06")]
    public async Task A_refund_goes_back_to_the_grants_what_was_spent_last_first(string? amount, string first, string second)
    {
        using var gate = Gate();
        await GrantAsync(gate, "gift", "0.04 USD", GrantKind.Promotional, priority: 1);
        await GrantAsync(gate, "paid", "0.06 USD");
        var receipt = (await gate.GetAsync("/paid", Key)).Headers["Turnpike-Receipt"].ToString().Split('/')[^1];
        var paid = (await gate.Ledger.FindInTurnAsync((await gate.Ledger.FindByReceiptAsync(receipt, default))!.Hold.Id, default)).ShouldNotBeNull();
        Money? wanted = amount is not null && Money.TryParse(amount, out var some) ? some : null;
        (await gate.Of<CashierReturns>().RefundAsync(new RefundOrder(paid, wanted, RefundAs.Rail, "sorry", "k"), default)).ShouldBeOfType<RefundResult.Refused>().Reason.ShouldBe("rail-cannot-refund");
        (await gate.Of<CashierReturns>().RefundAsync(new RefundOrder(paid, wanted, null, "sorry", "k"), default)).ShouldBeOfType<RefundResult.Ordered>();
        (await LeftAsync(gate, "gift"), await LeftAsync(gate, "paid")).ShouldBe((first, second));
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task After_a_crash_what_was_held_of_several_grants_is_theirs_again()
    {
        using var gate = Gate();
        await GrantAsync(gate, "a", "0.04 USD");
        await GrantAsync(gate, "b", "0.30 USD", priority: 200);
        var hold = new Hold
        {
            Id = "h1", Legs = [new Leg("balance:agent:a", "revenue:paid", new Money(Money.Nano / 10, "USD"), Limited: true)], Sources = ["balance:agent:a", "balance:agent:b"],
            Binding = "b", Receipt = "r1", Correlation = "c", Operation = "paid", Payer = "caller:agent", Method = "balance", PriceVersion = "1", Request = "GET /paid",
        };
        (await gate.Ledger.HoldAsync(hold, default)).ShouldBeOfType<HoldResult.Held>().State.Left!.Value.ToDecimal().ShouldBe("0.24");
        (await LeftAsync(gate, "a"), await LeftAsync(gate, "b")).ShouldBe(("0.00", "0.24"));
        using var next = gate.Restart();
        await next.Of<Settler>().RecoverAsync(default);
        (await LeftAsync(next, "a"), await LeftAsync(next, "b")).ShouldBe(("0.04", "0.30"));
        await next.ShouldBalanceAsync();
    }
}
