using Turnpike.Tests.Catalog;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Payments.Included;

/// <summary>What a caller may spend at most, whatever way it pays.</summary>
public sealed class CapReachedTests
{
    private static readonly (string, string?) Key = ("apikey", Documents.Variables["AGENT_KEY"]);

    private static TestGate Gate(string caps, string more = "") => new(document: $$"""
        payments: { prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" } }
        services: { s: { upstream: "${env:UPSTREAM}", operations: { paid: { match: GET /paid, price: 0.10 USD {{more}} } } } }
        callers: { agent: { keys: ["${env:AGENT_KEY}"], caps: [{{caps}}] } }
        """);

    private static async Task<int> SpendAsync(TestGate gate, string token, params (string, string?)[] headers)
    {
        for (var i = 0; i < 50; i++)
            if ((await gate.GetAsync("/paid", [Key, ("Authorization", token), .. headers])).Status != 200) return i;
        return 50;
    }

    [Fact]
    public async Task A_cap_holds_over_all_tokens_of_a_caller_and_says_when_it_begins_anew()
    {
        using var gate = Gate("{ amount: 0.50 USD, per: 1mo }");
        var (one, two) = (await gate.TokenAsync("0.30 USD"), await gate.TokenAsync());
        (await SpendAsync(gate, one), await SpendAsync(gate, two)).ShouldBe((3, 2));
        var told = await gate.GetAsync("/paid", Key, ("Authorization", two));
        (told.Status, told.Reason, told.Json.GetProperty("resetAt").GetString()).ShouldBe((429, "cap-reached", "2026-12-01T00:00:00Z"));
        (told.Json.GetProperty("limit").GetString(), told.Json.GetProperty("used").GetString()).ShouldBe(("0.50", "0.50"));
        (await gate.GetAsync("/paid", ("Authorization", two))).Status.ShouldBe(200);
        gate.Time.Pass(TimeSpan.FromDays(12));
        (await SpendAsync(gate, two)).ShouldBe(5);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_hundred_concurrent_calls_spend_no_more_than_the_cap()
    {
        using var gate = Gate("{ amount: 0.70 USD, per: 1d }, { amount: 5.00 USD, per: 1mo }");
        var token = await gate.TokenAsync("100.00 USD");
        var told = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Task.Run(() => gate.GetAsync("/paid", Key, ("Authorization", token)))));
        (told.Count(t => t.Status == 200), gate.Upstream.Requests.Count, told.Count(t => t.Reason == "cap-reached")).ShouldBe((7, 7, 93));
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task What_was_not_delivered_does_not_count()
    {
        using var gate = Gate("{ amount: 0.20 USD, per: 1d }");
        var token = await gate.TokenAsync();
        gate.Upstream.Says(() => ScriptedUpstream.Text("no", System.Net.HttpStatusCode.InternalServerError));
        for (var i = 0; i < 5; i++) (await gate.GetAsync("/paid", Key, ("Authorization", token))).Status.ShouldBe(500);
        gate.Upstream.Answer = (_, _) => Task.FromResult(new HttpResponseMessage { Content = new Pieces("half"u8.ToArray(), null) });
        for (var i = 0; i < 5; i++) await gate.GetAsync("/paid", Key, ("Authorization", token));
        gate.Upstream.Says(() => ScriptedUpstream.Text("yes"));
        (await SpendAsync(gate, token)).ShouldBe(2);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Each_task_has_its_own()
    {
        using var gate = Gate("{ amount: 0.20 USD, per: 1d, each: task }, { amount: 0.50 USD, per: 1d, each: key }");
        var token = await gate.TokenAsync();
        (await SpendAsync(gate, token, ("Turnpike-Task", "a"))).ShouldBe(2);
        (await SpendAsync(gate, token, ("Turnpike-Task", "b"))).ShouldBe(2);
        (await SpendAsync(gate, token)).ShouldBe(1);
    }

    [Fact]
    public async Task So_much_money_may_be_on_its_way_at_once()
    {
        using var gate = Gate("{ amount: 9.00 USD, per: 1d }", ", limits: [{ amount: 0.20 USD }]");
        var token = await gate.TokenAsync();
        var (open, arrived) = (new TaskCompletionSource(), new CountdownEvent(2));
        gate.Upstream.Answer = async (_, _) => { arrived.Signal(); await open.Task; return ScriptedUpstream.Text("slow"); };
        var running = new[] { Task.Run(() => SpendOnceAsync()), Task.Run(() => SpendOnceAsync()) };
        arrived.Wait(TimeSpan.FromMinutes(1)).ShouldBeTrue();
        (await SpendOnceAsync()).ShouldBe(429);
        open.SetResult();
        (await Task.WhenAll(running)).ShouldBe([200, 200]);
        gate.Upstream.Says(() => ScriptedUpstream.Text("fast"));
        (await SpendOnceAsync()).ShouldBe(200);

        async Task<int> SpendOnceAsync() => (await gate.GetAsync("/paid", Key, ("Authorization", token))).Status;
    }
}
