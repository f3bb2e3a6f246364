using Turnpike.Audit;
using Turnpike.Tests.Catalog;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Limits;

/// <summary>Limits as they are written: all of them hold, and a call is reserved under every one or under none.</summary>
public sealed class RuleLimitsTests
{
    private static readonly (string, string?) Key = ("apikey", Documents.Variables["AGENT_KEY"]);

    private static TestGate Gate(string operation = "", string service = "", string plan = "", string calls = "") => new(document: $$"""
        payments: { prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" } }
        limits: { unpaid: { amount: 1000 requests, per: 1m }, calls: [{{calls}}] }
        services:
          s:
            upstream: ${env:UPSTREAM}
            limits: [{{service}}]
            operations:
              free: { match: GET /free, price: free, limits: [{{operation}}] }
              paid: { match: GET /paid, price: 0.10 USD, limits: [{{operation}}] }
              other: { match: GET /other, price: free }
        plans: { pro: { limits: [{{plan}}] } }
        callers: { agent: { plan: pro, keys: ["${env:AGENT_KEY}"] } }
        """);

    private static async Task<int> UntilRefusedAsync(TestGate gate, string target = "/free", params (string, string?)[] headers)
    {
        for (var i = 0; i < 100; i++)
            if ((await gate.GetAsync(target, headers)).Status == 429) return i;
        return 100;
    }

    [Theory]
    [InlineData("token-bucket", 6, 1)]
    [InlineData("fixed-window", 30, 5)]
    [InlineData("sliding-window", 36, 1)]
    public async Task Five_a_half_minute_and_how_they_come_back(string count, int wait, int then)
    {
        using var gate = Gate(operation: $"{{ amount: 5 requests, per: 30s, count: {count} }}");
        (await UntilRefusedAsync(gate)).ShouldBe(5);
        var told = await gate.GetAsync("/free");
        (told.Reason, told.Json.GetProperty("type").GetString()).ShouldBe(("too-many-calls", "https://iana.org/assignments/http-problem-types#quota-exceeded"));
        (told.Json.GetProperty("limit").GetInt32(), told.Json.GetProperty("retryAfter").GetInt32()).ShouldBe((5, wait));
        gate.Upstream.Requests.Count.ShouldBe(5);
        gate.Time.Pass(TimeSpan.FromSeconds(wait));
        (await UntilRefusedAsync(gate)).ShouldBe(then);
    }

