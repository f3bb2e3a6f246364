using System.Text;
using System.Text.Json;
using Turnpike.Audit;
using Turnpike.Ledger;
using Turnpike.Metering.Reading;
using Turnpike.Tests.Gateway;
using static Turnpike.Tests.Metering.MeteredGate;

namespace Turnpike.Tests.Metering;

/// <summary>Calls in the shapes of each provider: where a key stands, where a model is named, how an answer is packed, how a stream is ended.</summary>
public sealed class ProviderGateTests : IDisposable
{
    private const string Document = """
        payments:
          prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" }
        services:
          llm:
            upstream: ${env:UPSTREAM}
            headers: { x-upstream-key: "${env:UPSTREAM_KEY}" }
            operations:
              chat: { match: POST /v1/chat/completions, usage: openai, price: { ceiling: 1.00 USD, by: $.model, per-million: { gpt-4o: { input_tokens: 2.50 USD, output_tokens: 10.00 USD }, gpt-4o-mini: { input_tokens: 0.15 USD, output_tokens: 0.60 USD } } } }
              texts: { match: POST /v1/completions, usage: openai, price: { ceiling: 1.00 USD, per-million: { output_tokens: 10.00 USD } } }
              embed: { match: POST /v1/embeddings, usage: openai, price: { ceiling: 1.00 USD, by: $.model, per-million: { text-embedding-3-small: { input_tokens: 0.02 USD } } } }
              images: { match: POST /v1/images/generations, usage: openai, price: { ceiling: 1.00 USD, per-million: { output_tokens: 40.00 USD } } }
              free: { match: POST /v1/free, usage: openai, price: free }
              fixed: { match: POST /v1/fixed, usage: openai, price: 0.01 USD }
              transcribe: { match: POST /v1/audio/transcriptions, usage: openai, price: { ceiling: 1.00 USD, by: $.model, per-unit: { whisper-1: { minutes: 0.006 USD } } } }
              messages: { match: POST /v1/messages, usage: anthropic, price: { ceiling: 1.00 USD, per-million: { input_tokens: 1.00 USD, output_tokens: 10.00 USD } } }
              generate: { match: "POST /v1beta/models/{model}", usage: gemini, price: { ceiling: 1.00 USD, by: "path:model", per-million: { gemini-2.5-pro: { input_tokens: 1.25 USD, input_audio_tokens: 3.00 USD, output_tokens: 10.00 USD, output_image_tokens: 30.00 USD } } } }
              converse: { match: "POST /model/{model}/converse-stream", usage: bedrock, price: { ceiling: 1.00 USD, by: "path:model", per-million: { "anthropic.claude-3-haiku-20240307-v1:0": { input_tokens: 0.25 USD, output_tokens: 10.00 USD } } } }
        """;

    private readonly TestGate gate = new(document: Document);

    public void Dispose() => gate.Dispose();

    [Theory]
    [InlineData("x-api-key", "/v1/messages", """{"content":[{"text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":10,"output_tokens":3}}""")]
    [InlineData("x-goog-api-key", "/v1beta/models/gemini-2.5-pro:generateContent", """{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":8,"candidatesTokenCount":3,"totalTokenCount":11}}""")]
    [InlineData("Authorization", "/v1/messages", """{"content":[{"text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":10,"output_tokens":3}}""")]
    public async Task A_token_pays_where_the_providers_client_puts_its_key_and_never_gets_to_the_provider(string header, string target, string answer)
    {
        var bearer = await gate.TokenAsync();
        gate.Upstream.Says(() => Json(answer));
        var told = await gate.SendAsync(Post(target, "{}", (header, header == "Authorization" ? bearer : bearer["Bearer ".Length..])));
        (told.Status, told.Headers["Turnpike-Cost"].ToString()).ShouldBe((200, "0.00004 USD"));
        gate.Upstream.Requests.Single().Headers.ShouldNotContain(h => h.Value.Contains("tp_"));
        (await gate.SendAsync(Post(target, "{}", (header, (header == "Authorization" ? bearer : bearer["Bearer ".Length..])[..^1] + "_")))).Status.ShouldBe(402);
    }

