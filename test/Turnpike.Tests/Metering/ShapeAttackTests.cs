using System.Text;
using Turnpike.Ledger;
using Turnpike.Tests.Gateway;
using static Turnpike.Tests.Metering.MeteredGate;

namespace Turnpike.Tests.Metering;

/// <summary>Requests that the upstream understands otherwise than who holds for them might: each asks for more than it seems to.</summary>
public sealed class ShapeAttackTests
{
    private const long Output = 10_000; // nano-dollars for a token

    [Theory]
    [InlineData("openai", """ "n":8,"max_tokens":1000 """, 8_000)]
    [InlineData("openai", """ "n":8.0,"max_tokens":1000 """, 8_000)]
    [InlineData("openai", """ "n":8e0,"max_tokens":1000 """, 8_000)]
    [InlineData("openai", """ "n":"\u0038","max_tokens":1000 """, 8_000)]
    [InlineData("openai", """ "n":null,"max_tokens":1000 """, 1_000)]
    [InlineData("openai", """ "max_tokens":2.0e3 """, 2_000)]
    [InlineData("openai", """ "prompt":["a","b","c"],"n":2,"max_tokens":1000 """, 6_000)]
    [InlineData("openai", """ "prompt":[[1,2],[3]],"max_tokens":1000 """, 2_000)]
    [InlineData("openai", """ "prompt":[1,2,3],"max_tokens":1000 """, 1_000)]
    [InlineData("gemini", """ "generationConfig":{"candidateCount":4,"maxOutputTokens":2000} """, 8_000)]
    [InlineData("gemini", """ "generation_config":{"candidate_count":4,"max_output_tokens":2000} """, 8_000)]
    [InlineData("gemini", """ "generationConfig":{"candidate_count":4,"max_output_tokens":2000} """, 8_000)]
    [InlineData("gemini", """ "generation_config":{"candidateCount":4,"maxOutputTokens":2000} """, 8_000)]
    [InlineData("gemini", """ "generation_config":{"candidate_count":4} """, 4_000)]
    public async Task Every_answer_that_is_asked_for_is_held_for(string format, string asked, long tokens)
    {
        using var gate = Gate(format);
        var body = $$"""{"model":"gpt-4o",{{asked}}}""";
        (await gate.SendAsync(Ask(await gate.TokenAsync(), body))).Status.ShouldBe(200);
        (await HeldAsync(gate)).ShouldBe(body.Length * 2_500 + tokens * Output);
    }

    /// <summary>What a prediction says and the answer does not is output, too, beyond any maximum.</summary>
    [Fact]
    public async Task A_prediction_is_bounded_by_no_maximum()
    {
        using var gate = Gate("openai");
        (await gate.SendAsync(Ask(await gate.TokenAsync(), """{"model":"gpt-4o","messages":[],"max_tokens":1,"prediction":{"type":"content","content":"many words"}}"""))).Status.ShouldBe(200);
        (await HeldAsync(gate)).ShouldBe(500_000_000, "the ceiling of its price");
    }

    /// <summary>The attack: a maximum, of the body or by the header, that the upstream does not know, and a picture or an hour of speech for the price of a token.</summary>
    [Theory]
    [InlineData("/v1/images/generations")]
    [InlineData("/v1/images/edits")]
    [InlineData("/v1/audio/speech")]
    public async Task What_takes_no_maximum_is_held_for_at_the_ceiling_and_is_given_none(string path)
    {
        using var gate = Gate("openai", path);
        var (token, body) = (await gate.TokenAsync(), """{"model":"gpt-4o","prompt":"the sea","max_tokens":1}""");
        (await gate.SendAsync(new Ask("POST", path, ("Authorization", token), ("Turnpike-Max-Price", "0.01 USD")) { Body = body })).Reason.ShouldBe("price-above-maximum");
        (await gate.SendAsync(new Ask("POST", path, ("Authorization", token)) { Body = body })).Status.ShouldBe(200);
        (await HeldAsync(gate)).ShouldBe(500_000_000, "the ceiling of its price");
        gate.Upstream.Requests.Single().Body.ShouldBe(body, "as it came");
    }

