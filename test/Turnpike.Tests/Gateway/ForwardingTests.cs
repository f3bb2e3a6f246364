using Turnpike.Gateway;

namespace Turnpike.Tests.Gateway;

/// <summary>What passes the gate in each direction, and what stays.</summary>
public sealed class ForwardingTests : IDisposable
{
    private readonly TestGate gate = new();

    public void Dispose() => gate.Dispose();

    private ScriptedUpstream.Asked Asked => gate.Upstream.Requests.Single();

    [Fact]
    public async Task Where_nothing_is_owed_no_payment_is_looked_at_or_passed_on()
    {
        var told = await gate.GetAsync("/status", ("PAYMENT-SIGNATURE", "!!! not base64 !!!"), ("X-PAYMENT", "neither"));
        (told.Status, told.Body).ShouldBe((200, "sunny"));
        Asked.Headers.Keys.ShouldNotContain("PAYMENT-SIGNATURE");
        told.Headers.ContainsKey("Turnpike-Cost").ShouldBeFalse();
    }

    [Fact]
    public async Task Nothing_on_the_list_reaches_the_upstream_as_a_caller_wrote_it()
    {
        var keys = (string[])["apikey", "x-api-key", "x-goog-api-key"];
        var sent = HeaderLists.DropFromRequest.Except(keys, StringComparer.OrdinalIgnoreCase).Where(n => !n.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase)).Append("Turnpike-Payer").Append("Turnpike-Whatever").Append("x_upstream_key").ToList();
        (await gate.GetAsync("/status", [.. sent.Select(n => (n, (string?)"from-the-caller"))])).Status.ShouldBe(200);
        Asked.Headers.Where(h => h.Value.Contains("from-the-caller", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_is_the_callers_own_reaches_the_upstream()
    {
        await gate.SendAsync(new Ask("POST", "/reports", ("Authorization", await gate.TokenAsync()), ("Content-Type", "text/x-made-up"), ("X-Mine", "1"), ("Accept-Language", "fr")) { Body = "hello" });
        Asked.Body.ShouldBe("hello");
        (Asked.Headers["Content-Type"], Asked.Headers["X-Mine"], Asked.Headers["Accept-Language"]).ShouldBe(("text/x-made-up", "1", "fr"));
    }

    [Fact]
    public async Task The_upstream_is_told_who_paid_what_and_gets_its_own_key()
    {
        var token = await gate.TokenAsync();
        await gate.GetAsync("/forecast/paris", ("Authorization", token), ("x-upstream-key", "guess"), ("Turnpike-Amount", "9"));
        Asked.Headers["x-upstream-key"].ShouldBe("upstream-hush");
        (Asked.Headers["Turnpike-Payer"], Asked.Headers["Turnpike-Amount"]).ShouldBe(("token:" + TestGate.IdOf(token), "0.01 USD"));
        Asked.Headers["Turnpike-Payment"].ShouldStartWith("r_");
        Asked.Headers.Keys.ShouldNotContain("Authorization");
        Asked.Headers["X-Forwarded-For"].ShouldBe("127.0.0.1");
    }

    [Fact]
    public async Task The_target_is_passed_on_as_it_was_matched()
    {
        await gate.GetAsync("/forecast/a%20b?q=%2e%2e&x=1", ("Authorization", await gate.TokenAsync()));
        Asked.Url.ShouldBe("http://127.0.0.1:9000/forecast/a%20b?q=%2e%2e&x=1");
    }

    [Fact]
    public async Task What_only_the_gate_may_say_is_dropped_from_an_answer()
    {
        var said = HeaderLists.DropFromResponse.Concat(["Turnpike-Cost", "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"]).ToList();
        gate.Upstream.Says(() =>
        {
            var answer = ScriptedUpstream.Text("sunny");
            foreach (var name in said) answer.Headers.TryAddWithoutValidation(name, "from-the-upstream");
            answer.Headers.TryAddWithoutValidation("WWW-Authenticate", "Payment id=\"x\"");
            answer.Headers.TryAddWithoutValidation("X-Fine", "kept");
            return answer;
        });
        var told = await gate.GetAsync("/status");
        told.Headers.Where(h => h.Value.ToString().Contains("from-the-upstream", StringComparison.Ordinal)).ShouldBeEmpty();
        told.Headers.ContainsKey("WWW-Authenticate").ShouldBeFalse();
        told.Headers["X-Fine"].ToString().ShouldBe("kept");
    }

    [Fact]
    public async Task An_echo_of_the_upstreams_key_is_starred_out_wherever_it_is_cut()
    {
        var text = "before upstream-hush between upstream-upstream-hush after upstream-hus"u8.ToArray();
        for (var cut = 0; cut <= text.Length; cut++)
        {
            var at = cut;
            gate.Upstream.Says(() => new HttpResponseMessage { Content = new Pieces(text[..at].Length == 0 ? " "u8.ToArray() : text[..at], [.. text[at..], (byte)'.']) });
            var told = await gate.GetAsync("/status");
            told.Body.TrimStart().ShouldBe("before ************* between upstream-************* after upstream-hus.", $"cut at {cut}");
        }
    }

    [Fact]
    public async Task An_echo_one_byte_at_a_time_is_starred_out()
    {
        gate.Upstream.Says(() => new HttpResponseMessage { Content = new Pieces([.. "uupstream-hushup"u8.ToArray().Select(b => new[] { b })]) });
        (await gate.GetAsync("/status")).Body.ShouldBe("u*************up");
    }

    [Fact]
    public async Task A_header_that_echoes_the_key_is_dropped()
    {
        gate.Upstream.Says(() => { var answer = ScriptedUpstream.Text("sunny"); answer.Headers.Add("X-Debug", "key=upstream-hush"); return answer; });
        (await gate.GetAsync("/status")).Headers.ContainsKey("X-Debug").ShouldBeFalse();
    }

    [Fact]
    public async Task The_kept_answer_holds_no_key_either()
    {
        gate.Upstream.Says(() => ScriptedUpstream.Text("echo upstream-hush"));
        var proof = await gate.ProofAsync();
        (await gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", proof))).Body.ShouldBe("echo *************");
        (await gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", proof))).Body.ShouldBe("echo *************");
    }

    [Fact]
    public async Task A_preflight_is_answered_here_and_never_charged()
    {
        var told = await gate.SendAsync(new Ask("OPTIONS", "/forecast/paris", ("Origin", "https://app.example"), ("Access-Control-Request-Method", "GET")));
        told.Status.ShouldBe(204);
        told.Headers["Access-Control-Allow-Methods"].ToString().ShouldContain("GET");
        told.Headers["Access-Control-Allow-Headers"].ToString().ShouldContain("PAYMENT-SIGNATURE");
        (await gate.SendAsync(new Ask("OPTIONS", "/nothing", ("Origin", "https://app.example"), ("Access-Control-Request-Method", "GET")))).Status.ShouldBe(404);
        gate.Upstream.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("GET", "/nothing", 404)]
    [InlineData("GET", "/FORECAST/paris", 404)]
    [InlineData("GET", "/forecast/paris/more", 404)]
    [InlineData("get", "/forecast/paris", 405)]
    [InlineData("POST", "/forecast/paris", 405)]
    [InlineData("OPTIONS", "/forecast/paris", 405)]
    [InlineData("HEAD", "/reports", 405)]
    [InlineData("GET", "/forecast/../status", 400)]
    [InlineData("GET", "/forecast/%2e%2e/status", 400)]
    [InlineData("GET", "//status", 400)]
    public async Task What_is_not_sold_is_not_forwarded(string method, string target, int status)
    {
        var told = await gate.SendAsync(new Ask(method, target));
        told.Status.ShouldBe(status);
        if (status == 405) told.Headers.Allow.ToString().ShouldNotBeEmpty();
        gate.Upstream.Requests.ShouldBeEmpty();
    }
}
