using System.Net;
using Turnpike.Tests.Gateway;
using Turnpike.Tests.Metering;

namespace Turnpike.Tests.Payments;

/// <summary>Whether what was paid for was delivered: when an answer breaks, when its caller leaves, and when it is made to say nothing.</summary>
public sealed class DeliveryTests
{
    /// <summary>Whoever counts calls makes no part of an answer worth its price.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("meters: { calls: { count: requests } }\n")]
    public async Task One_price_goes_back_when_the_answer_breaks_off(string more)
    {
        using var gate = new TestGate(more);
        var token = await gate.TokenAsync();
        gate.Upstream.Says(() => new HttpResponseMessage { Content = new Pieces("half"u8.ToArray(), null) });
        (await gate.GetAsync("/forecast/paris", ("Authorization", token))).Aborted.ShouldBeTrue();
        (await LeftAsync(gate, token)).ShouldBe("1.00 USD");
        await gate.ShouldBalanceAsync();
    }

    /// <summary>An answer without an end would be free for all who leave before it.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("meters: { calls: { count: requests } }\n")]
    public async Task Who_leaves_in_the_middle_has_paid_however_long_it_would_have_gone_on(string more)
    {
        using var gate = new TestGate(more);
        var token = await gate.TokenAsync();
        using var leaving = new CancellationTokenSource();
        var endless = new Endless("event"u8.ToArray());
        gate.Upstream.Says(() => new HttpResponseMessage { Content = new StreamContent(endless) });
        var call = gate.SendAsync(new Ask("GET", "/forecast/paris", ("Authorization", token)) { Leaves = leaving.Token });
        await endless.Waits.WaitAsync(TimeSpan.FromMinutes(1));
        gate.Time.Haste = 100;
        await leaving.CancelAsync();
        await call.WaitAsync(TimeSpan.FromMinutes(1));
        (await LeftAsync(gate, token)).ShouldBe("0.99 USD");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Who_leaves_before_the_first_byte_gets_it_back()
    {
        using var gate = new TestGate();
        var token = await gate.TokenAsync();
        using var leaving = new CancellationTokenSource();
        var endless = new Endless();
        gate.Upstream.Says(() => new HttpResponseMessage { Content = new StreamContent(endless) });
        var call = gate.SendAsync(new Ask("GET", "/forecast/paris", ("Authorization", token)) { Leaves = leaving.Token });
        await endless.Waits.WaitAsync(TimeSpan.FromMinutes(1));
        gate.Time.Haste = 100;
        await leaving.CancelAsync();
        await call.WaitAsync(TimeSpan.FromMinutes(1));
        (await LeftAsync(gate, token)).ShouldBe("1.00 USD");
        await gate.ShouldBalanceAsync();
    }

    /// <summary>A part of an answer may leave out what tells its records, and hold every one of them.</summary>
    [Fact]
    public async Task Records_are_not_had_in_parts()
    {
        using var gate = new TestGate(document: MeteredGate.Records);
        gate.Upstream.Says(() => MeteredGate.Json("""{"items":[1,2]}"""));
        var told = await gate.GetAsync("/companies", ("Authorization", await gate.TokenAsync()), ("Range", "bytes=1-"), ("If-Range", "\"x\""));
        (told.Status, told.Headers["Turnpike-Cost"].ToString()).ShouldBe((200, "0.004 USD"));
        gate.Upstream.Requests.Single().Headers.Keys.ShouldNotContain(name => name.EndsWith("Range", StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>The attack: a body that does not say how long it is.</summary>
    [Theory]
    [InlineData("usage: { size: request-bytes }, price: { ceiling: 1 USD, per-unit: { size: 0.01 USD } }")]
    [InlineData("price: { ceiling: 1 USD, per-unit: { request_bytes: 0.01 USD } }")]
    public async Task What_is_sold_by_the_length_of_the_request_is_so_however_it_comes(string price)
    {
        using var gate = new TestGate(document: MeteredGate.Records.Replace("search: { match: GET /companies, accept: [prepaid], price: { per-record: 0.002 USD, count: \"$.items[*]\", ceiling: 0.01 USD } }", $"put: {{ match: POST /put, accept: [prepaid], {price} }}", StringComparison.Ordinal));
        foreach (var chunked in new[] { false, true })
        {
            var told = await gate.SendAsync(new Ask("POST", "/put", ("Authorization", await gate.TokenAsync())) { Body = "seven..", Chunked = chunked });
            (told.Status, told.Headers["Turnpike-Cost"].ToString()).ShouldBe((200, "0.07 USD"));
        }
        gate.Upstream.Requests.ShouldAllBe(request => request.Body == "seven..");
    }

    [Fact]
    public async Task Records_in_another_format_are_not_sold_uncounted()
    {
        using var gate = new TestGate(document: MeteredGate.Records);
        gate.Upstream.Says(() => ScriptedUpstream.Text("a,b\nc,d"));
        var token = await gate.TokenAsync();
        var told = await gate.GetAsync("/companies", ("Authorization", token), ("Accept", "text/csv"));
        (told.Status, told.Reason).ShouldBe((502, "upstream-failed"));
        (await LeftAsync(gate, token)).ShouldBe("1.00 USD");
    }

    [Fact]
    public async Task An_answer_that_is_counted_first_and_does_not_go_on_is_504_and_costs_nothing()
    {
        using var gate = new TestGate(document: MeteredGate.Records.Replace("upstream: ${env:UPSTREAM}", "upstream: { url: \"${env:UPSTREAM}\", timeout: 1s }", StringComparison.Ordinal));
        gate.Upstream.Says(() => new HttpResponseMessage { Content = new StreamContent(new Endless("{\"items\":["u8.ToArray())) });
        var token = await gate.TokenAsync();
        var told = await gate.GetAsync("/companies", ("Authorization", token)).WaitAsync(TimeSpan.FromMinutes(1));
        (told.Status, told.Reason).ShouldBe((504, "upstream-timeout"));
        (await LeftAsync(gate, token)).ShouldBe("1.00 USD");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_stream_that_was_paid_for_is_given_again_under_its_key()
    {
        using var gate = new TestGate(document: MeteredGate.Chat);
        gate.Upstream.Says(() => MeteredGate.Stream(MeteredGate.Delta("hello"), MeteredGate.LastChunk, "data: [DONE]"));
        var token = await gate.TokenAsync();
        var ask = MeteredGate.Ask(token, """{"model":"gpt-4o","stream":true,"max_tokens":100}""").With(("Idempotency-Key", "k"));
        var first = await gate.SendAsync(ask);
        (first.Status, first.Headers.ContainsKey("Turnpike-Answer-Until")).ShouldBe((200, true));
        var left = await LeftAsync(gate, token);
        var again = await gate.SendAsync(ask);
        (again.Status, again.Body, again.Headers.ContentType.ToString()).ShouldBe((200, first.Body, "text/event-stream"));
        (await LeftAsync(gate, token)).ShouldBe(left);
        gate.Upstream.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Half_a_stream_is_never_given_again()
    {
        using var gate = new TestGate(document: MeteredGate.Chat);
        gate.Upstream.Says(() => MeteredGate.Stream(MeteredGate.Delta("hello"), null));
        var ask = MeteredGate.Ask(await gate.TokenAsync(), """{"model":"gpt-4o","stream":true,"max_tokens":100}""").With(("Idempotency-Key", "k"));
        (await gate.SendAsync(ask)).Aborted.ShouldBeTrue();
        (await gate.SendAsync(ask)).Reason.ShouldBe("already-delivered");
    }

    /// <summary>A session that was bought stands before an upstream that checks who calls as its paying call did.</summary>
    [Fact]
    public async Task A_session_opens_what_the_upstream_guards()
    {
        using var gate = new TestGate(document: TestGate.Document.Replace("      forecast:", "      lounge: { match: GET /lounge, identity: upstream, price: { per-session: 0.50 USD, lasts: 1h } }\n      forecast:", StringComparison.Ordinal));
        gate.Upstream.Answer = (request, _) => Task.FromResult(request.Headers.Contains("x-upstream-key") ? ScriptedUpstream.Text("sunny") : ScriptedUpstream.Text("who?", HttpStatusCode.Unauthorized));
        var first = await gate.GetAsync("/lounge", ("PAYMENT-SIGNATURE", gate.Pay(await gate.GetAsync("/lounge"))));
        first.Status.ShouldBe(200);
        (await gate.GetAsync("/lounge", ("Turnpike-Session", first.Headers["Turnpike-Session"].ToString()))).Body.ShouldBe("sunny");
    }

    internal static async Task<string> LeftAsync(TestGate gate, string token) => (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).ToString();

    /// <summary>Gives a piece, or none, and then nothing more until nobody reads any longer.</summary>
    private sealed class Endless(byte[]? piece = null) : MemoryStream
    {
        private readonly TaskCompletionSource waits = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private bool given;

        public override bool CanSeek => false; // or its length would be told

        public Task Waits => waits.Task;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (buffer.IsEmpty) return 0;
            if (!given && piece is not null)
            {
                given = true;
                piece.CopyTo(buffer);
                return piece.Length;
            }
            waits.TrySetResult();
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return 0;
        }
    }
}