    /// <summary>The attack: twice or six times the model's own rates are the owner's to pay.</summary>
    [Theory]
    [InlineData("openai", """ "service_tier":"priority" """)]
    [InlineData("openai-responses", """ "service_tier":"prior\u0069ty" """)]
    [InlineData("anthropic", """ "speed":"fast" """)]
    [InlineData("anthropic", """ "inference_geo":"us" """)]
    [InlineData("bedrock", """ "serviceTier":{"type":"priority"} """)]
    [InlineData("bedrock", """ "performanceConfig":{"latency":"optimized"} """)]
    public async Task A_dearer_way_to_be_served_is_not_sold_at_the_rates_of_the_usual_one(string format, string asked)
    {
        using var gate = Gate(format);
        (await gate.SendAsync(Ask(await gate.TokenAsync(), $$"""{"model":"gpt-4o",{{asked}}}"""))).Reason.ShouldBe("malformed-request");
        gate.Upstream.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("openai", """ "service_tier":"auto" """)]
    [InlineData("openai", """ "service_tier":"flex","speed":1.25 """)]
    [InlineData("openai", """ "service_tier":null """)]
    [InlineData("anthropic", """ "service_tier":"standard_only","inference_geo":"global" """)]
    [InlineData("bedrock", """ "serviceTier":{"type":"default"},"performanceConfig":{"latency":"standard"} """)]
    public async Task The_usual_way_may_be_asked_for(string format, string asked)
    {
        using var gate = Gate(format);
        (await gate.SendAsync(Ask(await gate.TokenAsync(), $$"""{"model":"gpt-4o",{{asked}}}"""))).Status.ShouldBe(200);
    }

    /// <summary>The attack: a job of thousands of answers, whose usage never passes here, by the path of one.</summary>
    [Theory]
    [InlineData("gpt-4o:batchGenerateContent", 400)]
    [InlineData("gpt-4o%3AbatchGenerateContent", 400)]
    [InlineData("gpt-4o:asyncBatchEmbedContent", 400)]
    [InlineData("gpt-4o:predictLongRunning", 400)]
    [InlineData("gpt-4o:generateContent", 200)]
    [InlineData("gpt-4o:streamGenerateContent", 200)]
    public async Task Jobs_are_not_sold_as_answers(string verb, int status)
    {
        using var gate = new TestGate(document: Chat.Replace("usage: openai", "usage: gemini", StringComparison.Ordinal).Replace("/v1/chat/completions", "/v1beta/models/{model}", StringComparison.Ordinal).Replace("by: $.model", "by: \"path:model\"", StringComparison.Ordinal));
        gate.Upstream.Says(() => Json("{}"));
        (await gate.SendAsync(new Ask("POST", "/v1beta/models/" + verb, ("Authorization", await gate.TokenAsync())) { Body = "{}" })).Status.ShouldBe(status);
        gate.Upstream.Requests.Count.ShouldBe(status == 200 ? 1 : 0);
    }

