using Turnpike.Tests.Catalog;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Limits;

/// <summary>Limits by who pays, by where calls come from, and by what an agent works on.</summary>
public sealed class PayerLimitTests
{
    private static TestGate Gate(string limit) => new(document: $$"""
        payments: { prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" } }
        limits: { unpaid: { amount: 1000 requests, per: 1m } }
        services:
          s:
            upstream: ${env:UPSTREAM}
            operations:
              paid: { match: GET /paid, price: 0.10 USD, limits: [{{limit}}] }
              free: { match: GET /free, price: free, limits: [{{limit}}] }
        plans: { all: { includes: [{ amount: 100 requests, per: 1d }] } }
        callers: { agent: { plan: all, keys: ["${env:AGENT_KEY}"] }, other: { organisation: acme, keys: ["${env:OLD_AGENT_KEY}"] } }
        """);

    private static async Task<int> UntilAsync(TestGate gate, Ask ask, int most = 30)
    {
        for (var i = 0; i < most; i++)
            if ((await gate.SendAsync(ask)).Status == 429) return i;
        return most;
    }

    [Fact]
    public async Task A_payer_is_limited_when_it_is_verified_and_nothing_is_held_for_the_one_too_many()
    {
        using var gate = Gate("{ amount: 3 requests, per: 1m, key: [payer] }");
        var (one, two) = (await gate.TokenAsync("10.00 USD"), await gate.TokenAsync("10.00 USD"));
        (await UntilAsync(gate, new Ask("GET", "/paid", ("Authorization", one)))).ShouldBe(3);
        var told = await gate.GetAsync("/paid", ("Authorization", one));
        (told.Status, told.Reason, told.Headers.RetryAfter.ToString(), told.Headers["RateLimit"].ToString()).ShouldBe((429, "too-many-calls", "20", "\"requests-60s\";r=0;t=20"));
        (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(one), "USD", default)).ToString().ShouldBe("9.70 USD");
        (await gate.GetAsync("/paid", ("Authorization", two))).ShouldSatisfyAllConditions(t => t.Status.ShouldBe(200), t => t.Headers["RateLimit"].ToString().ShouldStartWith("\"requests-60s\";r=2"));
        for (var i = 0; i < 10; i++) (await gate.GetAsync("/paid")).Status.ShouldBe(402, "terms are nobody's payment");
        (await UntilAsync(gate, new Ask("GET", "/free"))).ShouldBe(30, "nobody pays for what is free");
        (await UntilAsync(gate, new Ask("GET", "/paid", ("apikey", Documents.Variables["AGENT_KEY"])), 10)).ShouldBe(10, "a plan is no payment");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_payer_is_limited_in_money_by_the_model_and_operation_it_is_for()
    {
        using var gate = Gate("{ amount: 0.25 USD, per: 1m, key: [payer, operation] }");
        (await UntilAsync(gate, new Ask("GET", "/paid", ("Authorization", await gate.TokenAsync())))).ShouldBe(2);
    }

    [Theory]
    [InlineData("203.0.113.7", "203.0.113.99", true)]
    [InlineData("203.0.113.7", "203.0.114.7", false)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:9::1", true)]
    [InlineData("2001:db8:1::1", "2001:db8:2::1", false)]
    public async Task A_prefix_of_addresses_is_counted_as_one(string first, string second, bool together)
    {
        using var gate = Gate("{ amount: 2 requests, per: 1m, key: [address-prefix] }");
        (await UntilAsync(gate, new Ask("GET", "/free") { Address = first })).ShouldBe(2);
        (await gate.SendAsync(new Ask("GET", "/free") { Address = second })).Status.ShouldBe(together ? 429 : 200);
    }

    [Fact]
    public async Task A_task_is_named_by_its_header_or_by_its_trace()
    {
        using var gate = Gate("{ amount: 2 requests, per: 1m, key: [task] }");
        const string trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", span = "00-4bf92f3577b34da6a3ce929d0e0e4736-1111111111111111-01";
        (await UntilAsync(gate, new Ask("GET", "/free", ("Turnpike-Task", "t1")))).ShouldBe(2);
        (await gate.GetAsync("/free", ("Turnpike-Task", "t2"))).Status.ShouldBe(200);
        (await UntilAsync(gate, new Ask("GET", "/free", ("traceparent", trace)))).ShouldBe(2);
        (await gate.GetAsync("/free", ("traceparent", span))).Status.ShouldBe(429, "the same trace, another span");
        (await gate.GetAsync("/free", ("traceparent", span), ("Turnpike-Task", "t3"))).Status.ShouldBe(200, "the header says it better");
    }

    [Fact]
    public async Task Nobody_comes_to_stand_in_anothers_place_by_what_they_call_their_task()
    {
        using var gate = Gate("{ amount: 2 requests, per: 1m, key: [organisation, task] }");
        (await UntilAsync(gate, new Ask("GET", "/free", ("Turnpike-Task", "acme|build")))).ShouldBe(2);
        (await UntilAsync(gate, new Ask("GET", "/free", ("Turnpike-Task", "acme")))).ShouldBe(2);
        (await gate.GetAsync("/free", ("apikey", Documents.Variables["OLD_AGENT_KEY"]), ("Turnpike-Task", "build"))).Status.ShouldBe(200);
        (await gate.GetAsync("/free", ("apikey", Documents.Variables["OLD_AGENT_KEY"]))).Status.ShouldBe(200);
    }
}
