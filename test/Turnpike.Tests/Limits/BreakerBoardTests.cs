using Turnpike.Audit;
using Turnpike.Limits.Breakers;
using Turnpike.Tests.Catalog;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Limits;

/// <summary>Agents that have run away, and those that only look like it.</summary>
public sealed class BreakerBoardTests
{
    private static readonly (string, string?) Key = ("apikey", Documents.Variables["AGENT_KEY"]);

    private static TestGate Gate(string breakers) => new(document: $$"""
        payments: { prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" } }
        services:
          s:
            upstream: ${env:UPSTREAM}
            operations:
              items: { match: "GET /items/{id}", price: free }
              ask: { match: POST /ask, price: free }
              paid: { match: GET /paid, price: 0.01 USD }
              dear: { match: GET /dear, price: 0.20 USD }
        callers: { agent: { keys: ["${env:AGENT_KEY}"] } }
        breakers: { {{breakers}} }
        """);

    private const string Loop = "loop: { watch: identical-requests, more-than: 20, within: 60s, action: refuse, for: 2m }";

    private static async Task<int> UntilAsync(TestGate gate, Func<int, Ask> ask, int most = 60)
    {
        for (var i = 0; i < most; i++)
            if ((await gate.SendAsync(ask(i))).Status == 429) return i;
        return most;
    }

    [Fact]
    public async Task A_quarantined_caller_is_closed_over_restarts_until_an_operator_turns_it_back()
    {
        using var gate = Gate(Loop.Replace("action: refuse", "action: quarantine", StringComparison.Ordinal));
        (await UntilAsync(gate, _ => new Ask("GET", "/items/1", Key))).ShouldBe(20);
        gate.Time.Pass(TimeSpan.FromHours(1));
        (await gate.GetAsync("/items/2", Key)).Reason.ShouldBe("closed");
        (await gate.GetAsync("/items/2")).Status.ShouldBe(200, "others are not meant");
        await gate.Of<Turnpike.Limits.Incidents.IncidentBoard>().SetAsync("caller:agent", Turnpike.Limits.Incidents.IncidentMode.Normal, "mended", default);
        (await gate.GetAsync("/items/2", Key)).Status.ShouldBe(200);
    }