    /// <summary>A name of a file is anybody's, in any letters.</summary>
    [Theory]
    [InlineData("form-data; name=\"file\"; filename=\"ünï wave.wav\"")]
    [InlineData("form-data; name=\"file\"; filename=\"a; name=b.wav\"")]
    [InlineData("form-data; name=\"file\"; filename=\"wave.wav\"; filename*=UTF-8''w%C3%A4ve.wav")]
    [InlineData("form-data; name=file; filename=wave.wav")]
    public async Task A_file_in_a_form_is_called_what_it_likes(string disposition)
    {
        using var gate = Gate("openai");
        var ask = new Ask("POST", "/v1/chat/completions", ("Authorization", await gate.TokenAsync()), ("Content-Type", "multipart/form-data; boundary=b"))
        {
            Body = $"--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\ngpt-4o\r\n--b\r\nContent-Disposition: {disposition}\r\nContent-Type: audio/wav\r\n\r\nRIFF\r\n--b--\r\n",
        };
        (await gate.SendAsync(ask)).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_maximum_is_written_where_the_others_stand()
    {
        using var gate = Gate("gemini");
        await gate.SendAsync(Ask(await gate.TokenAsync(), """{"model":"gpt-4o","generation_config":{"temperature":1}}"""));
        gate.Upstream.Requests.Single().Body.ShouldBe("""{"model":"gpt-4o","generation_config":{"max_output_tokens":1000,"temperature":1}}""");
    }

    /// <summary>Which of two names counts, or whether one in other letters does, is decided behind us.</summary>
    [Theory]
    [InlineData("gemini", """ "generationConfig":{"maxOutputTokens":1},"generation_config":{} """)]
    [InlineData("gemini", """ "generationConfig":{"maxOutputTokens":1,"max_output_tokens":9000} """)]
    [InlineData("gemini", """ "GenerationConfig":{"candidateCount":8} """)]
    [InlineData("gemini", """ "generationConfig":{"CandidateCount":8} """)]
    [InlineData("openai", """ "N":8 """)]
    [InlineData("openai", """ "Max_Tokens":100000 """)]
    [InlineData("openai", """ "Stream":true """)]
    [InlineData("openai-responses", """ "Previous_Response_Id":"r" """)]
    public async Task What_could_be_read_either_way_is_refused(string format, string asked)
    {
        using var gate = Gate(format);
        (await gate.SendAsync(Ask(await gate.TokenAsync(), $$"""{"model":"gpt-4o",{{asked}}}"""))).Reason.ShouldBe("malformed-request");
        gate.Upstream.Requests.ShouldBeEmpty();
    }

    /// <summary>Many servers read JSON whatever it is called.</summary>
    [Theory]
    [InlineData("text/plain")]
    [InlineData("multipart/form-data; boundary=b")]
    public async Task A_stream_is_asked_for_its_usage_whatever_its_request_is_called(string type)
    {
        using var gate = new TestGate(document: Chat.Replace("by: $.model", "minimum: 0.000001 USD", StringComparison.Ordinal)
            .Replace("gpt-4o:      { input_tokens: 2.50 USD, cached_input_tokens: 1.25 USD, output_tokens: 10.00 USD }", "output_tokens: 10.00 USD", StringComparison.Ordinal)
            .Replace("gpt-4o-mini: { input_tokens: 0.15 USD, cached_input_tokens: 0.075 USD, output_tokens: 0.60 USD }", "input_tokens: 2.50 USD", StringComparison.Ordinal)
            .Replace("other-models: refuse", "", StringComparison.Ordinal));
        gate.Upstream.Says(() => Json("{}"));
        var ask = new Ask("POST", "/v1/chat/completions", ("Authorization", await gate.TokenAsync()), ("Content-Type", type)) { Body = """ {"stream":true,"messages":[]}""" };
        (await gate.SendAsync(ask)).Status.ShouldBe(200);
        gate.Upstream.Requests.Single().Body.ShouldContain("include_usage");
    }

    /// <summary>The attack: a model for which nobody here has a price, or a dear one, beside the name of a cheap one that only we read.</summary>
    [Theory]
    [InlineData("form-data; name=\"x; name=model\"", "form-data; name=\"model\"; x=\"; name=y\"")]
    [InlineData("form-data; name=\"model\"", "form-data; name*=UTF-8''model")]
    [InlineData("form-data; name=\"model\"", "form-data;\r\n name=\"model\"")]
    [InlineData("form-data; name=\"model\"", "form-data; name=\"y\"; name=\"model\"")]
    [InlineData("form-data; name=\"model\"", "\r\n")]
    [InlineData("form-data; name=\"model\"", "form-data; name=\"y\"\r\nContent-Disposition: form-data; name=\"model\"")]
    public async Task A_form_has_one_model_whoever_reads_it(string ours, string theirs)
    {
        using var gate = Gate("openai");
        var ask = new Ask("POST", "/v1/chat/completions", ("Authorization", await gate.TokenAsync()), ("Content-Type", "multipart/form-data; boundary=b"))
        {
            Body = $"--b\r\nContent-Disposition: {ours}\r\n\r\ngpt-4o-mini\r\n--b\r\nContent-Disposition: {theirs}\r\n\r\ngpt-4o\r\n--b--\r\n",
        };
        (await gate.SendAsync(ask)).Reason.ShouldBe("malformed-request");
        gate.Upstream.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_part_without_headers_is_no_part()
    {
        using var gate = Gate("openai");
        var ask = new Ask("POST", "/v1/chat/completions", ("Authorization", await gate.TokenAsync()), ("Content-Type", "multipart/form-data; boundary=b")) { Body = "--b\r\n\r\nwave\r\n--b--\r\n" };
        (await gate.SendAsync(ask)).Reason.ShouldBe("malformed-request");
    }

    /// <summary>Whatever a body is, it is read or it is malformed.</summary>
    [Fact]
    public void No_body_is_more_than_its_reader_can_take()
    {
        string[] names = ["model", "n", "max_tokens", "generationConfig", "maxOutputTokens", "stream", "stream_options", "include_usage", "prompt", "tools", "type", "service_tier", "speed", "mimeType", "\\ud800", "\\u006e"];
        string[] values = ["\"\\ud800\"", "\"\\ud83d\\ude00\"", "1e999", "-1", "\"NaN\"", "\"9e9\"", "null", "true", "[]", "[\"\\udc00\",[1],{}]", "\"gpt-4o\"", "\"\u00ff\"", "{", "\"", "}"];
        string[] paths = ["/v1/chat/completions", "/v1/images/edits"];
        var (read, refused) = (0, 0);
        for (var seed = 0; seed < 4_000; seed++)
        {
            var random = new Random(seed);
            string Value(int depth) => depth < 3 && random.Next(4) == 0 ? Object(depth + 1) : values[random.Next(random.Next(6) == 0 ? values.Length : values.Length - 3)];
            string Object(int depth) => "{" + string.Join(',', Enumerable.Range(0, random.Next(4)).Select(_ => $"\"{names[random.Next(names.Length)]}\":{Value(depth)}")) + "}";
            var body = Encoding.Latin1.GetBytes(Object(0)); // what is above ASCII is no UTF-8 then
            var format = Turnpike.Metering.Formats.UsageFormats.ByName.Values.ElementAt(random.Next(Turnpike.Metering.Formats.UsageFormats.ByName.Count));
            if (Turnpike.Metering.Requests.JsonRequest.Read(body, format, paths[random.Next(paths.Length)], ["model"], out var wrong) is not { } request)
            {
                wrong.ShouldNotBeEmpty();
                refused++;
                continue;
            }
            read++;
            request.MostInput.ShouldBeGreaterThanOrEqualTo(body.Length);
            request.Multiple.ShouldBeInRange(1, 1_000_000_000);
            if (request.TakesMaximum) System.Text.Json.JsonDocument.Parse(request.Write(7, askForUsage: true)).Dispose();
        }
        read.ShouldBeGreaterThan(500);
        refused.ShouldBeGreaterThan(500);
    }

    /// <summary>A price for all tokens, of a question whose answer nothing bounds, holds the ceiling and not nothing.</summary>
    [Fact]
    public async Task A_price_for_all_tokens_is_held_for_where_nothing_bounds_them()
    {
        using var gate = new TestGate(document: Chat.Replace("default-max-tokens: 1000", "", StringComparison.Ordinal)
            .Replace("{ input_tokens: 2.50 USD, cached_input_tokens: 1.25 USD, output_tokens: 10.00 USD }", "{ total_tokens: 10.00 USD }", StringComparison.Ordinal));
        gate.Upstream.Says(() => Json("""{"model":"gpt-4o","usage":{"prompt_tokens":20,"completion_tokens":1000,"total_tokens":1020},"choices":[]}"""));
        (await gate.SendAsync(Ask(await gate.TokenAsync(), """{"model":"gpt-4o","messages":[]}"""))).Headers["Turnpike-Cost"].ToString().ShouldBe("0.0102 USD");
    }

    /// <summary>Cached input is cheaper: a stream is not ended for what it does not cost.</summary>
    [Fact]
    public async Task A_stream_is_not_ended_by_a_price_that_its_cached_question_does_not_have()
    {
        using var gate = new TestGate(document: Chat.Replace("usage: openai", "usage: anthropic", StringComparison.Ordinal).Replace("ceiling: 0.50 USD", "ceiling: 0.15 USD", StringComparison.Ordinal));
        gate.Upstream.Says(() => Stream(
            """data: {"type":"message_start","message":{"model":"gpt-4o","usage":{"input_tokens":0,"cache_read_input_tokens":100000,"output_tokens":1}}}""",
            """data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"the sea is wide"}}""",
            """data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":4}}"""));
        var told = await gate.SendAsync(Ask(await gate.TokenAsync(), $$"""{"model":"gpt-4o","stream":true,"max_tokens":100,"messages":[{"role":"user","content":"{{new StringBuilder().Insert(0, "sea ", 75_000)}}"}]}"""));
        told.Body.ShouldContain("end_turn");
    }

    private static TestGate Gate(string format, string path = "/v1/chat/completions")
    {
        var gate = new TestGate(document: Chat.Replace("usage: openai", "usage: " + format, StringComparison.Ordinal).Replace("/v1/chat/completions", path, StringComparison.Ordinal));
        gate.Upstream.Says(() => Json("{}"));
        return gate;
    }

    private static async Task<long> HeldAsync(TestGate gate) => (await gate.Ledger.ListAsync(new HoldFilter(), default))[0].Hold.Ceiling.Units;
}
