using System.Text.Json;
using Turnpike.Audit;
using Turnpike.Ledger;
using Turnpike.Storage;
using Turnpike.Tests.Gateway;
using static Turnpike.Tests.Metering.MeteredGate;

namespace Turnpike.Tests.Metering;

/// <summary>Calls of a language model, paid by the token: held for the most they can be, charged for what passed.</summary>
public sealed class MeteredCallTests : IDisposable
{
    private const string Streaming = """{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"Tell me of the sea."}],"max_tokens":100}""";

    private readonly TestGate gate = new(document: Chat);

    public void Dispose() => gate.Dispose();

    [Fact]
    public async Task A_stream_is_charged_by_what_its_last_chunk_tells()
    {
        var token = await gate.TokenAsync();
        gate.Upstream.Says(() => Stream(Delta("The sea"), Delta(" is wide."), LastChunk, "data: [DONE]"));
        var told = await gate.SendAsync(Ask(token, Streaming));
        told.Status.ShouldBe(200);
        // 12 x 2.50 + 8 x 1.25 + 10 x 10.00 millionths of a dollar
        await ShouldHaveLeftAsync(token, 1_000_000_000 - 30_000 - 10_000 - 100_000);
        told.Headers["Turnpike-Receipt"].ToString().ShouldContain("/receipts/r_");
        told.Headers.ContainsKey("Turnpike-Cost").ShouldBeFalse("it was not known yet");
    }

    [Theory]
    [InlineData("")]
    [InlineData(""","stream_options":{}""")]
    [InlineData(""","stream_options":null""")]
    [InlineData(""","stream_options":{"include_usage":false}""")]
    public async Task Usage_is_asked_for_whatever_the_caller_says_and_told_only_to_those_who_ask(string options)
    {
        var token = await gate.TokenAsync();
        gate.Upstream.Says(() => Stream(Delta("hello"), LastChunk, "data: [DONE]"));
        var told = await gate.SendAsync(Ask(token, Streaming[..^1] + options + "}"));
        told.Body.ShouldBe(Delta("hello") + "\n\ndata: [DONE]\n\n");
        Asked().GetProperty("stream_options").GetProperty("include_usage").GetBoolean().ShouldBeTrue();
        await ShouldHaveLeftAsync(token, 1_000_000_000 - 140_000);
    }

    [Fact]
    public async Task Who_asks_for_usage_gets_it()
    {
        gate.Upstream.Says(() => Stream(Delta("hello"), LastChunk, "data: [DONE]"));
        var told = await gate.SendAsync(Ask(await gate.TokenAsync(), Streaming[..^1] + ""","stream_options":{"include_usage":true}}"""));
        told.Body.ShouldBe(Delta("hello") + "\n\n" + LastChunk + "\n\ndata: [DONE]\n\n");
    }

    [Theory]
    [InlineData(1_000)]
    [InlineData(7_999)]
    public async Task Frames_longer_than_any_buffer_pass_as_they_came_and_what_follows_them_is_read(int piece)
    {
        var token = await gate.TokenAsync();
        var frames = string.Concat(new[] { 10, 20_000, 70_000, 400_000, 1_200_000, 30, 33_000 }.Select(size => Delta("hello").Replace("\"usage\"", $"\"image\":\"{new string('a', size)}\",\"usage\"", StringComparison.Ordinal) + "\n\n"));
        gate.Upstream.Says(() =>
        {
            var answer = new HttpResponseMessage { Content = new Pieces([.. System.Text.Encoding.UTF8.GetBytes(frames + LastChunk + "\n\ndata: [DONE]\n\n").Chunk(piece)]) };
            answer.Content.Headers.ContentType = new("text/event-stream");
            return answer;
        });
        (await gate.SendAsync(Ask(token, Streaming))).Body.ShouldBe(frames + "data: [DONE]\n\n");
        await ShouldHaveLeftAsync(token, 1_000_000_000 - 140_000);
    }