    [Fact]
    public async Task An_operator_who_is_asked_hears_of_it_signed_and_lets_the_caller_in_again()
    {
        using var gate = Gate(Loop.Replace("action: refuse", "action: ask", StringComparison.Ordinal) + " }\nnotify: { url: \"http://ops.test/hook\", secret: \"${env:TURNPIKE_TOKEN_SECRET}\"");
        var (tries, told) = (0, new TaskCompletionSource<string>());
        gate.Sites["ops.test"] = request =>
        {
            if (++tries == 1) throw new HttpRequestException("down");
            if (request.Content!.ReadAsStringAsync().GetAwaiter().GetResult() is var body && body.Contains("breaker.tripped", StringComparison.Ordinal)) told.TrySetResult(request.Content!.ReadAsStringAsync().GetAwaiter().GetResult() + request.Headers.GetValues("webhook-signature").Single()[..3]);
            return new HttpResponseMessage();
        };
        for (var i = 0; i < 20; i++) (await gate.GetAsync("/items/1", Key)).Status.ShouldBe(200);
        (await gate.GetAsync("/items/1", Key)).ShouldSatisfyAllConditions(t => t.Status.ShouldBe(403), t => t.Reason.ShouldBe("approval-required"));
        gate.Time.Pass(TimeSpan.FromDays(1));
        (await gate.GetAsync("/items/2", Key)).Reason.ShouldBe("approval-required");
        var notices = gate.Of<Turnpike.Limits.Notices.Notices>();
        for (var i = 0; i < 3; i++) { await notices.RoundAsync(default); gate.Time.Pass(TimeSpan.FromSeconds(1)); }
        tries.ShouldBeGreaterThan(1, "told again after a while");
        (await told.Task.WaitAsync(TimeSpan.FromMinutes(1))).ShouldSatisfyAllConditions(t => t.ShouldContain("\"type\":\"breaker.tripped\""), t => t.ShouldContain("\"caller\":\"agent\""), t => t.ShouldEndWith("v1,"));
        (await gate.Of<BreakerBoard>().ResetAsync("loop", "agent", default)).ShouldBeTrue();
        (await gate.GetAsync("/items/1", Key)).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_retry_loop_is_refused_for_a_while_and_half_as_much_opens_it_again()
    {
        using var gate = Gate(Loop);
        (await UntilAsync(gate, _ => new Ask("GET", "/items/1", Key))).ShouldBe(20);
        var told = await gate.GetAsync("/items/2", Key);
        (told.Status, told.Reason, told.Headers.RetryAfter.ToString()).ShouldBe((429, "abnormal-usage", "120"));
        told.Json.GetProperty("type").GetString().ShouldBe("https://iana.org/assignments/http-problem-types#abnormal-usage-detected");
        (await gate.GetAsync("/items/1")).Status.ShouldBe(200, "others are not refused");
        gate.Time.Pass(TimeSpan.FromMinutes(2));
        (await UntilAsync(gate, _ => new Ask("GET", "/items/1", Key))).ShouldBe(10);
        gate.Time.Pass(TimeSpan.FromMinutes(5));
        (await UntilAsync(gate, _ => new Ask("GET", "/items/1", Key))).ShouldBe(20);
    }

    [Fact]
    public async Task What_may_be_polled_is_neither_counted_nor_stopped()
    {
        using var gate = Gate(Loop.Replace("for: 2m", "for: 2m, except: [ask]", StringComparison.Ordinal));
        (await UntilAsync(gate, _ => new Ask("POST", "/ask", Key) { Body = "{}" })).ShouldBe(60);
        (await UntilAsync(gate, _ => new Ask("GET", "/items/1", Key))).ShouldBe(20);
        (await gate.SendAsync(new Ask("POST", "/ask", Key) { Body = "{}" })).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Other_bodies_are_other_requests_and_the_same_body_is_not()
    {
        using var gate = Gate(Loop);
        (await UntilAsync(gate, i => new Ask("POST", "/ask", Key) { Body = $"{{\"q\":{i}}}" })).ShouldBe(60);
        (await UntilAsync(gate, _ => new Ask("POST", "/ask", Key) { Body = "{}" })).ShouldBe(20);
        gate.Upstream.Requests.Last().Body.ShouldBe("{}");
    }

    [Fact]
    public async Task A_client_that_polls_every_three_seconds_is_never_refused()
    {
        using var gate = Gate(Loop);
        for (var i = 0; i < 500; i++)
        {
            (await gate.GetAsync("/items/1", Key)).Status.ShouldBe(200);
            gate.Time.Pass(TimeSpan.FromSeconds(3.2));
        }
    }

    [Fact]
    public async Task Looking_for_what_there_is_is_refused_and_coming_back_to_the_same_is_not()
    {
        using var gate = Gate("probing: { watch: endpoint-cycling, more-than: 10, within: 60s, for: 10m }");
        (await UntilAsync(gate, i => new Ask("GET", $"/items/{i % 10}", Key))).ShouldBe(60);
        (await UntilAsync(gate, i => new Ask("GET", $"/items/{i}", Key))).ShouldBe(10);
    }

    [Fact]
    public async Task A_spike_in_spending_is_refused_and_slow_growth_is_not()
    {
        using var gate = Gate("spike: { watch: spend-spike, times: 10, floor: 0.10 USD, within: 60s, for: 5m }");
        var token = await gate.TokenAsync("100.00 USD");
        var paid = new Ask("GET", "/paid", Key, ("Authorization", token));
        for (var minute = 0; minute < 5; minute++)
        {
            (await gate.SendAsync(paid)).Status.ShouldBe(200);
            gate.Time.Pass(TimeSpan.FromMinutes(1));
        }
        (await UntilAsync(gate, _ => paid)).ShouldBe(10);
        var trail = gate.Of<IAuditTrail>();
        await trail.FlushAsync(default);
        (await trail.ReadAsync(new AuditFilter(Kind: AuditKinds.BreakerTripped), default)).ShouldHaveSingleItem().Event.Detail.ShouldBe("0.11 USD held and spent, usually 0.01 USD.");
    }

    [Fact]
    public async Task A_new_caller_has_no_habits_to_break_and_one_below_the_floor_breaks_none()
    {
        using var gate = Gate("spike: { watch: spend-spike, times: 2, floor: 0.50 USD, within: 60s, for: 5m }");
        var token = await gate.TokenAsync("100.00 USD");
        (await UntilAsync(gate, _ => new Ask("GET", "/dear", Key, ("Authorization", token)), 20)).ShouldBe(20);
        for (var minute = 0; minute < 5; minute++)
        {
            gate.Time.Pass(TimeSpan.FromMinutes(1));
            await gate.GetAsync("/paid", ("Authorization", token));
        }
        (await UntilAsync(gate, _ => new Ask("GET", "/paid", ("Authorization", token)), 40)).ShouldBe(40);
    }

    [Fact]
    public async Task Whoever_time_lets_in_again_is_not_judged_by_what_stopped_them()
    {
        using var gate = Gate(Loop.Replace("for: 2m", "for: 5s", StringComparison.Ordinal));
        (await UntilAsync(gate, _ => new Ask("GET", "/items/1", Key))).ShouldBe(20);
        gate.Time.Pass(TimeSpan.FromSeconds(5));
        (await UntilAsync(gate, _ => new Ask("GET", "/items/1", Key))).ShouldBe(10, "half as much opens it again, and not the first");
        gate.Time.Pass(TimeSpan.FromSeconds(5));
        (await UntilAsync(gate, _ => new Ask("GET", "/items/1", Key))).ShouldBe(10);
        gate.Time.Pass(TimeSpan.FromSeconds(66));
        (await UntilAsync(gate, _ => new Ask("GET", "/items/1", Key))).ShouldBe(20);
    }

    [Fact]
    public async Task Whoever_an_operator_lets_in_again_begins_anew_also_after_a_restart()
    {
        using var gate = Gate(Loop);
        (await UntilAsync(gate, _ => new Ask("GET", "/items/1", Key))).ShouldBe(20);
        (await gate.Of<BreakerBoard>().ResetAsync("loop", "agent", default)).ShouldBeTrue();
        gate.Of<BreakerBoard>().Open.ShouldBeEmpty();
        (await UntilAsync(gate, _ => new Ask("GET", "/items/1", Key))).ShouldBe(20, "the same request again, which had been counted");
        (await gate.Of<BreakerBoard>().ResetAsync("loop", "agent", default)).ShouldBeTrue();
        using var after = gate.Restart();
        await after.Of<BreakerBoard>().RefreshAsync(default);
        after.Of<BreakerBoard>().Open.ShouldBeEmpty();
        (await UntilAsync(after, _ => new Ask("GET", "/items/1", Key))).ShouldBe(20);
    }

    [Fact]
    public async Task A_task_that_came_to_its_end_is_given_more_by_an_operator_alone()
    {
        using var gate = Gate("endless: { watch: task-iterations, more-than: 6, within: 1h, for: 5s }");
        Ask Work(int i) => new("GET", $"/items/{i}", Key, ("Turnpike-Task", "t"));
        (await UntilAsync(gate, Work)).ShouldBe(6);
        gate.Time.Pass(TimeSpan.FromSeconds(6));
        (await UntilAsync(gate, Work)).ShouldBe(0, "its calls are its calls");
        (await gate.Of<BreakerBoard>().ResetAsync("endless", "caller:agent/task:t", default)).ShouldBeTrue();
        (await UntilAsync(gate, Work)).ShouldBe(6);
    }

    [Fact]
    public async Task Observed_is_noted_and_nothing_is_refused_and_an_operator_can_close_what_opened()
    {
        using var gate = Gate("watch: { watch: identical-requests, more-than: 5, within: 60s, action: observe }, " + Loop);
        (await UntilAsync(gate, _ => new Ask("GET", "/items/1", Key))).ShouldBe(20);
        var board = gate.Of<BreakerBoard>();
        board.Open.Select(t => (t.Breaker, t.Who)).ShouldBe([("loop", "agent"), ("watch", "agent")], ignoreOrder: true);
        (await board.ResetAsync("loop", "agent", default)).ShouldBeTrue();
        (await board.ResetAsync("loop", "agent", default)).ShouldBeFalse();
        (await gate.GetAsync("/items/2", Key)).Status.ShouldBe(200);
    }
}
