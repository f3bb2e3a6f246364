using Turnpike.Access.Approvals;
using Turnpike.Audit;
using Turnpike.Limits.Breakers;
using Turnpike.Tests.Architecture;
using Turnpike.Tests.Catalog;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Limits;

/// <summary>Breakers of tasks, of failing payments, over restarts, and on what clients really send.</summary>
public sealed class RunawayTests
{
    private static readonly (string, string?) Key = ("apikey", Documents.Variables["AGENT_KEY"]);
    private const string Loop = "loop: { watch: identical-requests, more-than: 20, within: 60s, for: 2m }";

    private static TestGate Gate(string breakers) => new(document: $$"""
        payments: { prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" } }
        limits: { unpaid: { amount: 10000 requests, per: 1m } }
        services:
          s:
            upstream: ${env:UPSTREAM}
            operations:
              items: { match: "GET /items/{id}", price: free }
              jobs: { match: "GET /v1/{**rest}", price: 0.001 USD }
              paid: { match: GET /paid, price: 0.01 USD }
              secret: { match: "GET /secret/{id}", price: free, scopes: [none] }
        callers: { agent: { keys: ["${env:AGENT_KEY}"] } }
        breakers: { {{breakers}} }
        """);

    private static async Task<int> UntilAsync(TestGate gate, Func<int, Ask> ask, int most = 60, int status = 429)
    {
        for (var i = 0; i < most; i++)
            if ((await gate.SendAsync(ask(i))).Status == status) return i;
        return most;
    }

