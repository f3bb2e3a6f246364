using System.Net;
using Turnpike.Ledger;
using Turnpike.Tests.Catalog;

namespace Turnpike.Tests.Gateway;

/// <summary>Upstreams that fail, and upstreams that take only so much: nobody pays for what is not delivered, nor twice for what is.</summary>
public sealed class UpstreamTests
{
    private static readonly string One = Documents.Variables["UPSTREAM"], Two = Documents.Variables["UPSTREAM_2"];

    private static TestGate Gate(string upstream, string more = "") => new(more, TestGate.Document.Replace("upstream: ${env:UPSTREAM}", $"upstream: {{ {upstream} }}", StringComparison.Ordinal));

    private static HttpRequestException Unreachable() => new(HttpRequestError.ConnectionError, "connection refused");

    private static void Fails(TestGate gate, string at, Func<HttpResponseMessage>? how = null) => gate.Upstream.Answer = (request, _) =>
        !request.RequestUri!.OriginalString.StartsWith(at, StringComparison.Ordinal) ? Task.FromResult(ScriptedUpstream.Text("sunny")) : how is null ? Task.FromException<HttpResponseMessage>(Unreachable()) : Task.FromResult(how());

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_upstream_that_failed_three_times_is_left_alone_and_nothing_is_held_for_it(bool unreachable)
    {
        using var gate = Gate("url: \"${env:UPSTREAM}\", breaker: { failures: 3, for: 10s }");
        var proof = await gate.ProofAsync();
        Fails(gate, One, unreachable ? null : () => ScriptedUpstream.Text("oh", HttpStatusCode.InternalServerError));
        var token = await gate.TokenAsync();
        for (var i = 0; i < 3; i++) (await gate.GetAsync("/forecast/paris", ("Authorization", token))).Status.ShouldBeGreaterThanOrEqualTo(500);
        foreach (var (header, value) in new[] { ("Authorization", token), ("PAYMENT-SIGNATURE", proof), ("x", "unpaid") })
        {
            var told = await gate.GetAsync("/forecast/paris", (header, value));
            (told.Status, told.Reason, told.Headers.RetryAfter.ToString()).ShouldBe((503, "upstream-down", "10"), header);
            told.Body.ShouldNotContain("offers");
        }
        gate.Upstream.Requests.Count.ShouldBe(3);
        (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).ToString().ShouldBe("1.00 USD");
        gate.Time.Pass(TimeSpan.FromSeconds(10));
        (await gate.GetAsync("/forecast/paris", ("Authorization", token))).Status.ShouldBeGreaterThanOrEqualTo(500);
        (await gate.GetAsync("/forecast/paris", ("Authorization", token))).Reason.ShouldBe("upstream-down", "one try, and it failed");
        gate.Upstream.Requests.Count.ShouldBe(4);
        gate.Time.Pass(TimeSpan.FromSeconds(10));
        gate.Upstream.Says(() => ScriptedUpstream.Text("sunny"));
        for (var i = 0; i < 4; i++) (await gate.GetAsync("/forecast/paris", ("Authorization", token))).Status.ShouldBe(200);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task What_was_paid_for_is_answered_from_what_was_kept_while_the_upstream_is_left_alone()
    {
        using var gate = Gate("url: \"${env:UPSTREAM}\", breaker: { failures: 1, for: 1h }");
        var proof = await gate.ProofAsync();
        (await gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", proof))).Status.ShouldBe(200);
        Fails(gate, One);
        await gate.GetAsync("/status");
        (await gate.GetAsync("/status")).Reason.ShouldBe("upstream-down");
        (await gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", proof))).Body.ShouldBe("sunny");
    }

    [Theory]
    [InlineData("/forecast/paris")]
    [InlineData("/early")]
    public async Task A_call_that_goes_to_another_target_is_paid_once(string path)
    {
        using var gate = Gate("targets: [\"${env:UPSTREAM}\", \"${env:UPSTREAM_2}\"], retries: 1");
        Fails(gate, One);
        var token = await gate.TokenAsync();
        for (var i = 0; i < 4; i++) (await gate.GetAsync(path, ("Authorization", token))).Status.ShouldBe(200);
        (await gate.GetAsync(path, ("PAYMENT-SIGNATURE", await gate.ProofAsync(path)))).Status.ShouldBe(200);
        (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).ToString().ShouldBe("0.96 USD");
        gate.Rail.Settlements.ShouldBe(1);
        gate.Upstream.Requests.Count(r => r.Url.StartsWith(Two, StringComparison.Ordinal)).ShouldBe(5);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_body_is_sent_once_and_an_answer_that_is_a_refusal_is_no_reason_to_ask_again()
    {
        using var gate = Gate("targets: [\"${env:UPSTREAM}\", \"${env:UPSTREAM_2}\"], retries: 3");
        gate.Upstream.Answer = static (_, _) => Task.FromException<HttpResponseMessage>(Unreachable());
        (await gate.SendAsync(new Ask("POST", "/reports", ("Authorization", await gate.TokenAsync())) { Body = "{}" })).Reason.ShouldBe("upstream-down");
        gate.Upstream.Requests.Count.ShouldBe(1);
        (await gate.GetAsync("/status")).Reason.ShouldBe("upstream-down");
        gate.Upstream.Requests.Count.ShouldBe(5, "a GET, and three times again");
        gate.Upstream.Says(() => ScriptedUpstream.Text("no", HttpStatusCode.BadGateway));
        (await gate.GetAsync("/status")).Status.ShouldBe(502);
        gate.Upstream.Requests.Count.ShouldBe(6);
    }

    [Fact]
    public async Task The_fallback_takes_calls_while_the_targets_are_left_alone_and_they_come_back()
    {
        using var gate = Gate("targets: [\"${env:UPSTREAM}\"], fallback: [\"${env:UPSTREAM_2}\"], breaker: { failures: 1, for: 10s }");
        Fails(gate, One, () => ScriptedUpstream.Text("oh", HttpStatusCode.ServiceUnavailable));
        (await gate.GetAsync("/status")).Status.ShouldBe(503);
        (await gate.GetAsync("/status")).Status.ShouldBe(200);
        gate.Upstream.Requests.Last().Url.ShouldStartWith(Two);
        gate.Time.Pass(TimeSpan.FromSeconds(10));
        gate.Upstream.Says(() => ScriptedUpstream.Text("sunny"));
        await gate.GetAsync("/status");
        gate.Upstream.Requests.Last().Url.ShouldStartWith(One);
    }

    [Fact]
    public async Task Paid_calls_go_first_then_callers_then_strangers_and_plans_in_turn_by_their_weight()
    {
        using var gate = Gate("url: \"${env:UPSTREAM}\", capacity: { calls: 1, queue: 20, wait: 1h }", "plans: { heavy: { weight: 3 }, light: { weight: 1 } }\n");
        var goes = new SemaphoreSlim(0);
        gate.Upstream.Answer = async (_, _) => { await goes.WaitAsync(); return ScriptedUpstream.Text("sunny"); };
        var (heavy, light) = (await gate.KeyAsync("h", change: c => c with { Plan = "heavy" }), await gate.KeyAsync("l", change: c => c with { Plan = "light" }));
        var token = await gate.TokenAsync();
        List<string> order = [];
        async Task Call(string name, string path, params (string, string?)[] headers)
        {
            (await gate.GetAsync(path, headers)).Status.ShouldBe(200);
            lock (order) order.Add(name);
        }
        List<Task> calls = [Call("first", "/status")];
        while (gate.Upstream.Requests.IsEmpty) await Task.Delay(1);
        calls.Add(Call("stranger", "/status"));
        for (var i = 0; i < 2; i++) calls.Add(Call("light", "/status", ("x-api-key", light)));
        for (var i = 0; i < 4; i++) calls.Add(Call("heavy", "/status", ("x-api-key", heavy)));
        calls.Add(Call("paid", "/forecast/paris", ("Authorization", token)));
        await Task.Delay(1_000); // until all of them wait
        for (var served = 0; served < calls.Count; served++)
        {
            goes.Release();
            while (true) { lock (order) if (order.Count > served) break; await Task.Delay(1); }
        }
        await Task.WhenAll(calls);
        order.ShouldBe(["first", "paid", "heavy", "heavy", "heavy", "light", "heavy", "light", "stranger"], "three turns for one");
    }

    [Fact]
    public async Task Who_finds_no_place_is_told_so_and_the_least_leaves_for_who_pays_and_nothing_is_held_meanwhile()
    {
        using var gate = Gate("url: \"${env:UPSTREAM}\", capacity: { calls: 1, queue: 1, wait: 10s }");
        var goes = new TaskCompletionSource();
        gate.Upstream.Answer = async (_, _) => { await goes.Task; return ScriptedUpstream.Text("sunny"); };
        var token = await gate.TokenAsync();
        var first = gate.GetAsync("/status");
        while (gate.Upstream.Requests.IsEmpty) await Task.Delay(1);
        var free = gate.GetAsync("/status");
        (await gate.GetAsync("/status")).Reason.ShouldBe("overloaded");
        var paid = gate.GetAsync("/forecast/paris", ("Authorization", token));
        (await free).ShouldSatisfyAllConditions(t => t.Status.ShouldBe(503), t => t.Reason.ShouldBe("overloaded"), t => t.Headers.RetryAfter.ToString().ShouldBe("2"));
        (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).ToString().ShouldBe("1.00 USD", "who waits holds nothing");
        gate.Time.Pass(TimeSpan.FromSeconds(11));
        (await paid).Reason.ShouldBe("overloaded", "it took too long");
        goes.SetResult();
        (await first).Status.ShouldBe(200);
        (await gate.GetAsync("/forecast/paris", ("Authorization", token))).Status.ShouldBe(200, "the place is free again");
        await gate.ShouldBalanceAsync();
    }
}