    [Theory]
    [InlineData("text", "text", 0)]
    [InlineData("image_url", "image_url", 1)]
    [InlineData("im\\u0061ge_url", "\\u0069mage\\u005furl", 1)]
    [InlineData("input_im\\u0061ge", "source", 1)]
    public async Task A_picture_that_is_only_referred_to_is_held_for_however_its_name_is_written(string type, string name, int times)
    {
        gate.Upstream.Says(() => Stream(Delta("hello"), LastChunk, "data: [DONE]"));
        var body = $$$"""{"model":"gpt-4o","stream":true,"max_tokens":100,"messages":[{"role":"user","content":[{"type":"{{{type}}}","{{{name}}}":{"url":"https://a.example/b.png"}}]}]}""";
        (await gate.SendAsync(Ask(await gate.TokenAsync(), body))).Status.ShouldBe(200);
        // 50,000 tokens each time, and a token for each byte, at 2.50 millionths; 100 of output at 10
        (await gate.Ledger.ListAsync(new HoldFilter(), default))[0].Hold.Ceiling.ShouldBe(new Money((times * 50_000L + body.Length) * 2_500 + 1_000_000, "USD"));
    }

    /// <summary>The attack: a hundred pages by their address, or a search, for the price of the sentence that asks for them.</summary>
    [Theory]
    [InlineData("openai", """ "messages":[{"content":[{"type":"file","file":{"file_id":"file-1"}}]}] """, true)]
    [InlineData("openai", """ "messages":[{"content":[{"type":"f\u0069le","file":{"file_id":"file-1"}}]}] """, true)]
    [InlineData("openai", """ "messages":[],"web_search_options":{} """, true)]
    [InlineData("openai", """ "messages":[],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"url":{"type":"string"},"image_url":{"type":"string"},"file_id":{"type":"string"},"type":{"enum":["file"]}}}}}] """, false)]
    [InlineData("openai-responses", """ "input":[{"content":[{"type":"input_file","file_url":"https://a.example/b.pdf"}]}] """, true)]
    [InlineData("openai-responses", """ "input":[{"type":"item_reference","id":"msg_1"}] """, true)]
    [InlineData("openai-responses", """ "input":"?","tools":[{"type":"function","name":"f"},{"type":"web_search"}] """, true)]
    [InlineData("openai-responses", """ "input":[{"type":"web_search_call","status":"completed"}],"tools":[{"type":"custom","name":"f"}] """, false)]
    [InlineData("anthropic", """ "messages":[{"content":[{"type":"document","source":{"type":"url","url":"https://a.example/b.pdf"}}]}] """, true)]
    [InlineData("anthropic", """ "messages":[],"tools":[{"type":"web_fetch_20250910","name":"web_fetch"}] """, true)]
    [InlineData("anthropic", """ "messages":[],"tools":[{"name":"get","input_schema":{"type":"object","properties":{"url":{"type":"string"}}}},{"type":"bash_20250124","name":"bash"}] """, false)]
    [InlineData("gemini", """ "contents":[{"parts":[{"fileData":{"fileUri":"https://a.example/b.mp4"}}]}] """, true)]
    [InlineData("gemini", """ "contents":[],"tools":[{"google_search":{}}] """, true)]
    [InlineData("gemini", """ "contents":[],"cachedContent":"cachedContents/1" """, true)]
    [InlineData("gemini", """ "contents":[],"tools":[{"functionDeclarations":[{"name":"f","parameters":{"properties":{"file_search":{"type":"string"}}}}]}] """, false)]
    [InlineData("gemini", """ "contents":[{"parts":[{"inlineData":{"mimeType":"application/pdf","data":"aaaa"}}]}] """, true)]
    [InlineData("gemini", """ "contents":[{"parts":[{"inline_data":{"mime_type":"image/png","data":"aaaa"}}]}] """, false)]
    [InlineData("anthropic", """ "messages":[{"content":[{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"aaaa"}}]}] """, true)]
    [InlineData("bedrock", """ "messages":[{"content":[{"image":{"format":"png","source":{"bytes":"aaaa"}}}]}],"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"properties":{"document":{"type":"string"}}}}}}]} """, false)]
    [InlineData("bedrock", """ "messages":[],"toolConfig":{"tools":[{"systemTool":{"name":"nova_grounding"}}]} """, true)]
    [InlineData("bedrock", """ "messages":[{"content":[{"document":{"source":{"s3Location":{"uri":"s3://b/c"}}}}]}] """, true)]
    public async Task What_the_upstream_fetches_is_not_bounded_by_the_size_of_the_question(string format, string asked, bool unbounded)
    {
        using var other = new TestGate(document: Chat.Replace("usage: openai", "usage: " + format, StringComparison.Ordinal));
        other.Upstream.Says(() => Json("{}"));
        (await other.SendAsync(Ask(await other.TokenAsync(), $$"""{"model":"gpt-4o",{{asked}}}"""))).Status.ShouldBe(200);
        var held = (await other.Ledger.ListAsync(new HoldFilter(), default))[0].Hold.Ceiling.Units;
        if (unbounded) held.ShouldBe(500_000_000, "the ceiling of its price");
        else held.ShouldBeLessThan(30_000_000);
    }

