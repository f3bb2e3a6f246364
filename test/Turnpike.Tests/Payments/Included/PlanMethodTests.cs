using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Plans;
using Turnpike.Tests.Catalog;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Payments.Included;

/// <summary>First what the caller's plan includes, then payment.</summary>
public sealed class PlanMethodTests
{
    private static readonly (string, string?) Key = ("apikey", Documents.Variables["AGENT_KEY"]);

    /// <summary>The allowance as <paramref name="include"/> has it; the caller's name is <c>agent</c>.</summary>
    private static string With(string include) => $$"""
        payments: { prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" } }
        services:
          premium:
            upstream: ${env:UPSTREAM}
            operations:
              data: { match: GET /data, price: 0.01 USD, identity: required, accept: [plan, prepaid] }
              dear: { match: GET /dear, price: 1.00 USD, accept: [plan, prepaid] }
              order: { match: POST /order, price: 0.01 USD, accept: [plan, prepaid] }
              status: { match: GET /status, price: free }
        plans: { metered: { includes: [{{include}}] } }
        callers: { agent: { plan: metered, keys: ["${env:AGENT_KEY}"] } }
        """;

    private static readonly string Five = With("{ amount: 5 requests, per: 1m, when-used-up: pay }");

    private static TestGate Gate(string include) => new(document: With(include));

    private static async Task TakeAsync(TestGate gate, int calls)
    {
        for (var i = 0; i < calls; i++) (await gate.GetAsync("/data", Key)).Status.ShouldBe(200);
    }

    /// <summary>What was used of each.</summary>
    private static async Task<IEnumerable<(string, long?)>> UsedAsync(TestGate gate) =>
        (await gate.Of<Allowances>().LeftAsync("agent", gate.Of<CatalogSource>().Current.Settings.Get<PlanSettings>()!.Plans["metered"], gate.Time.GetUtcNow(), default)).Select(a => (a.Feature, a.Used?.Units));

