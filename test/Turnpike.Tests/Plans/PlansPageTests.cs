using System.Text.RegularExpressions;
using Turnpike.Tests.Architecture;
using Turnpike.Tests.Catalog;
using Turnpike.Tests.Gateway;
using Turnpike.Tests.Metering;

namespace Turnpike.Tests.Plans;

/// <summary>The free, pro and enterprise tiers as docs/how-to/plans.md shows them, before a language model.</summary>
public sealed partial class PlansPageTests
{
    private static readonly string Plans = Block().Match(File.ReadAllText(SourceTree.Full("docs/how-to/plans.md"))).Groups[1].Value;

    private static TestGate Gate()
    {
        var gate = new TestGate(document: MeteredGate.Chat.Replace("accept: [prepaid]", "accept: [plan, prepaid]", StringComparison.Ordinal) + "\n          export: { match: GET /export, price: free, entitlements: [export] }\n".Replace("          ", "      ", StringComparison.Ordinal) + Plans);
        gate.Upstream.Says(() => MeteredGate.Json("""{"model":"gpt-4o-mini","usage":{"prompt_tokens":600,"completion_tokens":400,"total_tokens":1000},"choices":[]}"""));
        return gate;
    }

    private static Task<Told> ChatAsync(TestGate gate, string key, string model = "gpt-4o-mini", int most = 1000) =>
        gate.SendAsync(new Ask("POST", "/v1/chat/completions", ("x-api-key", Documents.Variables[key]), ("Content-Type", "application/json")) { Body = $$"""{"model":"{{model}}","max_tokens":{{most}},"messages":[]}""" });

    [Fact]
    public async Task Free_is_ten_thousand_tokens_a_month_and_ten_calls_a_minute_and_then_waits()
    {
        using var gate = Gate();
        for (var i = 0; i < 9; i++) (await ChatAsync(gate, "FREE_KEY")).Status.ShouldBe(200);
        var tenth = await ChatAsync(gate, "FREE_KEY");
        (tenth.Status, tenth.Headers["Turnpike-Max-Tokens"].ToString()).ShouldBe((200, "945"), "1000 are left, and its question has 55 bytes");
        (await ChatAsync(gate, "FREE_KEY")).ShouldSatisfyAllConditions(t => t.Reason.ShouldBe("too-many-calls"), t => t.Status.ShouldBe(429));
        gate.Time.Pass(TimeSpan.FromMinutes(1));
        var over = await ChatAsync(gate, "FREE_KEY");
        (over.Status, over.Reason).ShouldBe((429, "allowance-renews"));
        over.Json.GetProperty("resetAt").GetString().ShouldBe("2026-12-01T00:00:00Z");
        gate.Time.Pass(TimeSpan.FromDays(10));
        (await ChatAsync(gate, "FREE_KEY")).Status.ShouldBe(200);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Pro_has_an_allowance_of_its_own_for_premium_models_and_pays_when_it_is_used_up()
    {
        using var gate = Gate();
        gate.Upstream.Says(() => MeteredGate.Json("""{"model":"gpt-4o","usage":{"prompt_tokens":1000,"completion_tokens":15000,"total_tokens":16000},"choices":[]}"""));
        for (var i = 0; i < 3; i++)
        {
            (await ChatAsync(gate, "PRO_KEY", "gpt-4o", 16_000)).Status.ShouldBe(200);
            gate.Time.Pass(TimeSpan.FromMinutes(1));
        }
        (await ChatAsync(gate, "PRO_KEY", "gpt-4o", 16_000)).Headers["Turnpike-Max-Tokens"].ToString().ShouldBe("1949", "2000 are left, and its question has 51 bytes");
        var fifth = await ChatAsync(gate, "PRO_KEY", "gpt-4o", 16_000);
        (fifth.Status, fifth.Reason, fifth.Json.GetProperty("used").GetInt64(), fifth.Json.GetProperty("violated-policies")[0].GetString()).ShouldBe((402, "allowance-used-up", 50_000, "total_tokens/1mo/premium"));
        gate.Upstream.Says(() => MeteredGate.Json("""{"model":"gpt-4o-mini","usage":{"prompt_tokens":50,"completion_tokens":950,"total_tokens":1000},"choices":[]}"""));
        (await ChatAsync(gate, "PRO_KEY")).Headers["Turnpike-Remaining"].ToString().ShouldBe("999000 total_tokens", "the other models have theirs");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Pro_ends_after_its_grace_and_is_free_then()
    {
        using var gate = Gate();
        gate.Time.Pass(new DateTimeOffset(2027, 2, 2, 23, 0, 0, TimeSpan.Zero) - gate.Time.GetUtcNow());
        await ChatAsync(gate, "PRO_KEY");
        gate.Upstream.Requests.Last().Headers["Turnpike-Plan"].ShouldBe("pro", "three days of grace");
        gate.Time.Pass(TimeSpan.FromHours(1));
        await ChatAsync(gate, "PRO_KEY");
        gate.Upstream.Requests.Last().Headers["Turnpike-Plan"].ShouldBe("free");
    }

    [Fact]
    public async Task Enterprise_opens_the_export_tells_the_upstream_and_goes_on_into_overage()
    {
        using var gate = Gate();
        (await gate.GetAsync("/export", ("x-api-key", Documents.Variables["PRO_KEY"]))).Reason.ShouldBe("plan-lacks");
        (await gate.GetAsync("/export")).Reason.ShouldBe("identity-required");
        (await gate.GetAsync("/export", ("x-api-key", Documents.Variables["ENTERPRISE_KEY"]))).Status.ShouldBe(200);
        gate.Upstream.Requests.Last().Headers["Turnpike-Entitlements"].ShouldBe("export, seats=25, region=\"eu\"");
        (await gate.GetAsync("/export", ("x-api-key", Documents.Variables["ENTERPRISE_KEY"]), ("Turnpike-Entitlements", "everything"))).Status.ShouldBe(200);
        gate.Upstream.Requests.Last().Headers["Turnpike-Entitlements"].ShouldNotContain("everything");
        gate.Upstream.Says(() => MeteredGate.Json("""{"model":"gpt-4o-mini","usage":{"prompt_tokens":1000000,"completion_tokens":9000000,"total_tokens":10000000},"choices":[]}"""));
        for (var i = 0; i < 6; i++) (await ChatAsync(gate, "ENTERPRISE_KEY", most: 9_999_900)).Status.ShouldBe(200, $"call {i}");
        (await ChatAsync(gate, "ENTERPRISE_KEY", most: 9_999_900)).Headers["Turnpike-Max-Tokens"].ToString().ShouldBe("152", "210 are left of what is included, and its question has 58 bytes");
        var over = await ChatAsync(gate, "ENTERPRISE_KEY", most: 9_999_900);
        (over.Status, over.Reason, over.Json.GetProperty("resetAt").GetString()).ShouldBe((403, "allowance-over", "2026-12-14T23:00:00Z"));
        await gate.ShouldBalanceAsync();
    }

    [GeneratedRegex("^```yaml\n(.*?)^```$", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Block();
}