    [Theory]
    [InlineData("anthropic", """ "messages":[{"content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"aaaa"}}]}] """)]
    [InlineData("gemini", """ "contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data":"aaaa"}}]}] """)]
    [InlineData("bedrock", """ "messages":[{"content":[{"image":{"format":"png","source":{"bytes":"aaaa"}}}]}] """)]
    public async Task A_small_picture_is_held_for_as_a_picture(string format, string asked)
    {
        using var other = new TestGate(document: Chat.Replace("usage: openai", "usage: " + format, StringComparison.Ordinal));
        other.Upstream.Says(() => Json("{}"));
        var body = $$"""{"model":"gpt-4o",{{asked}}}""";
        (await other.SendAsync(Ask(await other.TokenAsync(), body))).Status.ShouldBe(200);
        // 5,000 tokens and one for each byte at 2.50 millionths, and the document's 1000 of output at 10
        (await other.Ledger.ListAsync(new HoldFilter(), default))[0].Hold.Ceiling.ShouldBe(new Money((5_000L + body.Length) * 2_500 + 10_000_000, "USD"));
    }

    /// <summary>While much comes at once nobody is asked whether there is more; then it may fall silent all the same.</summary>
    [Fact]
    public async Task A_torrent_that_falls_silent_and_goes_on_passes_whole()
    {
        var token = await gate.TokenAsync();
        var much = string.Concat(Enumerable.Repeat(Delta("a") + "\n\n", 20));
        var (inside, silence) = (new TaskCompletionSource(), new TaskCompletionSource());
        gate.Upstream.Says(() =>
        {
            var answer = new HttpResponseMessage { Content = new StreamContent(new OpenStream([.. Enumerable.Repeat(much, 9)], inside, silence.Task, Delta("still") + "\n\n" + LastChunk + "\n\ndata: [DONE]\n\n")) };
            answer.Content.Headers.ContentType = new("text/event-stream");
            return answer;
        });
        var asked = gate.SendAsync(Ask(token, Streaming));
        await Task.WhenAny(inside.Task, asked);
        silence.SetResult();
        (await asked).Body.ShouldBe(string.Concat(Enumerable.Repeat(much, 9)) + Delta("still") + "\n\ndata: [DONE]\n\n");
        await ShouldHaveLeftAsync(token, 1_000_000_000 - 140_000);
    }

