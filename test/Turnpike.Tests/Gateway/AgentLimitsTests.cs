using Turnpike.Ledger;
using Turnpike.Plans;
using Turnpike.Tests.Catalog;

namespace Turnpike.Tests.Gateway;

/// <summary>A caller with a key and an allowance, as an owner would write it; when it is used up, paying fixes it.</summary>
public sealed class AgentLimitsTests
{
    private const string Text = """
        gateway:
          store: sqlite:data/agent-limits.db
          admin-key: ${env:TURNPIKE_ADMIN_KEY}
        payments:
          prepaid:
            secret: ${env:TURNPIKE_TOKEN_SECRET}
        services:
          premium:
            upstream:
              balance: round-robin
              targets:
                - { url: "${env:UPSTREAM}", weight: 1 }
                - { url: "${env:UPSTREAM_2}", weight: 3 }
              health: { path: /healthz, every: 5s }
            operations:
              premium-data:
                match: GET /premium-data
                identity: required
                price: 0.01 USD
                accept: [plan, prepaid]
        plans:
          metered:
            includes:
              - { amount: 5 requests, per: 1m, when-used-up: pay }
        callers:
          ai-agent-001:
            plan: metered
            keys: ["${env:AGENT_KEY}"]
            metadata: { owner: acme-corp, framework: openai-assistants }
        """;

    private static readonly (string, string?) Key = ("apikey", Documents.Variables["AGENT_KEY"]);

    [Fact]
    public async Task Five_calls_a_minute_the_sixth_is_402_and_a_payment_a_grant_or_a_new_minute_lets_it_go_on()
    {
        using var gate = new TestGate(document: Text);
        (await gate.GetAsync("/premium-data")).Reason.ShouldBe("identity-required");
        for (var i = 0; i < 5; i++) (await gate.GetAsync("/premium-data", Key)).Status.ShouldBe(200);
        var sixth = await gate.GetAsync("/premium-data", Key);
        (sixth.Status, sixth.Json.GetProperty("limit").GetInt32(), sixth.Json.GetProperty("used").GetInt32(), sixth.Json.GetProperty("offers").GetArrayLength()).ShouldBe((402, 5, 5, 1));
        (await gate.GetAsync("/premium-data", Key, ("Authorization", await gate.TokenAsync()))).Headers["Turnpike-Cost"].ToString().ShouldBe("0.01 USD");
        (await gate.Of<Allowances>().GrantAsync("ai-agent-001", new Money(1, "requests"), "inv-1", null, default)).ShouldBe(PostResult.Posted);
        (await gate.GetAsync("/premium-data", Key)).Status.ShouldBe(200);
        (await gate.GetAsync("/premium-data", Key)).Status.ShouldBe(402);
        gate.Time.Pass(TimeSpan.FromMinutes(1));
        (await gate.GetAsync("/premium-data", Key)).Status.ShouldBe(200);
        gate.Upstream.Requests.Count(r => r.Url.StartsWith("http://127.0.0.1:9001", StringComparison.Ordinal)).ShouldBe(6, "three of four");
        gate.Upstream.Requests.Count.ShouldBe(8);
        gate.Upstream.Requests.ShouldAllBe(r => r.Headers["Turnpike-Caller"] == "ai-agent-001" && r.Headers["Turnpike-Plan"] == "metered");
        await gate.ShouldBalanceAsync();
    }
}