    [Fact]
    public async Task Two_different_tokens_in_two_places_are_one_too_many_and_the_same_twice_is_one()
    {
        var (one, other) = (await gate.TokenAsync(), await gate.TokenAsync());
        gate.Upstream.Says(() => Json("""{"stop_reason":"end_turn","usage":{"input_tokens":10,"output_tokens":3}}"""));
        (await gate.SendAsync(Post("/v1/messages", "{}", ("Authorization", one), ("x-api-key", other["Bearer ".Length..])))).Reason.ShouldBe("ambiguous-payment");
        (await gate.SendAsync(Post("/v1/messages", "{}", ("Authorization", one), ("x-api-key", one["Bearer ".Length..])))).Status.ShouldBe(200);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    [InlineData("zstd")]
    public async Task An_upstream_that_compresses_though_nobody_asked_is_read_all_the_same(string coding)
    {
        if (coding == "zstd") Assert.SkipUnless(Packing.HasZstd, Packing.Without);
        var token = await gate.TokenAsync();
        gate.Upstream.Says(() => Packed(coding, Delta("hello") + "\n\n" + LastChunk + "\n\ndata: [DONE]\n\n"));
        var told = await gate.SendAsync(Ask(token, """{"model":"gpt-4o","stream":true,"messages":[]}""").With(("Accept-Encoding", "gzip, br")));
        (told.Status, told.Body, told.Headers.ContentEncoding.Count).ShouldBe((200, Delta("hello") + "\n\ndata: [DONE]\n\n", 0));
        gate.Upstream.Requests.Single().Headers["Accept-Encoding"].ShouldBe("identity");
        await ShouldHaveTakenAsync(token, 20 * 2_500 + 10 * 10_000);
    }

    [Theory]
    [InlineData("application/json", "x-strange", true)]
    [InlineData("text/event-stream", "x-strange", true)]
    [InlineData("application/json", "gzip, br, gzip", true)]
    [InlineData("application/json", "gzip", false)]
    [InlineData("application/json", "zstd", false)]
    public async Task What_cannot_be_unpacked_is_not_sold(string type, string coding, bool told)
    {
        if (coding == "zstd") Assert.SkipUnless(Packing.HasZstd, Packing.Without);
        var token = await gate.TokenAsync();
        gate.Upstream.Says(() => Coded(type, coding, "no such thing"));
        (await gate.SendAsync(Ask(token, """{"model":"gpt-4o","messages":[]}"""))).Reason.ShouldBe("upstream-failed");
        await ShouldHaveTakenAsync(token, 0);
        (await UntoldAsync()).ShouldBe(told ? [$"The answer is compressed as '{coding}', though nobody asked for that, and could not be read."] : []);
    }

    /// <summary>What was taken for it does not depend on what it says.</summary>
    [Theory]
    [InlineData("/v1/free", 0)]
    [InlineData("/v1/fixed", 10_000_000)]
    public async Task What_cannot_be_unpacked_and_is_not_charged_by_use_passes_as_it_came_and_the_owner_hears_of_it(string target, long nano)
    {
        var token = await gate.TokenAsync();
        gate.Upstream.Says(() => Coded("text/event-stream", "x-strange", "no such thing\n\n"));
        var told = await gate.SendAsync(Post(target, """{"model":"gpt-4o","stream":true,"messages":[]}""", ("Authorization", token)));
        (told.Status, told.Body, told.Headers.ContentEncoding.ToString()).ShouldBe((200, "no such thing\n\n", "x-strange"));
        await ShouldHaveTakenAsync(token, nano);
        (await UntoldAsync()).ShouldBe(["The answer is compressed as 'x-strange', though nobody asked for that, and could not be read."]);
    }

    /// <summary>A stream of pictures knows no <c>stream_options</c>, and its usage comes beside the picture.</summary>
    [Theory]
    [InlineData("""{"model":"gpt-image-1","prompt":"a cat","stream":true}""")]
    [InlineData("""{"model":"house-painter","prompt":"a cat","stream":true,"partial_images":1,"background":"transparent"}""")]
    public async Task A_stream_of_pictures_is_not_asked_for_usage_and_loses_nothing(string body)
    {
        const string stream = "event: image_generation.partial_image\ndata: {\"type\":\"image_generation.partial_image\",\"b64_json\":\"aGk=\"}\n\nevent: image_generation.completed\ndata: {\"type\":\"image_generation.completed\",\"b64_json\":\"aGk=\",\"usage\":{\"total_tokens\":110,\"input_tokens\":10,\"output_tokens\":100,\"input_tokens_details\":{\"text_tokens\":10,\"image_tokens\":0}}}\n\n";
        var token = await gate.TokenAsync();
        gate.Upstream.Says(() => Coded("text/event-stream", "identity", stream));
        (await gate.SendAsync(Post("/v1/images/generations", body, ("Authorization", token)))).Body.ShouldBe(stream);
        gate.Upstream.Requests.Single().Body.ShouldBe(body);
        await ShouldHaveTakenAsync(token, 100 * 40_000);
    }

    /// <summary>What a body says of itself could be said to keep the usage of a text's stream untold.</summary>
    [Fact]
    public async Task A_text_that_passes_for_a_picture_is_asked_for_its_usage_all_the_same()
    {
        gate.Upstream.Says(() => Coded("text/event-stream", "identity", "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n"));
        await gate.SendAsync(Post("/v1/chat/completions", """{"model":"gpt-4o","stream":true,"messages":[],"size":"1024x1024","partial_images":1}""", ("Authorization", await gate.TokenAsync())));
        gate.Upstream.Requests.Single().Body.ShouldContain("\"include_usage\":true");
        (await gate.SendAsync(Post("/v1/chat/completions", """{"model":"gpt-4o","stream":true,"messages":[],"background":"auto"}""", ("Authorization", await gate.TokenAsync())))).Status.ShouldBe(400);
    }

    [Theory]
    [InlineData("/v1beta/models/gemini-9-ultra:generateContent")]
    [InlineData("/model/meta.llama3-8b-instruct-v1%3A0/converse-stream")]
    public async Task A_model_named_in_the_path_and_without_a_price_is_refused_before_the_upstream_is_asked(string target)
    {
        (await gate.SendAsync(Post(target, "{}", ("Authorization", await gate.TokenAsync())))).Reason.ShouldBe("unknown-model");
        gate.Upstream.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Gemini_splits_what_it_counts_by_kinds_of_content()
    {
        gate.Upstream.Says(() => Json("""
            {"candidates":[{"finishReason":"STOP"}],"modelVersion":"gemini-2.5-pro","usageMetadata":{"promptTokenCount":100,"cachedContentTokenCount":20,"candidatesTokenCount":50,"totalTokenCount":150,
             "promptTokensDetails":[{"modality":"TEXT","tokenCount":40},{"tokenCount":60,"modality":"AUDIO"}],"cacheTokensDetails":[{"modality":"AUDIO","tokenCount":20}],
             "candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":45},{"modality":"TEXT","tokenCount":5}]}}
            """));
        var told = await gate.SendAsync(Post("/v1beta/models/gemini-2.5-pro:generateContent", "{}", ("Authorization", await gate.TokenAsync())));
        // 40 + 20 cached at 1.25, 40 heard at 3.00, 5 at 10.00, 45 seen at 30.00
        told.Headers["Turnpike-Cost"].ToString().ShouldBe(new Money(60 * 1_250 + 40 * 3_000 + 5 * 10_000 + 45 * 30_000, "USD").ToString());
    }

    /// <summary>The attack: an answer that is nothing but its text does not tell what it used.</summary>
    [Theory]
    [InlineData("text")]
    [InlineData(" SRT")]
    [InlineData("vtt")]
    public async Task A_transcription_that_would_tell_no_use_is_not_sold(string wanted)
    {
        var token = await gate.TokenAsync();
        (await gate.SendAsync(Form(token, ("model", "whisper-1"), ("response_format", wanted)))).Reason.ShouldBe("malformed-request");
        (await gate.SendAsync(Form(token, ("model", "whisper-1"), ("response_format", "json"), ("response_format", wanted)))).Reason.ShouldBe("malformed-request");
        gate.Upstream.Requests.ShouldBeEmpty();
        (await gate.SendAsync(Form(token, ("model", "whisper-1"), ("response_format", "verbose_json")))).Status.ShouldBe(200);
    }

    [Fact]
    public async Task An_upload_names_its_model_in_a_field_of_its_form()
    {
        var token = await gate.TokenAsync();
        gate.Upstream.Says(() => Json("""{"text":"hello","usage":{"type":"duration","seconds":61}}"""));
        (await gate.SendAsync(Form(token, ("file", "RIFF\r\nmodel"), ("model", "whisper-1")))).Headers["Turnpike-Cost"].ToString().ShouldBe("0.012 USD");
        gate.Upstream.Requests.Single().Body.ShouldContain("whisper-1");
        (await gate.SendAsync(Form(token, ("model", "gpt-4o-transcribe")))).Reason.ShouldBe("unknown-model");
        (await gate.SendAsync(Form(token, ("file", "a")))).Reason.ShouldBe("unknown-model");
        (await gate.SendAsync(Form(token, ("model", "whisper-1"), ("model", "gpt-4o-transcribe")))).Reason.ShouldBe("malformed-request");
        gate.Upstream.Requests.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("/v1/embeddings", """{"model":"text-embedding-3-small","input":"a"}""")]
    [InlineData("/v1/chat/completions", """{"model":"gpt-4o-mini","messages":[]}""")]
    public async Task A_maximum_nobody_named_is_not_invented_where_the_payer_has_enough(string target, string body)
    {
        gate.Upstream.Says(() => Json("""{"model":"text-embedding-3-small","usage":{"prompt_tokens":7,"total_tokens":7}}"""));
        (await gate.SendAsync(Post(target, body, ("Authorization", await gate.TokenAsync())))).Status.ShouldBe(200);
        gate.Upstream.Requests.Single().Body.ShouldBe(body);
    }

    [Fact]
    public async Task A_maximum_nobody_named_is_written_for_a_payer_with_little_and_told()
    {
        gate.Upstream.Says(() => Json("""{"model":"gpt-4o","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":1,"total_tokens":8}}"""));
        var told = await gate.SendAsync(Ask(await gate.TokenAsync("0.001 USD"), """{"model":"gpt-4o","messages":[]}"""));
        var most = JsonDocument.Parse(gate.Upstream.Requests.Single().Body).RootElement.GetProperty("max_tokens").GetInt64();
        (most, told.Headers["Turnpike-Max-Tokens"].ToString()).ShouldBe(((1_000_000 - 2_500 * 32) / 10_000, $"{most}"));
    }

    [Fact]
    public async Task A_model_that_served_under_a_dated_name_has_its_own_rate_also_where_another_was_asked_for()
    {
        var token = await gate.TokenAsync();
        gate.Upstream.Says(() => Stream(Delta("hello", "gpt-4o-mini-2024-07-18"), LastChunk, "data: [DONE]"));
        await gate.SendAsync(Ask(token, """{"model":"gpt-4o","stream":true,"messages":[]}"""));
        await ShouldHaveTakenAsync(token, 20 * 150 + 10 * 600);
    }

    [Fact]
    public async Task An_openai_stream_that_is_ended_ends_every_answer_and_tells_usage_to_who_asked()
    {
        gate.Upstream.Says(() => Stream([.. Enumerable.Repeat("""data: {"id":"chatcmpl-9","model":"gpt-4o","choices":[{"index":0,"delta":{"content":"sixsix"}},{"index":1,"delta":{"content":"sixsix"}}]}""", 500)]));
        var told = await gate.SendAsync(Ask(await gate.TokenAsync("0.001 USD"), """{"model":"gpt-4o","stream":true,"n":2,"stream_options":{"include_usage":true},"messages":[]}"""));
        var end = told.Body.Split("\n\n")[^4..];
        end[0].ShouldBe("""data: {"id":"chatcmpl-9","object":"chat.completion.chunk","created":0,"model":"gpt-4o","choices":[{"index":0,"delta":{},"finish_reason":"length"},{"index":1,"delta":{},"finish_reason":"length"}]}""");
        JsonDocument.Parse(end[1]["data: ".Length..]).RootElement.GetProperty("usage").GetProperty("completion_tokens").GetInt64().ShouldBeGreaterThan(0);
        end[2].ShouldBe("data: [DONE]");
    }

    [Fact]
    public async Task A_legacy_stream_is_ended_in_its_own_shape()
    {
        gate.Upstream.Says(() => Stream([.. Enumerable.Repeat("""data: {"id":"cmpl-9","model":"babbage","choices":[{"index":0,"text":"sixsix"}]}""", 500)]));
        var told = await gate.SendAsync(Post("/v1/completions", """{"model":"babbage","stream":true,"prompt":"a"}""", ("Authorization", await gate.TokenAsync("0.001 USD"))));
        told.Body.Split("\n\n")[^3].ShouldBe("""data: {"id":"cmpl-9","object":"text_completion","created":0,"model":"babbage","choices":[{"index":0,"text":"","finish_reason":"length"}]}""");
    }

    [Fact]
    public async Task An_anthropic_stream_that_is_ended_closes_its_block_first()
    {
        const string delta = """{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"sixsix"}}""";
        gate.Upstream.Says(() => Stream(["event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"c\",\"usage\":{\"input_tokens\":2,\"output_tokens\":1}}}", .. Enumerable.Repeat("event: content_block_delta\ndata: " + delta, 500)]));
        var told = await gate.SendAsync(Post("/v1/messages", """{"model":"c","stream":true,"max_tokens":1000}""", ("Authorization", await gate.TokenAsync("0.001 USD"))));
        var end = told.Body.Split("\n\n")[^4..^1];
        end[0].ShouldBe("event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":1}");
        end[1].ShouldStartWith("event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"max_tokens\"");
        end[2].ShouldBe("event: message_stop\ndata: {\"type\":\"message_stop\"}");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_gemini_stream_that_is_ended_stays_what_it_was_events_or_an_array(bool events)
    {
        const string chunk = """{"candidates":[{"content":{"parts":[{"text":"sixsix"}]}}],"usageMetadata":{"promptTokenCount":2,"totalTokenCount":2}}""";
        gate.Upstream.Says(() =>
        {
            var answer = Stream([.. Enumerable.Range(0, 500).Select(i => events ? "data: " + chunk : (i == 0 ? "[" : ",") + chunk)]);
            if (!events) answer.Content.Headers.ContentType = new("application/json");
            return answer;
        });
        var told = await gate.SendAsync(Post("/v1beta/models/gemini-2.5-pro:streamGenerateContent", "{}", ("Authorization", await gate.TokenAsync("0.001 USD"))));
        var last = events ? JsonDocument.Parse(told.Body.TrimEnd().Split("\n\n")[^1]["data: ".Length..]).RootElement : JsonDocument.Parse(told.Body).RootElement.EnumerateArray().Last();
        last.GetProperty("candidates")[0].GetProperty("finishReason").GetString().ShouldBe("MAX_TOKENS");
    }

    [Fact]
    public async Task A_binary_stream_that_is_ended_has_whole_frames_to_its_end()
    {
        var delta = BinaryEvent.Write("contentBlockDelta", """{"contentBlockIndex":0,"delta":{"text":"sixsix"}}"""u8);
        gate.Upstream.Says(() =>
        {
            var answer = new HttpResponseMessage { Content = new Pieces([.. Enumerable.Repeat(delta, 500)]) };
            answer.Content.Headers.ContentType = new("application/vnd.amazon.eventstream");
            return answer;
        });
        var told = await gate.SendAsync(Post("/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse-stream", "{}", ("Authorization", await gate.TokenAsync("0.001 USD"))));
        told.Status.ShouldBe(200);
        var body = told.Bytes;
        var types = new List<string>();
        for (var at = 0; at < body.Length;)
        {
            var length = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(body.AsSpan(at));
            BinaryEvent.Checksum(body.AsSpan(at, length - 4)).ShouldBe(System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(body.AsSpan(at + length - 4)));
            types.Add(new[] { "contentBlockDelta", "contentBlockStop", "messageStop", "metadata" }.Single(t => Encoding.ASCII.GetString(body, at, length).Contains(t + "\r", StringComparison.Ordinal)));
            at += length;
        }
        types[^3..].ShouldBe(["contentBlockStop", "messageStop", "metadata"]);
    }

    [Theory]
    [InlineData("by: path:other", "path:other names no part of /v1beta/models/{model}")]
    [InlineData("by: \"$.a[0]\"", "'$.a[0]' names no model; write $.model for a member of the body or a field of a form, or path:NAME for a part of the path")]
    public void A_place_that_names_no_model_is_told(string by, string error) =>
        Catalog.Documents.Load(Document.Replace("by: \"path:model\", per-million: { gemini", by + ", per-million: { gemini", StringComparison.Ordinal)).Errors.ShouldHaveSingleItem().Message.ShouldBe(error);

    private static Ask Post(string target, string body, params (string, string?)[] headers) => new Ask("POST", target, headers) { Body = body }.With(("Content-Type", "application/json"));

    private static Ask Form(string token, params (string Name, string Value)[] fields) => new("POST", "/v1/audio/transcriptions", ("Authorization", token), ("Content-Type", "multipart/form-data; boundary=\"b-1\""))
    {
        Body = string.Concat(fields.Select(f => $"--b-1\r\nContent-Disposition: form-data; name=\"{f.Name}\"\r\n\r\n{f.Value}\r\n")) + "--b-1--\r\n",
    };

    private static HttpResponseMessage Packed(string coding, string text)
    {
        var answer = new HttpResponseMessage { Content = new ByteArrayContent(Packing.Of(Encoding.UTF8.GetBytes(text), coding)) };
        answer.Content.Headers.ContentType = new("text/event-stream");
        answer.Content.Headers.ContentEncoding.Add(coding);
        return answer;
    }

    private static HttpResponseMessage Coded(string type, string coding, string text)
    {
        var answer = new HttpResponseMessage { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(text)) };
        answer.Content.Headers.ContentType = new(type);
        foreach (var each in coding.Split(", ")) answer.Content.Headers.ContentEncoding.Add(each);
        return answer;
    }

    private async Task<IEnumerable<string?>> UntoldAsync()
    {
        var trail = gate.Of<IAuditTrail>();
        await trail.FlushAsync(default);
        return (await trail.ReadAsync(new AuditFilter(Kind: AuditKinds.Untold), default)).Select(r => r.Event.Detail);
    }

    private async Task ShouldHaveTakenAsync(string token, long nano)
    {
        (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).ShouldBe(new Money(1_000_000_000 - nano, "USD"));
        await gate.ShouldBalanceAsync();
    }
}