    [Fact]
    public async Task Clients_that_wait_for_their_jobs_as_they_were_recorded_are_never_refused()
    {
        // How the trace was made: Limits/polling.txt.
        var trace = (await File.ReadAllLinesAsync(SourceTree.Full("test/Turnpike.Tests/Limits/polling.txt"))).Where(l => l.Length > 0 && char.IsAsciiDigit(l[0])).Select(l => l.Split(' ')).ToList();
        trace.Count.ShouldBeGreaterThan(60);
        using var gate = Gate(Loop + """
            , probing: { watch: endpoint-cycling, more-than: 40, within: 60s, for: 10m }, spike: { watch: spend-spike, times: 10, floor: 0.10 USD, within: 60s, for: 5m }
            , errors: { watch: error-paid-ratio, more-than: 5, percent: 50, within: 60s }
            """);
        var token = await gate.TokenAsync();
        var passed = TimeSpan.Zero;
        foreach (var line in trace)
        {
            var at = TimeSpan.FromMilliseconds(int.Parse(line[0], null));
            gate.Time.Pass(at - passed);
            passed = at;
            (await gate.SendAsync(new Ask(line[1], line[2], Key))).Status.ShouldBe(402, "terms first, as a client without a budget does");
            (await gate.SendAsync(new Ask(line[1], line[2], Key, ("Authorization", token)))).Status.ShouldBe(200);
        }
        gate.Of<BreakerBoard>().Open.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_loop_that_pays_is_stopped_all_the_same_and_terms_do_not_count_twice()
    {
        using var gate = Gate(Loop);
        var token = await gate.TokenAsync();
        for (var i = 0; i < 20; i++)
        {
            (await gate.GetAsync("/paid", Key)).Status.ShouldBe(402);
            (await gate.GetAsync("/paid", Key, ("Authorization", token))).Status.ShouldBe(200);
        }
        (await gate.GetAsync("/paid", Key, ("Authorization", token))).Reason.ShouldBe("abnormal-usage");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Looking_for_what_one_may_not_see_is_seen()
    {
        using var gate = Gate("probing: { watch: endpoint-cycling, more-than: 10, within: 60s, for: 10m }");
        (await UntilAsync(gate, i => new Ask("GET", $"/secret/{i}", Key))).ShouldBe(10);
    }

    [Fact]
    public async Task Paid_calls_that_come_to_nothing_again_and_again_are_stopped_and_some_of_many_are_not()
    {
        using var gate = Gate("errors: { watch: error-paid-ratio, more-than: 5, percent: 50, within: 60s, for: 1m }");
        var token = await gate.TokenAsync();
        var ask = new Ask("GET", "/paid", Key, ("Authorization", token));
        gate.Upstream.Says(() => ScriptedUpstream.Text("no", System.Net.HttpStatusCode.BadRequest));
        for (var i = 0; i < 5; i++) (await gate.SendAsync(ask)).Status.ShouldBe(400);
        gate.Upstream.Says(() => ScriptedUpstream.Text("sunny"));
        for (var i = 0; i < 20; i++) (await gate.SendAsync(ask)).Status.ShouldBe(200);
        gate.Time.Pass(TimeSpan.FromMinutes(5));
        gate.Upstream.Says(() => ScriptedUpstream.Text("no", System.Net.HttpStatusCode.BadRequest));
        (await UntilAsync(gate, _ => ask)).ShouldBe(6);
        (await TrippedAsync(gate)).Single().Detail.ShouldBe("6 of 6 paid calls came to nothing.");
        (await gate.GetAsync("/items/1", Key)).Status.ShouldBe(429, "its caller is stopped");
        gate.Time.Pass(TimeSpan.FromMinutes(1));
        (await UntilAsync(gate, _ => ask)).ShouldBe(3, "half open");
        for (var i = 0; i < 10; i++) (await gate.GetAsync("/paid", ("Authorization", "Bearer tp_wrong"))).Status.ShouldBe(402, "what is refused here is no failure of a paid call");
    }

    [Fact]
    public async Task A_task_of_too_many_calls_is_stopped_and_the_callers_other_tasks_go_on()
    {
        using var gate = Gate("endless: { watch: task-iterations, more-than: 5, within: 1h, for: 1h }");
        (await UntilAsync(gate, i => new Ask("GET", $"/items/{i}", Key, ("Turnpike-Task", "t1")))).ShouldBe(5);
        (await gate.GetAsync("/items/1", Key, ("Turnpike-Task", "t2"))).Status.ShouldBe(200);
        (await UntilAsync(gate, i => new Ask("GET", $"/items/{i}", Key))).ShouldBe(60, "no task is named");
        gate.Of<BreakerBoard>().Open.ShouldHaveSingleItem().ShouldSatisfyAllConditions(t => t.Who.ShouldBe("caller:agent/task:t1"), t => t.Evidence.ShouldBe("The task 't1' has made more than 5 calls."));
    }

    [Fact]
    public async Task A_task_spends_no_more_than_it_may_and_what_was_not_delivered_is_not_spent()
    {
        using var gate = Gate("dear: { watch: task-spend, above: 0.05 USD, within: 1h, for: 1h }");
        var ask = new Ask("GET", "/paid", Key, ("Authorization", await gate.TokenAsync()), ("Turnpike-Task", "t1"));
        gate.Upstream.Says(() => ScriptedUpstream.Text("no", System.Net.HttpStatusCode.BadGateway));
        for (var i = 0; i < 10; i++) (await gate.SendAsync(ask)).Status.ShouldBe(502);
        gate.Upstream.Says(() => ScriptedUpstream.Text("sunny"));
        (await UntilAsync(gate, _ => ask)).ShouldBe(5);
        (await gate.SendAsync(ask)).Json.GetProperty("detail").GetString().ShouldBe("The task 't1' would come above 0.05 USD.");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_shadow_refuses_nobody_and_warns_nobody_and_is_in_the_trail()
    {
        using var gate = Gate("loop: { watch: identical-requests, more-than: 5, within: 60s, action: quarantine, shadow: true }");
        (await UntilAsync(gate, _ => new Ask("GET", "/items/1", Key))).ShouldBe(60);
        (await TrippedAsync(gate))[0].Reason.ShouldBe("shadow");
        gate.Of<Turnpike.Limits.Incidents.IncidentBoard>().All.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_is_open_stays_so_over_a_restart_and_closes_in_time()
    {
        var gate = Gate(Loop);
        (await UntilAsync(gate, _ => new Ask("GET", "/items/1", Key))).ShouldBe(20);
        using var after = gate.Restart();
        await after.Of<BreakerBoard>().StartAsync(default);
        (await after.GetAsync("/items/2", Key)).ShouldSatisfyAllConditions(t => t.Reason.ShouldBe("abnormal-usage"), t => t.Headers.RetryAfter.ToString().ShouldBe("120"));
        after.Time.Pass(TimeSpan.FromMinutes(2));
        (await after.GetAsync("/items/2", Key)).Status.ShouldBe(200);
    }

    [Fact]
    public async Task An_operator_is_asked_at_a_url_and_a_yes_closes_the_breaker_and_a_no_keeps_it_shut()
    {
        using var gate = Gate(Loop.Replace("for: 2m", "action: ask", StringComparison.Ordinal));
        (await UntilAsync(gate, _ => new Ask("GET", "/items/1", Key), status: 403)).ShouldBe(20);
        var told = await gate.GetAsync("/items/2", Key);
        (told.Reason, told.Headers.RetryAfter.ToString()).ShouldBe(("approval-required", "30"));
        var id = told.Json.GetProperty("approval").GetProperty("url").GetString()!.Split('/')[^1];
        var (store, desk) = (gate.Of<ApprovalStore>(), gate.Of<ApprovalDesk>());
        var asked = (await store.FindAsync(id, default))!;
        (asked.Caller, asked.Operation).ShouldBe(("agent", "breaker:loop"));
        (await desk.DecideAsync(asked, yes: true, null, default)).ShouldBeTrue();
        gate.Of<BreakerBoard>().Open.ShouldBeEmpty();
        gate.Time.Pass(TimeSpan.FromMinutes(2));
        (await UntilAsync(gate, _ => new Ask("GET", "/items/1", Key), status: 403)).ShouldBe(20, "it begins anew");
        var again = (await store.ListAsync(ApprovalStatus.Pending, 10, default)).ShouldHaveSingleItem();
        await desk.DecideAsync(again, yes: false, null, default);
        (await gate.GetAsync("/items/2", Key)).Reason.ShouldBe("approval-denied");
    }

    [Theory]
    [InlineData("b: { watch: task-spend, within: 1h }", "breakers.b: 'above' is missing")]
    [InlineData("b: { watch: error-paid-ratio, more-than: 5, within: 1h }", "breakers.b: 'percent' is missing")]
    [InlineData("b: { watch: task-iterations, more-than: 5, above: 1.00 USD, within: 1h }", "breakers.b.above: 'above' is not for this kind of breaker")]
    [InlineData("b: { watch: identical-requests, more-than: 5, within: 1h, except: [statos] }", "breakers.b.except: 'statos' is no operation; did you mean 'status'?")]
    public void What_is_missing_or_foreign_is_told(string breaker, string expected) =>
        Documents.Load(TestGate.Document + $"\nbreakers: {{ {breaker} }}").Errors.Select(e => $"{e.Path}: {e.Message}").ShouldHaveSingleItem().ShouldStartWith(expected);

    private static async Task<List<AuditEvent>> TrippedAsync(TestGate gate)
    {
        await gate.Of<IAuditTrail>().FlushAsync(default);
        return [.. (await gate.Of<IAuditTrail>().ReadAsync(new AuditFilter(Kind: AuditKinds.BreakerTripped), default)).Select(r => r.Event)];
    }
}
