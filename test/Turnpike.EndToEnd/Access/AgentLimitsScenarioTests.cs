using Microsoft.AspNetCore.Builder;

namespace Turnpike.EndToEnd.Access;

/// <summary>contract/agent-limits.yaml as it stands: a key, five calls a minute, then payment, a grant, or another minute.</summary>
public sealed class AgentLimitsScenarioTests : IAsyncLifetime
{
    private Scenario scenario = null!;
    private int light, heavy;

    public async ValueTask InitializeAsync() => scenario = await Scenario.StartAsync("agent-limits.yaml",
        ("UPSTREAM", app => { app.MapGet("/premium-data", () => { Interlocked.Increment(ref light); return "{}"; }); app.MapGet("/healthz", () => "well"); }),
        ("UPSTREAM_2", app => { app.MapGet("/premium-data", () => { Interlocked.Increment(ref heavy); return "{}"; }); app.MapGet("/healthz", () => "well"); }));

    /// <summary>After every story the books balance and the trail verifies.</summary>
    public async ValueTask DisposeAsync()
    {
        try { await scenario.Gateway.BooksBalanceAsync(); }
        finally { await scenario.DisposeAsync(); }
    }

    private Task<Scenario.Answered> CallAsync(string? token = null) => scenario.CallAsync(HttpMethod.Get, "/premium-data", "AGENT_KEY", token);

    /// <summary>Into the beginning of a minute of the clock, so that all of a test happens in one.</summary>
    private static async Task EarlyInAMinuteAsync()
    {
        var now = TimeProvider.System.GetUtcNow();
        if (now.Second > 25) await Task.Delay(TimeSpan.FromSeconds(60 - now.Second + 1));
    }

    [Fact]
    public async Task The_sixth_call_is_402_with_terms_and_a_payment_or_a_grant_lets_it_go_on()
    {
        await EarlyInAMinuteAsync();
        (await scenario.CallAsync(HttpMethod.Get, "/premium-data")).ShouldSatisfyAllConditions(a => a.Status.ShouldBe(401), a => a.Body.ShouldNotContain("offers"));
        for (var left = 4; left >= 0; left--)
        {
            var included = await CallAsync();
            (included.Status, included.Headers["Turnpike-Remaining"]).ShouldBe((200, $"{left} requests"));
        }
        var sixth = await CallAsync();
        (sixth.Status, sixth.Reason, sixth.Json!["limit"]!.GetValue<int>(), sixth.Json["used"]!.GetValue<int>()).ShouldBe((402, "allowance-used-up", 5, 5));
        sixth.Json["offers"]!.AsArray().Count.ShouldBe(1);
        DateTimeOffset.Parse(sixth.Json["resetAt"]!.GetValue<string>(), System.Globalization.CultureInfo.InvariantCulture).ShouldBeLessThanOrEqualTo(TimeProvider.System.GetUtcNow().AddMinutes(1));
        (await CallAsync(await scenario.TokenAsync("1.00 USD"))).Headers["Turnpike-Cost"].ShouldBe("0.01 USD");
        for (var again = 0; again < 2; again++)
            (await scenario.AdminAsync(HttpMethod.Post, "callers/ai-agent-001/grants", """{"id":"invoice-17","amount":"1 requests"}""")).Status.ShouldBe(200);
        ((await CallAsync()).Status, (await CallAsync()).Status).ShouldBe((200, 402), "granted once, whatever was sent twice");
        (light + heavy, heavy).ShouldBe((7, heavy));
        heavy.ShouldBeInRange(5, 6, "three of four go to the heavier one");
        (await scenario.CallAsync(HttpMethod.Get, "/balance", "AGENT_KEY")).Json!["allowances"]![0]!["left"]!["amount"]!.GetValue<string>().ShouldBe("0");
        (await scenario.Gateway.RunAsync("callers", "left", "ai-agent-001")).Said.ShouldContain("requests/1m  0 requests left of 5");
        (await scenario.Gateway.RunAsync("ledger", "verify")).Code.ShouldBe(0);
    }

    [Fact]
    public async Task Fifty_calls_at_once_get_five_answers()
    {
        await EarlyInAMinuteAsync();
        var told = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => CallAsync()));
        (told.Count(t => t.Status == 200), told.Count(t => t.Status == 402), light + heavy).ShouldBe((5, 45, 5));
    }
}
