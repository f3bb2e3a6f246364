using Turnpike.Ledger;
using Turnpike.Limits;
using Turnpike.Tests.Gateway;
using Turnpike.Tokens;

namespace Turnpike.Tests.Payments.Prepaid;

/// <summary>Calls on a prepaid budget: what a token buys, and every way it does not.</summary>
public sealed class PrepaidCallTests : IDisposable
{
    private readonly TestGate gate = new();

    public void Dispose() => gate.Dispose();

    [Fact]
    public async Task A_token_pays_a_call_and_is_told_what_is_left()
    {
        var told = await gate.GetAsync("/forecast/paris", ("Authorization", await gate.TokenAsync()));
        (told.Status, told.Body).ShouldBe((200, "sunny"));
        told.Headers["Turnpike-Cost"].ToString().ShouldBe("0.01 USD");
        told.Headers["Turnpike-Remaining"].ToString().ShouldBe("0.99 USD");
        told.Headers["Turnpike-Receipt"].ToString().ShouldContain("/receipts/r_");
        told.Headers.CacheControl.ToString().ShouldBe("private, no-store");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Of_100_calls_at_once_on_budget_for_37_exactly_37_are_served()
    {
        var token = await gate.TokenAsync("0.37 USD");
        var all = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Task.Run(() => gate.GetAsync($"/forecast/c{i}", ("Authorization", token)))));
        all.Count(t => t.Status == 200).ShouldBe(37);
        all.Count(t => t is { Status: 402, Reason: "token-exhausted" }).ShouldBe(63);
        gate.Upstream.Requests.Count.ShouldBe(37);
        (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).Units.ShouldBe(0);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Calls_are_counted_beside_the_money()
    {
        var token = await gate.TokenAsync(change: o => o with { Calls = 2 });
        for (var i = 0; i < 2; i++) (await gate.GetAsync("/forecast/paris", ("Authorization", token))).Status.ShouldBe(200);
        var third = await gate.GetAsync("/forecast/paris", ("Authorization", token));
        (third.Status, third.Reason).ShouldBe((402, "token-over-called"));
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task An_answer_that_breaks_off_gives_back_the_call_as_well_as_the_money()
    {
        var token = await gate.TokenAsync("0.01 USD", o => o with { Calls = 1 });
        gate.Upstream.Says(() => new HttpResponseMessage { Content = new Pieces("half"u8.ToArray(), null) });
        (await gate.GetAsync("/forecast/paris", ("Authorization", token))).Aborted.ShouldBeTrue();
        gate.Upstream.Says(() => ScriptedUpstream.Text("whole"));
        (await gate.GetAsync("/forecast/paris", ("Authorization", token))).Body.ShouldBe("whole");
        (await gate.GetAsync("/forecast/paris", ("Authorization", token))).Status.ShouldBe(402);
        await gate.ShouldBalanceAsync();
    }

    public static TheoryData<string, int, string> Refused => new()
    {
        { "cap", 403, "token-call-cap" },
        { "operation", 403, "token-wrong-operation" },
        { "revoked", 403, "token-revoked" },
        { "frozen", 403, "token-frozen" },
        { "expired", 402, "token-expired" },
        { "exhausted", 402, "token-exhausted" },
        { "euros", 402, "token-exhausted" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task A_token_that_may_not_is_told_why_and_the_upstream_is_not_asked(string how, int status, string reason)
    {
        var token = await gate.TokenAsync(how switch { "exhausted" => "0.009 USD", "euros" => "1.00 EUR", _ => "1.00 USD" }, o => how switch
        {
            "cap" => o with { PerCall = new Money(9_000_000, "USD") },
            "operation" => o with { Operations = ["history"] },
            "expired" => o with { Valid = TimeSpan.FromMinutes(1) },
            _ => o,
        });
        if (how is "revoked" or "frozen") await gate.Of<TokenDesk>().SetStatusAsync(TestGate.IdOf(token), how == "revoked" ? TokenStatus.Revoked : TokenStatus.Frozen, "test", default);
        gate.Time.Pass(TimeSpan.FromMinutes(1));
        var told = await gate.GetAsync("/forecast/paris", ("Authorization", token));
        (told.Status, told.Reason).ShouldBe((status, reason));
        if (status == 402) told.Json.GetProperty("offers").GetArrayLength().ShouldBeGreaterThan(0);
        gate.Upstream.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Who_has_too_little_left_is_told_where_there_is_more_and_nobody_else()
    {
        using var shop = new TestGate(document: """
            gateway: { sandbox: true }
            payments:
              prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}", bundles: [{ price: 1.00 USD, budget: 1.00 USD }] }
            services: { s: { upstream: "${env:UPSTREAM}", operations: { data: { match: GET /data, price: 1.00 USD } } } }
            """);
        (await shop.GetAsync("/data")).Json.TryGetProperty("topUpUrl", out _).ShouldBeFalse("it has nothing to top up");
        var told = await shop.GetAsync("/data", ("Authorization", await shop.TokenAsync("0.50 USD")));
        (told.Reason, told.Json.GetProperty("topUpUrl").GetString()).ShouldBe(("token-exhausted", "http://127.0.0.1:8402/buy/data"));
        (await gate.GetAsync("/forecast/paris", ("Authorization", await gate.TokenAsync("0.001 USD")))).Json.TryGetProperty("topUpUrl", out _).ShouldBeFalse("none are sold");
    }

    [Fact]
    public async Task Revoking_is_in_force_for_the_next_call_and_final()
    {
        var token = await gate.TokenAsync();
        (await gate.GetAsync("/forecast/paris", ("Authorization", token))).Status.ShouldBe(200);
        (await gate.Of<TokenDesk>().SetStatusAsync(TestGate.IdOf(token), TokenStatus.Revoked, "lost", default)).ShouldBeTrue();
        (await gate.GetAsync("/forecast/paris", ("Authorization", token))).Reason.ShouldBe("token-revoked");
        (await gate.Of<TokenDesk>().SetStatusAsync(TestGate.IdOf(token), TokenStatus.Active, "found", default)).ShouldBeFalse();
        (await gate.GetAsync("/forecast/paris", ("Authorization", token))).Reason.ShouldBe("token-revoked");
    }

    [Fact]
    public async Task A_tokens_own_rate_makes_it_wait_as_long_as_it_is_told()
    {
        var token = await gate.TokenAsync(change: o => o with { Rate = new RateLimit(2, TimeSpan.FromMinutes(1), []) });
        for (var i = 0; i < 2; i++) (await gate.GetAsync("/forecast/paris", ("Authorization", token))).Status.ShouldBe(200);
        var told = await gate.GetAsync("/forecast/paris", ("Authorization", token));
        (told.Status, told.Reason, told.Headers.RetryAfter.ToString()).ShouldBe((429, "too-many-calls", "30"));
        told.Headers["RateLimit-Policy"].ToString().ShouldBe("\"token\";q=2;w=60");
        gate.Time.Pass(TimeSpan.FromSeconds(30));
        (await gate.GetAsync("/forecast/paris", ("Authorization", token))).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_typing_error_is_told_and_never_looked_up()
    {
        var token = await gate.TokenAsync();
        var typo = token[..^1] + (token[^1] == '0' ? '1' : '0');
        var told = await gate.GetAsync("/forecast/paris", ("Authorization", typo));
        (told.Status, told.Reason).ShouldBe((402, "unknown-token"));
        told.Json.GetProperty("detail").GetString()!.ShouldContain("typing error");
    }

    [Fact]
    public async Task The_same_Idempotency_Key_replays_the_answer_and_charges_once()
    {
        var token = await gate.TokenAsync();
        var ask = new Ask("POST", "/reports", ("Authorization", token), ("Idempotency-Key", "\"k1\"")) { Body = "{\"a\":1}" };
        var first = await gate.SendAsync(ask);
        gate.Upstream.Says(() => ScriptedUpstream.Text("other"));
        var second = await gate.SendAsync(ask);
        (first.Status, second.Status, second.Body).ShouldBe((200, 200, "sunny"));
        second.Headers["Turnpike-Receipt"].ShouldBe(first.Headers["Turnpike-Receipt"]);
        gate.Upstream.Requests.Count.ShouldBe(1);
        (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).ToString().ShouldBe("0.99 USD");

        var other = await gate.SendAsync(ask with { Body = "{\"a\":2}" });
        (other.Status, other.Reason).ShouldBe((422, "idempotency-key-reused"));
        (await gate.SendAsync(new Ask("POST", "/reports", ("Authorization", await gate.TokenAsync()), ("Idempotency-Key", "\"k1\"")) { Body = "{\"a\":2}" })).Body.ShouldBe("other", "another token's keys are its own");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_key_whose_first_request_is_being_served_waits()
    {
        var (token, inside, go) = (await gate.TokenAsync(), new TaskCompletionSource(), new TaskCompletionSource());
        gate.Upstream.Answer = async (_, _) => { inside.SetResult(); await go.Task; return ScriptedUpstream.Text("late"); };
        var ask = new Ask("GET", "/forecast/paris", ("Authorization", token), ("Idempotency-Key", "\"k1\""));
        var first = gate.SendAsync(ask);
        await inside.Task;
        var second = await gate.SendAsync(ask);
        (second.Status, second.Reason, second.Headers.RetryAfter.ToString()).ShouldBe((409, "in-flight", "1"));
        go.SetResult();
        (await first).Body.ShouldBe("late");
        (await gate.SendAsync(ask)).Body.ShouldBe("late");
    }

    [Theory]
    [InlineData("\"a\"\n\"b\"")]
    [InlineData("\"unclosed")]
    public async Task A_key_that_is_none_is_told(string key) =>
        (await gate.GetAsync("/forecast/paris", ("Authorization", await gate.TokenAsync()), ("Idempotency-Key", key))).Reason.ShouldBe("malformed-request");

    [Fact]
    public async Task What_the_upstream_does_not_deliver_costs_nothing()
    {
        var token = await gate.TokenAsync();
        gate.Upstream.Says(() => ScriptedUpstream.Text("broken", System.Net.HttpStatusCode.InternalServerError));
        var told = await gate.GetAsync("/forecast/paris", ("Authorization", token));
        (told.Status, told.Body, told.Headers["Turnpike-Cost"].ToString()).ShouldBe((500, "broken", "0.00 USD"));
        (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).ToString().ShouldBe("1.00 USD");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_key_whose_answer_broke_off_is_served_again_and_charged_once()
    {
        var token = await gate.TokenAsync();
        gate.Upstream.Says(() => new HttpResponseMessage { Content = new Pieces("half"u8.ToArray(), null) });
        (await gate.GetAsync("/forecast/paris", ("Authorization", token), ("Idempotency-Key", "k1"))).Aborted.ShouldBeTrue();
        gate.Upstream.Says(() => ScriptedUpstream.Text("sunny"));
        for (var again = 0; again < 2; again++)
            (await gate.GetAsync("/forecast/paris", ("Authorization", token), ("Idempotency-Key", "k1"))).Body.ShouldBe("sunny");
        gate.Upstream.Requests.Count.ShouldBe(2);
        (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).ToString().ShouldBe("0.99 USD");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task An_answer_that_breaks_off_goes_back_to_the_budget()
    {
        var token = await gate.TokenAsync();
        gate.Upstream.Says(() => new HttpResponseMessage { Content = new Pieces("half"u8.ToArray(), null) });
        var told = await gate.GetAsync("/forecast/paris", ("Authorization", token));
        told.Aborted.ShouldBeTrue();
        (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).ToString().ShouldBe("1.00 USD");
        await gate.ShouldBalanceAsync();
    }
}