    [Fact]
    public async Task An_answer_in_one_piece_bears_its_cost()
    {
        var token = await gate.TokenAsync();
        gate.Upstream.Says(() => Json("""{"model":"gpt-4o-mini","choices":[{"message":{"content":"Hi"}}],"usage":{"prompt_tokens":20,"completion_tokens":1000,"total_tokens":1020}}"""));
        var told = await gate.SendAsync(Ask(token, """{"model":"gpt-4o-mini","messages":[]}"""));
        (told.Status, told.Headers["Turnpike-Cost"].ToString(), told.Headers["Turnpike-Remaining"].ToString()).ShouldBe((200, "0.000603 USD", "0.999397 USD"));
        Asked().GetProperty("max_tokens").GetInt32().ShouldBe(1000, "the document's maximum is written where there is none");
        await gate.ShouldBalanceAsync();
    }

    [Theory]
    [InlineData("""{"model":"gpt-5"}""", "unknown-model")]
    [InlineData("""{"messages":[]}""", "unknown-model")]
    [InlineData("""{"model":["gpt-4o"]}""", "unknown-model")]
    [InlineData("""{"model":"gpt-4o-mini","model":"gpt-4o"}""", "malformed-request")]
    [InlineData("""{"model":"gpt-4o-mini","Model":"gpt-4o"}""", "malformed-request")]
    [InlineData("""{"model":"gpt-4o-mini","mod\u0065l":"gpt-4o"}""", "malformed-request")]
    [InlineData("""{"model":"gpt-4o"} {}""", "malformed-request")]
    [InlineData("not json", "malformed-request")]
    [InlineData("""{"model":"gpt-4o","background":true}""", "malformed-request")]
    public async Task What_has_no_price_never_reaches_the_upstream(string body, string reason)
    {
        var told = await gate.SendAsync(Ask(await gate.TokenAsync(), body));
        (told.Status, told.Reason).ShouldBe((400, reason));
        gate.Upstream.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_payer_with_little_left_gets_as_much_as_that_buys_and_is_told()
    {
        var token = await gate.TokenAsync("0.001 USD");
        gate.Upstream.Says(() => Stream(Delta("hello"), LastChunk, "data: [DONE]"));
        var told = await gate.SendAsync(Ask(token, Streaming));
        told.Status.ShouldBe(200);
        var lowered = Asked().GetProperty("max_tokens").GetInt32();
        told.Headers["Turnpike-Max-Tokens"].ToString().ShouldBe($"{lowered}");
        // All bytes of the request as tokens, and as many more out as the rest pays for.
        lowered.ShouldBe((1_000_000 - 2_500 * Streaming.Length) / 10_000);
        await ShouldHaveLeftAsync(token, 1_000_000 - 140_000);
    }

    [Fact]
    public async Task A_payer_without_enough_for_the_question_is_refused()
    {
        var told = await gate.SendAsync(Ask(await gate.TokenAsync("0.0001 USD"), Streaming));
        (told.Status, told.Reason).ShouldBe((402, "token-exhausted"));
        gate.Upstream.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("0.0008 USD", 200)]
    [InlineData("0.0001 USD", 402)]
    public async Task A_callers_own_maximum_clamps(string maximum, int status)
    {
        gate.Upstream.Says(() => Stream(Delta("hello"), LastChunk, "data: [DONE]"));
        var told = await gate.SendAsync(Ask(await gate.TokenAsync(), Streaming).With(("Turnpike-Max-Price", maximum)));
        told.Status.ShouldBe(status);
        if (status == 402) told.Reason.ShouldBe("price-above-maximum");
        else Asked().GetProperty("max_tokens").GetInt32().ShouldBe((800_000 - 2_500 * Streaming.Length) / 10_000);
    }

    [Fact]
    public async Task A_stream_that_does_not_keep_its_maximum_ends_at_the_cent_in_words_its_client_knows()
    {
        var token = await gate.TokenAsync("0.001 USD");
        gate.Upstream.Says(() => Stream([.. Enumerable.Range(0, 1000).Select(i => Delta("sixsix"))]));
        var told = await gate.SendAsync(Ask(token, Streaming));
        told.Aborted.ShouldBeFalse();
        told.Body.ShouldEndWith("""data: {"id":"chatcmpl-turnpike","object":"chat.completion.chunk","created":0,"model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{},"finish_reason":"length"}]}""" + "\n\ndata: [DONE]\n\n");
        told.Body.Split("sixsix").Length.ShouldBeLessThan(110);
        await ShouldHaveLeftAsync(token, 0);
    }

    [Fact]
    public async Task What_was_used_beyond_the_hold_is_the_owners_loss_and_told()
    {
        var token = await gate.TokenAsync("0.001 USD");
        gate.Upstream.Says(() => Stream(Delta("hello"), """data: {"choices":[],"usage":{"prompt_tokens":20,"completion_tokens":1000,"total_tokens":1020}}""", "data: [DONE]"));
        (await gate.SendAsync(Ask(token, Streaming))).Body.ShouldEndWith("data: [DONE]\n\n");
        await ShouldHaveLeftAsync(token, 0);
        var books = await gate.Ledger.VerifyAsync(default);
        books.Totals.Single(t => t.Role == "loss").Sum.ToString().ShouldBe("-0.00905 USD");
        (await EventsAsync(AuditKinds.Overrun)).ShouldHaveSingleItem().Detail.ShouldBe("0.01005 USD was used, 0.001 USD was held.");
    }

    [Fact]
    public async Task A_loss_that_cannot_be_booked_leaves_no_charge_without_it()
    {
        var token = await gate.TokenAsync("0.001 USD");
        await gate.Of<Database>().WriteAsync(sql => sql.Run("create trigger lost before insert on transfers when new.reason = 'overrun' begin select raise(abort, 'lost'); end"), default);
        gate.Upstream.Says(() => Stream(Delta("hello"), """data: {"choices":[],"usage":{"prompt_tokens":20,"completion_tokens":1000,"total_tokens":1020}}""", "data: [DONE]"));
        await gate.SendAsync(Ask(token, Streaming));
        (await gate.Ledger.VerifyAsync(default)).Totals.ShouldNotContain(t => t.Role == "loss" || t.Role == "revenue", "one act: neither the charge nor its loss");
    }

    [Fact]
    public async Task A_stream_that_broke_is_charged_by_what_passed()
    {
        var token = await gate.TokenAsync();
        gate.Upstream.Says(() => Stream(Delta("four"), Delta("four"), null));
        await gate.SendAsync(Ask(token, Streaming));
        var text = Streaming.Length; // a token for each begun four bytes in, two out
        await ShouldHaveLeftAsync(token, 1_000_000_000 - (text + 3) / 4 * 2_500 - 2 * 10_000);
        (await EventsAsync(AuditKinds.Untold)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_stream_that_broke_before_its_first_byte_costs_nothing()
    {
        var token = await gate.TokenAsync();
        gate.Upstream.Says(() => Stream([null]));
        await gate.SendAsync(Ask(token, Streaming));
        await ShouldHaveLeftAsync(token, 1_000_000_000);
    }

    [Fact]
    public async Task An_error_of_the_upstream_costs_nothing()
    {
        var token = await gate.TokenAsync();
        gate.Upstream.Says(() => ScriptedUpstream.Text("""{"error":{"message":"busy"}}""", System.Net.HttpStatusCode.TooManyRequests));
        (await gate.SendAsync(Ask(token, Streaming))).Status.ShouldBe(429);
        await ShouldHaveLeftAsync(token, 1_000_000_000);
    }

    [Fact]
    public async Task A_caller_who_hangs_up_pays_for_what_the_upstream_goes_on_to_tell()
    {
        var token = await gate.TokenAsync();
        gate.Upstream.Says(() => Stream(Delta("one"), Delta("two"), Delta("three"), LastChunk, "data: [DONE]"));
        await gate.SendAsync(Ask(token, Streaming) with { Breaks = true });
        await ShouldHaveLeftAsync(token, 1_000_000_000 - 140_000);
    }

    [Fact]
    public async Task Where_hanging_up_cancels_it_costs_what_passed()
    {
        gate.Edit("on-hang-up: drain", "on-hang-up: cancel");
        var token = await gate.TokenAsync();
        gate.Upstream.Says(() => Stream(Delta("one"), Delta("two"), Delta("three"), LastChunk, "data: [DONE]"));
        await gate.SendAsync(Ask(token, Streaming) with { Breaks = true });
        var left = (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).Units;
        left.ShouldBeInRange(1_000_000_000 - (Streaming.Length + 3) / 4 * 2_500 - 3 * 10_000, 1_000_000_000 - 1);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_model_that_served_instead_is_charged_at_its_own_rate()
    {
        var token = await gate.TokenAsync();
        gate.Upstream.Says(() => Stream(Delta("hello", "gpt-4o-mini"), LastChunk, "data: [DONE]"));
        await gate.SendAsync(Ask(token, Streaming));
        await ShouldHaveLeftAsync(token, 1_000_000_000 - 12 * 150 - 8 * 75 - 10 * 600);
    }

    [Fact]
    public async Task A_model_nobody_priced_keeps_the_rate_of_the_one_asked_for_and_raises_an_alarm()
    {
        var token = await gate.TokenAsync();
        gate.Upstream.Says(() => Stream(Delta("hello", "gpt-9-huge"), LastChunk, "data: [DONE]"));
        await gate.SendAsync(Ask(token, Streaming));
        await ShouldHaveLeftAsync(token, 1_000_000_000 - 140_000);
        (await EventsAsync(AuditKinds.ForeignModel)).ShouldHaveSingleItem().Detail.ShouldBe("'gpt-9-huge' served 'gpt-4o', which has the price.");
    }

    [Fact]
    public async Task A_crash_in_mid_stream_is_charged_for_the_last_checkpoint()
    {
        var token = await gate.TokenAsync();
        var (inside, never) = (new TaskCompletionSource(), new TaskCompletionSource<HttpResponseMessage>());
        gate.Upstream.Says(() => Stream(Delta("four"), Delta("four")));
        gate.Upstream.Answer = (_, _) =>
        {
            gate.Time.Pass(TimeSpan.FromMilliseconds(250));
            return Task.FromResult(Open(inside, never.Task));
        };
        _ = gate.SendAsync(Ask(token, Streaming));
        await inside.Task;
        var checkpoint = new Money((Streaming.Length + 3) / 4 * 2_500 + 10_000, "USD");
        for (var i = 0; i < 6_000 && (await gate.Ledger.ListAsync(new HoldFilter(), default))[0].Observed != checkpoint; i++) await Task.Delay(10);
        using var after = gate.Restart();
        await after.Of<Turnpike.Payments.Settler>().RecoverAsync(default);
        (await after.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).ShouldBe(new Money(1_000_000_000, "USD") - checkpoint);
        await after.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Of_100_streams_at_once_on_a_budget_that_ends_halfway_not_one_nano_dollar_is_over()
    {
        var token = await gate.TokenAsync("0.007 USD");
        gate.Upstream.Says(() => Stream(Delta("hello"), LastChunk, "data: [DONE]"));
        var all = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Task.Run(() => gate.SendAsync(Ask(token, Streaming)))));
        all.ShouldAllBe(t => t.Status == 200 && t.Body.EndsWith("data: [DONE]\n\n") || t.Status == 402);
        var left = (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).Units;
        left.ShouldBe(7_000_000 - 140_000L * all.Count(t => t.Status == 200));
        left.ShouldBeGreaterThanOrEqualTo(0);
        await gate.ShouldBalanceAsync();
    }

    private async Task ShouldHaveLeftAsync(string token, long nano)
    {
        (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).ShouldBe(new Money(nano, "USD"));
        await gate.ShouldBalanceAsync();
    }

    private JsonElement Asked() => JsonDocument.Parse(gate.Upstream.Requests.Last().Body).RootElement;

    private async Task<IReadOnlyList<AuditEvent>> EventsAsync(string kind) => [.. (await gate.Of<IAuditTrail>().ReadAsync(new AuditFilter(Kind: kind), default)).Select(r => r.Event)];
}
