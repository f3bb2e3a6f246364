using Turnpike.Plans;
using Turnpike.Tests.Catalog;
using Turnpike.Tests.Gateway;
using Turnpike.Tests.Metering;

namespace Turnpike.Tests.Plans;

/// <summary>What is left of a plan stands among the limits on every answer it paid for, exact.</summary>
public sealed class AllowanceHeaderTests
{
    private static readonly (string, string?) Key = ("apikey", Documents.Variables["AGENT_KEY"]);

    private static TestGate Gate(string includes) => new(document: $$"""
        payments: { prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" } }
        services:
          s:
            upstream: ${env:UPSTREAM}
            operations:
              data: { match: GET /data, price: 0.01 USD }
              chat: { match: POST /chat, usage: openai, price: { ceiling: 1.00 USD, default-max-tokens: 50, by: $.model, per-million: { m: { input_tokens: 1.00 USD, output_tokens: 1.00 USD } } } }
        plans: { pro: { includes: [{{includes}}] } }
        callers: { agent: { plan: pro, keys: ["${env:AGENT_KEY}"] } }
        """);

    private static (string Policy, string Limit, string Remaining) Told(Told told) =>
        (told.Headers["RateLimit-Policy"].ToString(), told.Headers["RateLimit"].ToString(), told.Headers["X-RateLimit-Remaining"].ToString());

    [Fact]
    public async Task Each_answer_tells_what_is_left_and_until_when_to_the_second()
    {
        using var gate = Gate("{ amount: 3 requests, per: 1d }");
        const string policy = "\"requests/1d\";q=3;w=86400";
        Told(await gate.GetAsync("/data", Key)).ShouldBe((policy, "\"requests/1d\";r=2;t=43200", "2"));
        gate.Time.Pass(TimeSpan.FromSeconds(59.5));
        Told(await gate.GetAsync("/data", Key)).ShouldBe((policy, "\"requests/1d\";r=1;t=43141", "1"));
        gate.Upstream.Says(static () => ScriptedUpstream.Text("no", System.Net.HttpStatusCode.InternalServerError));
        (await gate.GetAsync("/data", Key)).Status.ShouldBe(500);
        gate.Upstream.Says(static () => ScriptedUpstream.Text("yes"));
        Told(await gate.GetAsync("/data", Key)).ShouldBe((policy, "\"requests/1d\";r=0;t=43141", "0"));
        await gate.Of<Allowances>().GrantAsync("agent", new Turnpike.Ledger.Money(5, "requests"), "more", null, default);
        var granted = await gate.GetAsync("/data", Key);
        (granted.Status, Told(granted)).ShouldBe((200, (policy, "\"requests/1d\";r=0;t=43141", "0")));
    }

    [Fact]
    public async Task What_was_granted_on_top_is_taken_once_for_a_call_that_two_allowances_no_longer_cover()
    {
        using var gate = Gate("{ amount: 1 requests, per: 1d, when-used-up: wait }, { amount: 1 requests, per: 1mo, when-used-up: wait }");
        await gate.Of<Allowances>().GrantAsync("agent", new Turnpike.Ledger.Money(5, "requests"), "more", null, default);
        for (var call = 0; call < 6; call++) (await gate.GetAsync("/data", Key)).Status.ShouldBe(200, $"call {call}");
        (await gate.GetAsync("/data", Key)).Reason.ShouldBe("allowance-renews");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Two_allowances_of_one_call_are_both_told()
    {
        using var gate = Gate("{ amount: 1000 total_tokens, per: 1d }, { amount: 5 requests, per: 1h }");
        gate.Upstream.Says(() => MeteredGate.Json("""{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30}}"""));
        var told = Told(await gate.SendAsync(new Ask("POST", "/chat", Key) { Body = """{"model":"m","messages":[{"role":"user","content":"hello"}]}""" }));
        told.Policy.ShouldBe("\"total_tokens/1d\";q=1000;w=86400;turnpike-unit=\"total_tokens\", \"requests/1h\";q=5;w=3600");
        told.Limit.ShouldBe("\"total_tokens/1d\";r=970;t=43200, \"requests/1h\";r=4;t=3600");
        told.Remaining.ShouldBe("4");
    }

    [Theory]
    [InlineData("callers: { a: { plan: pros } }\nplans: { pro: {} }", "t.yaml:1:23: callers.a.plan: names no plan of 'plans'; did you mean 'pro'?")]
    [InlineData("callers: { a: { plan: pro } }", "t.yaml:1:23: callers.a.plan: names no plan of 'plans'")]
    [InlineData("callers: { a: { plan-until: 2027-01-31 } }", "t.yaml:1:29: callers.a.plan-until: is the end of a plan, and 'plan' is missing")]
    [InlineData("plans: { p: { includes: [{ amount: 5 bananas, per: 1d }] } }", "t.yaml:1:36: plans.p.includes[0].amount: 'bananas' is nothing a plan can include; write requests, total_tokens or money")]
    [InlineData("plans: { p: { includes: [{ amount: 5 total_tokens, per: 1d }, { amount: 2.00 USD, per: 1mo }] } }", "t.yaml:1:73: plans.p.includes[1].amount: is included for the same calls as total_tokens; include one of them, or name 'operations' or a 'tier' for each")]
    public void A_plan_that_would_give_nothing_or_too_much_is_an_error(string text, string error) => Documents.Load(Documents.With(text)).ErrorLines.ShouldContain(error);

    [Theory]
    [InlineData("{ amount: 5 total_tokens, per: 1d, operations: [o] }, { amount: 2.00 USD, per: 1mo, operations: [second] }")]
    [InlineData("{ amount: 5 total_tokens, per: 1d, tier: dear }, { amount: 2.00 USD, per: 1mo, tier: cheap }")]
    [InlineData("{ amount: 5 requests, per: 1d }, { amount: 2.00 USD, per: 1mo }")]
    public void What_is_included_for_different_calls_may_be_of_different_units(string includes) =>
        Documents.Load(Documents.With($"plans: {{ p: {{ tiers: {{ dear: [a], cheap: [b] }}, includes: [{includes}] }} }}").Replace("price: free } }", "price: free }, second: { match: GET /p, price: free } }", StringComparison.Ordinal)).ErrorLines.ShouldBeEmpty();
}
