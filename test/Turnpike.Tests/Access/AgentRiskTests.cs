using System.Net;
using Turnpike.Tests.Admin;
using Turnpike.Tests.Catalog;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Access;

/// <summary>Rows of the OWASP lists for agents and APIs that no other test is about; docs/threat-model.md names one for every row.</summary>
public sealed class AgentRiskTests
{
    private const string Schema = "schema: { body: { type: object, required: [n], properties: { n: { type: integer, minimum: 1, maximum: 9 }, s: { type: string, maxLength: 3 } }, additionalProperties: false } }";

    [Fact]
    public async Task Random_bodies_reach_the_upstream_only_when_they_fit_and_cost_nothing_else()
    {
        using var gate = new TestGate(document: TestGate.Document.Replace("POST /reports", $"POST /reports, {Schema}", StringComparison.Ordinal));
        var (token, random, fit) = (await gate.TokenAsync(), new Random(7), 0);
        string[] values = ["1", "9", "0", "10", "1.5", "\"1\"", "null", "[]", "{}", "true", "1e0", "-1"], names = ["n", "n", "s", "x"], texts = ["\"abc\"", "\"abcd\"", "1", "\"\""];
        for (var i = 0; i < 1_000; i++)
        {
            var members = Enumerable.Range(0, random.Next(0, 4)).Select(_ => names[random.Next(4)]).ToList();
            var body = "{" + string.Join(',', members.Select(m => $"\"{m}\":{(m == "s" ? texts[random.Next(4)] : values[random.Next(12)])}")) + (random.Next(10) == 0 ? "" : "}");
            var before = gate.Upstream.Requests.Count;
            var told = await gate.SendAsync(new Ask("POST", "/reports", ("Authorization", token)) { Body = body });
            var forwarded = gate.Upstream.Requests.Count > before;
            (told.Status == 200).ShouldBe(forwarded, body);
            if (!forwarded) { told.Reason.ShouldBe("schema-mismatch", body); continue; }
            fit++;
            var seen = System.Text.Json.JsonDocument.Parse(gate.Upstream.Requests.Last().Body).RootElement;
            seen.GetProperty("n").GetDecimal().ShouldBeInRange(1, 9);
            seen.EnumerateObject().ShouldAllBe(p => p.Name == "n" || p.Name == "s" && p.Value.GetString()!.Length <= 3);
            if (fit == 90) break;
        }
        fit.ShouldBeGreaterThan(5);
        (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).Units.ShouldBe(1_000_000_000 - fit * 10_000_000L);
    }

    [Fact]
    public async Task Words_of_a_shell_or_a_template_stay_words()
    {
        const string evil = "$(touch owned) `id` {{7*7}} ${env:SETTLER_KEY} ;rm -rf /";
        using var gate = new TestGate(document: TestGate.Document.Replace("description: Seven-day forecast", "description: \"$(touch owned) {{7*7}}\"", StringComparison.Ordinal));
        (await gate.GetAsync("/forecast/paris")).Json.GetProperty("resource").GetProperty("description").GetString().ShouldBe("$(touch owned) {{7*7}}");
        (await gate.SendAsync(new Ask("POST", "/reports", ("Authorization", await gate.TokenAsync()), ("X-Note", evil)) { Body = evil })).Status.ShouldBe(200);
        var seen = gate.Upstream.Requests.Single();
        (seen.Body, seen.Headers["X-Note"]).ShouldBe((evil, evil));
        File.Exists("owned").ShouldBeFalse();
        Documents.Load(TestGate.Document.Replace("GET /status", "$(id) /status", StringComparison.Ordinal)).ErrorLines.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task What_one_payer_bought_is_kept_for_no_other_by_us_or_a_cache_between()
    {
        using var gate = new TestGate();
        gate.Upstream.Says(() => { var answer = ScriptedUpstream.Text("sunny"); answer.Headers.CacheControl = new() { Public = true, MaxAge = TimeSpan.FromHours(1) }; return answer; });
        var (one, two) = (await gate.TokenAsync(), await gate.TokenAsync());
        var paid = await gate.GetAsync("/forecast/paris", ("Authorization", one), ("Idempotency-Key", "k"));
        (paid.Headers.CacheControl.ToString(), paid.Headers.Vary.ToString()).ShouldSatisfyAllConditions(h => h.Item1.ShouldBe("private, no-store"), h => h.Item2.ShouldContain("Authorization"));
        (await gate.GetAsync("/forecast/paris")).Headers.CacheControl.ToString().ShouldBe("no-store");
        await gate.GetAsync("/forecast/paris", ("Authorization", two), ("Idempotency-Key", "k"));
        gate.Upstream.Requests.Count.ShouldBe(2, "the key is the payer's own");
    }

    [Fact]
    public async Task A_service_that_calls_itself_through_the_gateway_is_stopped()
    {
        using var gate = new TestGate();
        var (depth, deepest) = (0, 0);
        gate.Upstream.Answer = async (request, _) =>
        {
            deepest = Math.Max(deepest, ++depth);
            var inner = await gate.GetAsync("/status", ("Via", string.Join(", ", request.Headers.Via.Select(v => v.ToString()))));
            depth--;
            return ScriptedUpstream.Text(inner.Body, (HttpStatusCode)inner.Status);
        };
        (await gate.GetAsync("/status")).Status.ShouldBe(508);
        deepest.ShouldBe(5);
    }

    [Fact]
    public async Task A_receipt_or_a_question_of_another_is_not_found_by_counting()
    {
        await using var gateway = await RunningGateway.StartAsync();
        using var paid = await gateway.CallAsync("/paid", await gateway.TokenAsync());
        var id = paid.Headers.GetValues("Turnpike-Receipt").Single().Split('/')[^1];
        async Task<int> See(string path)
        {
            using var answer = await gateway.CallAsync(path);
            return (int)answer.StatusCode;
        }
        (await See("/receipts/" + id)).ShouldBe(200);
        for (var at = id.Length - 1; at > id.Length - 6; at--)
            foreach (var other in "0123456789abcdefghijkmnpqrstuvwx".Where(c => c != id[at]).Take(8))
                (await See("/receipts/" + id[..at] + other + id[(at + 1)..])).ShouldBe(404);
        foreach (var path in new[] { "/receipts/", "/receipts/1", "/receipts/%2e%2e", "/approvals/a_1", "/approvals/" + id }) (await See(path)).ShouldBeInRange(400, 404, path);
    }
}