    [Fact]
    public async Task A_sliding_window_gives_back_by_the_share_of_the_window_before()
    {
        using var gate = Gate(operation: "{ amount: 10 requests, per: 10s, count: sliding-window }");
        (await UntilRefusedAsync(gate)).ShouldBe(10);
        gate.Time.Pass(TimeSpan.FromSeconds(13));
        (await UntilRefusedAsync(gate)).ShouldBe(3);
        var wait = int.Parse((await gate.GetAsync("/free")).Headers.RetryAfter.ToString(), null);
        gate.Time.Pass(TimeSpan.FromSeconds(wait));
        (await gate.GetAsync("/free")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_burst_is_what_may_come_at_once()
    {
        using var gate = Gate(operation: "{ amount: 60 requests, per: 1m, burst: 3 requests }");
        (await UntilRefusedAsync(gate)).ShouldBe(3);
        gate.Time.Pass(TimeSpan.FromSeconds(2));
        (await UntilRefusedAsync(gate)).ShouldBe(2);
    }

    [Fact]
    public async Task Every_answer_tells_the_limits_it_counts_under_in_both_families_of_headers()
    {
        using var gate = Gate(operation: "{ amount: 5 requests, per: 30s, count: fixed-window }", service: "{ name: everything, amount: 100 requests, per: 1h, count: fixed-window }");
        var told = await gate.GetAsync("/free");
        Items(told, "RateLimit-Policy").ShouldBe(["\"everything\";q=100;w=3600", "\"requests-30s\";q=5;w=30"]);
        Items(told, "RateLimit").ShouldBe(["\"everything\";r=99;t=3600", "\"requests-30s\";r=4;t=30"]);
        (told.Headers["X-RateLimit-Limit"].ToString(), told.Headers["X-RateLimit-Remaining"].ToString(), told.Headers["X-RateLimit-Reset"].ToString()).ShouldBe(("5", "4", "30"));
        (await UntilRefusedAsync(gate)).ShouldBe(4);
        var refused = await gate.GetAsync("/free");
        Items(refused, "RateLimit").ShouldBe(["\"everything\";r=95;t=3600", "\"requests-30s\";r=0;t=30"]);
        (await gate.GetAsync("/other")).Headers["RateLimit"].ToString().ShouldBe("\"everything\";r=94;t=3600");

        static string[] Items(Told told, string header) => [.. told.Headers[header].ToString().Split(", ").Order(StringComparer.Ordinal)];
    }

    [Fact]
    public async Task A_limit_that_is_hit_takes_nothing_of_the_others()
    {
        using var gate = Gate(operation: "{ amount: 2 requests, per: 30s }", service: "{ amount: 5 requests, per: 1h }");
        (await UntilRefusedAsync(gate)).ShouldBe(2);
        for (var i = 0; i < 10; i++) (await gate.GetAsync("/free")).Status.ShouldBe(429);
        (await UntilRefusedAsync(gate, "/other")).ShouldBe(3);
    }

    [Fact]
    public async Task A_402_costs_nothing_so_that_paying_does_not_take_two()
    {
        using var gate = Gate(operation: "{ amount: 3 requests, per: 1h }");
        var token = await gate.TokenAsync();
        for (var i = 0; i < 10; i++) (await gate.GetAsync("/paid")).Status.ShouldBe(402);
        (await UntilRefusedAsync(gate, "/paid", ("Authorization", token))).ShouldBe(3);
    }

    [Fact]
    public async Task Only_what_was_delivered_counts_where_that_is_said()
    {
        using var gate = Gate(operation: "{ amount: 2 requests, per: 1h, count-on: success }");
        gate.Upstream.Says(() => ScriptedUpstream.Text("no", System.Net.HttpStatusCode.NotFound));
        for (var i = 0; i < 5; i++) (await gate.GetAsync("/free")).Status.ShouldBe(404);
        gate.Upstream.Says(() => ScriptedUpstream.Text("yes"));
        (await UntilRefusedAsync(gate)).ShouldBe(2);
    }

    [Fact]
    public async Task Money_is_limited_by_what_calls_cost()
    {
        using var gate = Gate(operation: "{ amount: 0.50 USD, per: 1m }");
        var token = await gate.TokenAsync("10.00 USD");
        (await UntilRefusedAsync(gate, "/paid", ("Authorization", token))).ShouldBe(5);
        var told = await gate.GetAsync("/paid", ("Authorization", token));
        told.Headers["RateLimit-Policy"].ToString().ShouldBe("\"USD-60s\";q=500000;w=60;turnpike-unit=\"micro-USD\"");
        (await UntilRefusedAsync(gate, "/free")).ShouldBe(100);
    }

    [Fact]
    public async Task What_was_reserved_and_not_spent_is_free_again()
    {
        using var gate = Gate(operation: "{ amount: 0.50 USD, per: 1m }");
        var token = await gate.TokenAsync("10.00 USD");
        gate.Upstream.Says(() => ScriptedUpstream.Text("no", System.Net.HttpStatusCode.BadGateway));
        for (var i = 0; i < 10; i++) (await gate.GetAsync("/paid", ("Authorization", token))).Status.ShouldBe(502);
        gate.Upstream.Says(() => ScriptedUpstream.Text("yes"));
        (await UntilRefusedAsync(gate, "/paid", ("Authorization", token))).ShouldBe(5);
    }

    [Fact]
    public async Task So_many_at_once_and_a_place_is_free_when_one_is_done()
    {
        using var gate = Gate(operation: "{ amount: 2 requests }");
        var (open, arrived) = (new TaskCompletionSource(), new CountdownEvent(2));
        gate.Upstream.Answer = async (_, _) => { arrived.Signal(); await open.Task; return ScriptedUpstream.Text("slow"); };
        var running = new[] { Task.Run(() => gate.GetAsync("/free")), Task.Run(() => gate.GetAsync("/free")) };
        arrived.Wait(TimeSpan.FromMinutes(1)).ShouldBeTrue();
        var third = await gate.GetAsync("/free");
        (third.Status, third.Headers["RateLimit-Policy"].ToString()).ShouldBe((429, "\"requests-at-once\";q=2;qu=\"concurrent-requests\""));
        open.SetResult();
        (await Task.WhenAll(running)).ShouldAllBe(t => t.Status == 200);
        gate.Upstream.Answer = (_, _) => Task.FromResult(ScriptedUpstream.Text("fast"));
        for (var i = 0; i < 5; i++) (await gate.GetAsync("/free")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_call_may_be_kept_waiting_for_its_turn_instead()
    {
        using var gate = Gate(operation: "{ amount: 1 requests, wait: 10s }");
        var (open, arrived) = (new TaskCompletionSource(), new TaskCompletionSource());
        gate.Upstream.Answer = async (_, _) => { arrived.TrySetResult(); await open.Task; return ScriptedUpstream.Text("slow"); };
        var first = Task.Run(() => gate.GetAsync("/free"));
        await arrived.Task;
        var second = Task.Run(() => gate.GetAsync("/free"));
        await Task.Delay(100);
        (second.IsCompleted, gate.Upstream.Requests.Count).ShouldBe((false, 1));
        open.SetResult();
        ((await first).Status, (await second).Status).ShouldBe((200, 200));
    }

    [Fact]
    public async Task What_cannot_come_in_time_is_refused_without_waiting()
    {
        using var gate = Gate(operation: "{ amount: 1 requests, per: 1h, wait: 5s }");
        (await gate.GetAsync("/free")).Status.ShouldBe(200);
        (await gate.GetAsync("/free").WaitAsync(TimeSpan.FromMinutes(1))).Status.ShouldBe(429);
    }

    [Fact]
    public async Task A_shadow_refuses_nothing_and_says_what_it_would_have_refused()
    {
        using var gate = Gate(operation: "{ name: soon, amount: 2 requests, per: 1h, shadow: true }");
        (await UntilRefusedAsync(gate)).ShouldBe(100);
        await gate.Of<IAuditTrail>().FlushAsync(default);
        var shadowed = await gate.Of<IAuditTrail>().ReadAsync(new AuditFilter(Kind: AuditKinds.LimitShadowed, Most: 200), default);
        (shadowed.Count, shadowed[0].Event.Reference).ShouldBe((98, "services.s.operations.free.limits/soon"));
    }

    [Theory]
    [InlineData("assurance: anonymous", 3, 100, 100)]
    [InlineData("assurance: [bearer, bound]", 100, 3, 3)]
    [InlineData("groups: [partners]", 100, 3, 100)]
    [InlineData("metadata: { tier: gold }", 100, 3, 100)]
    [InlineData("metadata: { tier: gold, owner: acme }", 100, 100, 100)]
    [InlineData("groups: partners, metadata: { tier: gold }", 100, 3, 100)]
    public async Task A_limit_counts_for_those_it_is_for(string condition, int stranger, int partner, int other)
    {
        using var gate = Gate(operation: $"{{ amount: 3 requests, per: 1h, key: [caller], for: {{ {condition} }} }}");
        var known = await gate.KeyAsync("known", change: c => c with { Groups = ["partners"], Metadata = new Dictionary<string, string> { ["tier"] = "gold" } });
        (await UntilRefusedAsync(gate)).ShouldBe(stranger);
        (await UntilRefusedAsync(gate, "/free", ("x-api-key", known))).ShouldBe(partner);
        (await UntilRefusedAsync(gate, "/free", Key)).ShouldBe(other, "what a request says of itself decides nothing");
        (await gate.GetAsync("/free", ("tier", "gold"), ("Turnpike-Groups", "partners"))).Status.ShouldBe(stranger == 3 ? 429 : 200);
    }

    [Fact]
    public void A_limit_for_nobody_is_an_error() =>
        Documents.Load(Documents.With("limits: { calls: [{ amount: 3 requests, per: 1h, for: {} }] }")).ErrorLines.ShouldContain("t.yaml:1:55: limits.calls[0].for: names nobody: write assurance, groups, models or metadata");

    [Fact]
    public async Task A_plan_limits_each_of_its_callers_and_nobody_else()
    {
        using var gate = Gate(plan: "{ amount: 3 requests, per: 1h }");
        (await UntilRefusedAsync(gate, "/other", Key)).ShouldBe(3);
        (await UntilRefusedAsync(gate, "/free", Key)).ShouldBe(0);
        (await UntilRefusedAsync(gate, "/other")).ShouldBe(100);
    }

    [Fact]
    public async Task Everybody_together_or_each_address()
    {
        using var gate = Gate(calls: "{ amount: 4 requests, per: 1h, key: [address] }");
        (await UntilRefusedAsync(gate)).ShouldBe(4);
        (await gate.SendAsync(new Ask("GET", "/free") { Address = "192.0.2.1" })).Status.ShouldBe(200);
        (await gate.SendAsync(new Ask("GET", "/nothing"))).Status.ShouldBe(404);
    }

    [Fact]
    public async Task A_changed_document_goes_on_counting()
    {
        using var gate = Gate(operation: "{ name: n, amount: 3 requests, per: 1h, count: fixed-window }");
        (await UntilRefusedAsync(gate)).ShouldBe(3);
        gate.Edit("amount: 3 requests", "amount: 5 requests");
        (await UntilRefusedAsync(gate)).ShouldBe(2);
    }
}