    [Fact]
    public async Task Five_calls_a_minute_are_included_and_the_sixth_is_402_with_terms_and_when_it_renews()
    {
        using var gate = new TestGate(document: Five);
        for (var left = 4; left >= 0; left--)
        {
            var told = await gate.GetAsync("/data", Key);
            (told.Status, told.Headers["Turnpike-Cost"].ToString(), told.Headers["Turnpike-Remaining"].ToString()).ShouldBe((200, "1 requests", $"{left} requests"));
        }
        gate.Time.Pass(TimeSpan.FromSeconds(10));
        var sixth = await gate.GetAsync("/data", Key);
        (sixth.Status, sixth.Reason).ShouldBe((402, "allowance-used-up"));
        (sixth.Json.GetProperty("limit").GetInt32(), sixth.Json.GetProperty("used").GetInt32(), sixth.Json.GetProperty("resetAt").GetString()).ShouldBe((5, 5, "2026-11-21T12:01:00Z"));
        sixth.Json.GetProperty("price").GetProperty("amount").GetString().ShouldBe("0.01");
        sixth.Json.GetProperty("offers")[0].GetProperty("method").GetString().ShouldBe("prepaid");
        gate.Upstream.Requests.Count.ShouldBe(5);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task What_is_included_for_one_operation_is_not_used_up_by_another_though_unit_and_time_are_the_same()
    {
        using var gate = Gate("{ amount: 4 requests, per: 1d }, { amount: 2 requests, per: 1d, operations: [data] }, { amount: 1 requests, per: 1d, operations: [dear] }");
        for (var left = 1; left >= 0; left--)
        {
            var told = await gate.GetAsync("/data", Key);
            (told.Status, told.Headers["RateLimit"].ToString().Split(';')[0], told.Headers["Turnpike-Remaining"].ToString()).ShouldBe((200, "\"requests/1d@data\"", $"{left} requests"));
        }
        (await gate.GetAsync("/data", Key)).Status.ShouldBe(402);
        (await gate.GetAsync("/dear", Key)).Status.ShouldBe(200);
        (await gate.GetAsync("/dear", Key)).Status.ShouldBe(402);
        for (var left = 3; left >= 0; left--) (await gate.SendAsync(new Ask("POST", "/order", Key) { Body = "{}" })).Headers["Turnpike-Remaining"].ToString().ShouldBe($"{left} requests");
        (await gate.SendAsync(new Ask("POST", "/order", Key) { Body = "{}" })).Status.ShouldBe(402);
        (await UsedAsync(gate)).ShouldBe([("requests/1d", 4), ("requests/1d@data", 2), ("requests/1d@dear", 1)]);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_payment_lets_it_go_on_and_is_not_asked_while_the_plan_pays()
    {
        using var gate = new TestGate(document: Five);
        var token = await gate.TokenAsync("0.02 USD");
        for (var i = 0; i < 5; i++) (await gate.GetAsync("/data", Key, ("Authorization", token))).Headers["Turnpike-Cost"].ToString().ShouldBe("1 requests");
        var paid = await gate.GetAsync("/data", Key, ("Authorization", token));
        (paid.Status, paid.Headers["Turnpike-Cost"].ToString(), paid.Headers["Turnpike-Remaining"].ToString()).ShouldBe((200, "0.01 USD", "0.01 USD"));
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_new_minute_begins_anew()
    {
        using var gate = new TestGate(document: Five);
        await TakeAsync(gate, 5);
        (await gate.GetAsync("/data", Key)).Status.ShouldBe(402);
        gate.Time.Pass(TimeSpan.FromMinutes(1));
        await TakeAsync(gate, 5);
        (await gate.GetAsync("/data", Key)).Status.ShouldBe(402);
    }

    [Fact]
    public async Task A_hundred_concurrent_calls_get_exactly_what_is_included()
    {
        using var gate = new TestGate(document: Five);
        var told = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Task.Run(() => gate.GetAsync("/data", Key))));
        (told.Count(t => t.Status == 200), gate.Upstream.Requests.Count).ShouldBe((5, 5));
        told.Count(t => t.Status is 402 or 429).ShouldBe(95);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task What_was_not_delivered_is_not_taken()
    {
        using var gate = new TestGate(document: Five);
        gate.Upstream.Says(() => ScriptedUpstream.Text("no", System.Net.HttpStatusCode.InternalServerError));
        for (var i = 0; i < 10; i++) (await gate.GetAsync("/data", Key)).Status.ShouldBe(500);
        gate.Upstream.Says(() => ScriptedUpstream.Text("sunny"));
        await TakeAsync(gate, 5);
    }

    [Theory]
    [InlineData("wait", 429, "allowance-renews")]
    [InlineData("refuse", 403, "allowance-over")]
    public async Task Where_the_owner_says_so_no_payment_helps(string rule, int status, string reason)
    {
        using var gate = Gate($"{{ amount: 1 requests, per: 1h, when-used-up: {rule} }}");
        var token = await gate.TokenAsync();
        await TakeAsync(gate, 1);
        gate.Time.Pass(TimeSpan.FromMinutes(10));
        var told = await gate.GetAsync("/data", Key, ("Authorization", token));
        (told.Status, told.Reason).ShouldBe((status, reason));
        (told.Json.GetProperty("limit").GetInt32(), told.Json.GetProperty("used").GetInt32(), told.Json.GetProperty("resetAt").GetString()).ShouldBe((1, 1, "2026-11-21T13:00:00Z"));
        if (status == 429) told.Headers.RetryAfter.ToString().ShouldBe("3000");
    }

    [Fact]
    public async Task Overage_goes_on_is_counted_and_ends_where_it_says()
    {
        using var gate = Gate("{ amount: 2 requests, per: 1h, when-used-up: bill, overage: 3 requests }");
        await TakeAsync(gate, 4);
        (await UsedAsync(gate)).ShouldBe([("requests/1h", 2), ("requests/1h/overage", 2)]);
        await TakeAsync(gate, 1);
        (await gate.GetAsync("/data", Key)).Reason.ShouldBe("allowance-over");
        (await gate.Ledger.AccountAsync("overage:agent:requests/1h:2026-11-21T13:00:00Z", "requests", default)).ShouldBe(new AccountState(new Money(0, "requests"), new Money(3, "requests")));
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Overage_without_an_end_is_counted_in_entries()
    {
        using var gate = Gate("{ amount: 2 requests, per: 1h, when-used-up: bill }");
        await TakeAsync(gate, 6);
        (await gate.Ledger.VerifyAsync(default)).Totals.ShouldContain(new AccountTotal("overage", new Money(-4, "requests")));
    }

    [Fact]
    public async Task Included_money_covers_prices_until_it_does_not()
    {
        using var gate = Gate("{ amount: 1.01 USD, per: 1d }");
        (await gate.GetAsync("/dear", Key)).Headers["Turnpike-Remaining"].ToString().ShouldBe("0.01 USD");
        (await gate.GetAsync("/dear", Key)).Reason.ShouldBe("allowance-used-up");
        await TakeAsync(gate, 1);
    }

    [Fact]
    public async Task Several_allowances_are_taken_together_or_not_at_all()
    {
        using var gate = Gate("{ amount: 3 requests, per: 1m }, { amount: 4 requests, per: 1h, when-used-up: wait }");
        await TakeAsync(gate, 3);
        (await gate.GetAsync("/data", Key)).Reason.ShouldBe("allowance-used-up");
        gate.Time.Pass(TimeSpan.FromMinutes(1));
        await TakeAsync(gate, 1);
        (await gate.GetAsync("/data", Key)).Reason.ShouldBe("allowance-renews");
        (await gate.Ledger.AvailableAsync("plan:agent:requests/1m:2026-11-21T12:02:00Z", "requests", default)).Units.ShouldBe(2);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task An_allowance_for_an_operation_goes_before_one_for_all()
    {
        using var gate = Gate("{ amount: 1 requests, per: 1h }, { amount: 2 requests, per: 1d, operations: [dear] }");
        (await gate.GetAsync("/dear", Key)).Headers["Turnpike-Remaining"].ToString().ShouldBe("1 requests");
        await TakeAsync(gate, 1);
        (await gate.GetAsync("/dear", Key)).Status.ShouldBe(200);
        (await gate.GetAsync("/dear", Key)).Status.ShouldBe(402);
    }

    [Fact]
    public async Task A_retry_with_an_idempotency_key_takes_nothing_more()
    {
        using var gate = new TestGate(document: Five);
        var once = new Ask("POST", "/order", Key, ("Idempotency-Key", "k")) { Body = "{}" };
        (await gate.SendAsync(once)).Headers["Turnpike-Remaining"].ToString().ShouldBe("4 requests");
        (await gate.SendAsync(once)).Body.ShouldBe("sunny");
        (await gate.SendAsync(once with { Body = "[]" })).Reason.ShouldBe("idempotency-key-reused");
        gate.Upstream.Requests.Count.ShouldBe(1);
        await TakeAsync(gate, 4);
    }

    [Fact]
    public async Task A_retry_of_what_a_token_paid_is_not_taken_from_the_plan_when_that_begins_anew()
    {
        using var gate = new TestGate(document: Five);
        var token = await gate.TokenAsync();
        await TakeAsync(gate, 5);
        var once = new Ask("POST", "/order", Key, ("Authorization", token), ("Idempotency-Key", "k")) { Body = "{}" };
        (await gate.SendAsync(once)).Headers["Turnpike-Cost"].ToString().ShouldBe("0.01 USD");
        gate.Time.Pass(TimeSpan.FromMinutes(1));
        (await gate.SendAsync(once)).Headers["Turnpike-Cost"].ToString().ShouldBe("0.01 USD");
        gate.Upstream.Requests.Count.ShouldBe(6);
    }

    [Fact]
    public async Task An_answer_that_broke_off_gives_its_request_back()
    {
        using var gate = new TestGate(document: Five);
        gate.Upstream.Answer = (_, _) => Task.FromResult(new HttpResponseMessage { Content = new Pieces("half"u8.ToArray(), null) });
        await gate.GetAsync("/data", Key);
        gate.Upstream.Says(() => ScriptedUpstream.Text("sunny"));
        await TakeAsync(gate, 5);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_malformed_payment_is_told_before_the_plan_pays()
    {
        using var gate = new TestGate(document: Five);
        (await gate.GetAsync("/data", Key, ("Authorization", "Bearer tp_x"))).Reason.ShouldBe("unknown-token");
    }

    [Fact]
    public async Task A_larger_amount_in_the_document_holds_at_once_and_a_smaller_one_from_the_next_period()
    {
        using var gate = new TestGate(document: Five);
        await TakeAsync(gate, 5);
        gate.Edit("5 requests", "7 requests");
        await TakeAsync(gate, 2);
        gate.Edit("7 requests", "3 requests");
        var over = await gate.GetAsync("/data", Key);
        (over.Json.GetProperty("limit").GetInt32(), over.Json.GetProperty("used").GetInt32()).ShouldBe((7, 7));
        gate.Time.Pass(TimeSpan.FromMinutes(1));
        await TakeAsync(gate, 3);
        (await gate.GetAsync("/data", Key)).Status.ShouldBe(402);
    }

    [Fact]
    public async Task What_was_granted_on_top_is_taken_when_the_allowance_is_used_up()
    {
        using var gate = new TestGate(document: Five);
        await gate.Ledger.PostAsync(new Transfer("g1", "external:owner", "grant:agent", new Money(2, "requests"), "grant", LimitedFrom: false, LimitedTo: true), default);
        await TakeAsync(gate, 7);
        (await gate.GetAsync("/data", Key)).Status.ShouldBe(402);
        await gate.ShouldBalanceAsync();
    }
}
