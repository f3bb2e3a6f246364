using Turnpike.Tests.Catalog;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Limits;

/// <summary>Limits in what calls use: bytes and tokens are known only afterwards, and reserved for before.</summary>
public sealed class UnitLimitTests
{
    private static TestGate Gate(string limits) => new(document: $$"""
        payments: { prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" } }
        services:
          s:
            upstream: ${env:UPSTREAM}
            limits: [{{limits}}]
            operations:
              data: { match: "GET /data", price: free }
              heavy: { match: GET /heavy, price: free, weight: 10 }
              send: { match: POST /send, price: free }
              paid: { match: GET /paid, price: 0.10 USD }
              chat: { match: POST /chat, usage: openai, price: 0.10 USD }
        """);

    private static HttpResponseMessage Bytes(int count) => new() { Content = new ByteArrayContent(new byte[count]) };

    [Fact]
    public async Task Bytes_count_when_they_have_passed_and_the_next_ones_wait_for_them()
    {
        using var gate = Gate("{ amount: 1000 bytes, per: 1m, count: fixed-window }");
        gate.Upstream.Says(() => Bytes(400));
        for (var i = 0; i < 3; i++) (await gate.GetAsync("/data")).Status.ShouldBe(200);
        var told = await gate.GetAsync("/data");
        (told.Status, told.Headers["RateLimit-Policy"].ToString()).ShouldBe((429, "\"bytes-60s\";q=1000;w=60;qu=\"content-bytes\""));
        gate.Time.Pass(TimeSpan.FromMinutes(1));
        (await gate.GetAsync("/data")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_limit_for_a_model_counts_requests_for_it_alone()
    {
        using var gate = Gate("{ amount: 2 requests, per: 1h, for: { models: [dear] } }");
        gate.Upstream.Says(() => ScriptedUpstream.Text("{}"));
        var token = await gate.TokenAsync();
        Task<Told> AskAsync(string model) => gate.SendAsync(new Ask("POST", "/chat", ("Authorization", token)) { Body = $$"""{"model":"{{model}}","messages":[{"role":"user","content":"hello"}]}""" });
        for (var i = 0; i < 2; i++) (await AskAsync("dear")).Status.ShouldBe(200);
        (await AskAsync("dear")).Status.ShouldBe(429);
        for (var i = 0; i < 4; i++) (await AskAsync("cheap")).Status.ShouldBe(200);
        (await gate.GetAsync("/data")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task What_is_reserved_for_an_answer_nobody_bounds_keeps_calls_at_once_within_the_limit()
    {
        using var gate = Gate("{ amount: 1000 bytes, per: 1m, count: fixed-window, reserve: 400 bytes }");
        var go = new TaskCompletionSource();
        gate.Upstream.Answer = async (_, _) => { await go.Task; return Bytes(100); };
        Task<Told>[] first = [gate.GetAsync("/data"), gate.GetAsync("/data")];
        (await gate.GetAsync("/data")).Status.ShouldBe(429, "800 of 1000 are spoken for");
        go.SetResult();
        foreach (var told in await Task.WhenAll(first)) told.Status.ShouldBe(200);
        for (var i = 0; i < 5; i++) (await gate.GetAsync("/data")).Status.ShouldBe(200, "they were 100 each after all");
        (await gate.GetAsync("/data")).Status.ShouldBe(429);
    }

    [Fact]
    public async Task A_heavy_call_counts_as_so_many_requests_but_is_one_at_once()
    {
        using var gate = Gate("{ amount: 25 requests, per: 1m }, { amount: 1 requests }");
        for (var i = 0; i < 2; i++) (await gate.GetAsync("/heavy")).Status.ShouldBe(200);
        (await gate.GetAsync("/heavy")).Status.ShouldBe(429);
        for (var i = 0; i < 5; i++) (await gate.GetAsync("/data")).Status.ShouldBe(200, "five are left for lighter ones");
        (await gate.GetAsync("/data")).Status.ShouldBe(429);
    }

    [Fact]
    public async Task What_is_sent_is_limited_before_it_is_forwarded()
    {
        using var gate = Gate("{ amount: 10 request_bytes, per: 1m, count: fixed-window }");
        (await gate.SendAsync(new Ask("POST", "/send") { Body = "12345678" })).Status.ShouldBe(200);
        (await gate.SendAsync(new Ask("POST", "/send") { Body = "123" })).Status.ShouldBe(429);
        gate.Upstream.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Tokens_are_limited_whatever_the_price_and_calls_without_tokens_are_not()
    {
        using var gate = Gate("{ amount: 100 total_tokens, per: 1m, count: fixed-window }");
        var token = await gate.TokenAsync();
        gate.Upstream.Says(() => Metering.MeteredGate.Json("""{"choices":[],"usage":{"prompt_tokens":60,"completion_tokens":60,"total_tokens":120}}"""));
        Ask ask = new("POST", "/chat", ("Authorization", token)) { Body = """{"model":"m","messages":[{"role":"user","content":"hello"}]}""" };
        (await gate.SendAsync(ask)).Status.ShouldBe(200);
        (await gate.SendAsync(ask)).Status.ShouldBe(429);
        (await gate.GetAsync("/data")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task What_one_rail_may_have_unsettled_at_once_is_its_own()
    {
        using var gate = Gate("{ amount: 0.10 USD, key: [rail], name: exposed }");
        var (go, token) = (new TaskCompletionSource(), await gate.TokenAsync());
        gate.Upstream.Answer = async (_, _) => { await go.Task; return Bytes(1); };
        var first = gate.GetAsync("/paid", ("Authorization", token));
        var told = await gate.GetAsync("/paid", ("Authorization", await gate.TokenAsync()));
        (told.Status, told.Json.GetProperty("violated-policies")[0].GetString()).ShouldBe((429, "exposed"));
        go.SetResult();
        (await first).Status.ShouldBe(200);
        (await gate.GetAsync("/paid", ("Authorization", token))).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Two_limits_of_one_unit_and_time_are_told_apart_by_whom_they_count()
    {
        using var gate = Gate("{ amount: 5 requests, per: 1m, key: [caller] }, { amount: 50 requests, per: 1m, key: [address] }");
        (await gate.GetAsync("/data")).Headers["RateLimit-Policy"].ToString().ShouldBe("\"requests-60s\";q=5;w=60, \"requests-60s-address\";q=50;w=60");
    }

    [Theory]
    [InlineData("{ amount: 5 requests, per: 1m }, { amount: 9 requests, per: 1m }", "t.yaml:5:47: services.s.limits[1]: another limit here is called 'requests-60s' as well: give one of them a name")]
    [InlineData("{ amount: 5 bananas, per: 1m }", "t.yaml:5:24: services.s.limits[0].amount: nothing sold here tells 'bananas', so it would never be counted; 'usage' of an operation says where it comes from")]
    [InlineData("{ amount: 5 requests, per: 1m, reserve: 5 requests }", "t.yaml:5:54: services.s.limits[0].reserve: is of the limit's own unit, and only where that is read from answers")]
    [InlineData("{ amount: 5 bytes, per: 1m, reserve: 5 request_bytes }", "t.yaml:5:51: services.s.limits[0].reserve: is of the limit's own unit, and only where that is read from answers")]
    public void A_limit_that_would_hold_nothing_is_an_error(string limits, string error) => Documents.Load($$"""

        services:
          s:
            upstream: ${env:UPSTREAM}
            limits: [{{limits}}]
            operations: { data: { match: "GET /data", price: free } }
        """).ErrorLines.ShouldBe([error]);
}
