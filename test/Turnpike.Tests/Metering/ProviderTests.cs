using System.Text;
using Turnpike.Metering;
using Turnpike.Metering.Formats;
using Turnpike.Metering.Reading;
using Turnpike.Tests.Catalog;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Metering;

/// <summary>Usage out of recorded and written answers of every provider, however they are split.</summary>
public sealed class ProviderTests
{
    public static TheoryData<string, string, string> Answers => new()
    {
        { "openai", "openai/chat-bad-request.yaml", " estimated: ; 0 total" },
        { "openai", "openai/chat-unknown-model.yaml", " estimated: ; 0 total" },
        { "openai", "openai/chat-basic.yaml", "gpt-5-nano-2025-08-07 reported: 8 input_tokens, 377 output_tokens, 320 reasoning_tokens; 385 total" },
        { "openai", "openai/chat-detailed-usage.yaml", "gpt-5-nano-2025-08-07 reported: 12 input_tokens, 100 output_tokens, 100 reasoning_tokens; 112 total" },
        { "openai", "openai/chat-reasoning.yaml", "gpt-5-nano-2025-08-07 reported: 27 input_tokens, 267 output_tokens, 192 reasoning_tokens; 294 total" },
        { "openai", "openai/chat-streaming.yaml", "gpt-5-nano-2025-08-07 estimated: 54 output_tokens; 54 total" },
        { "openai", "openai/chat-streaming-detailed-usage.yaml", "gpt-5-nano-2025-08-07 reported: 12 input_tokens, 100 output_tokens, 100 reasoning_tokens; 112 total" },
        { "openai", "openai/chat-tools.yaml", "gpt-5-nano-2025-08-07 reported: 162 input_tokens, 287 output_tokens, 256 reasoning_tokens; 449 total" },
        { "openai", "openai/completion-streaming-usage.yaml", "babbage:2023-07-21-v2 reported: 31 input_tokens, 25 output_tokens; 56 total" },
        { "openai", "openai/embeddings-basic.yaml", "text-embedding-3-small reported: 7 input_tokens; 7 total" },
        { "openai", "completions/basic.json", "gpt-3.5-turbo-0125 reported: 17 input_tokens, 23 output_tokens; 40 total" },
        { "openai", "completions/stream.json", "gpt-5-nano-2025-08-07 reported: 18 input_tokens, 286 output_tokens, 192 reasoning_tokens; 304 total" },
        { "openai", "completions/tool_call.json", "gpt-4-turbo reported: 25 input_tokens, 18 output_tokens; 43 total" },
        { "openai-responses", "responses/basic.json", "gpt-4o-2024-08-06 reported: 10 input_tokens, 10 output_tokens; 20 total" },
        { "openai-responses", "responses/reasoning.json", "qwen3-8b reported: 18 input_tokens, 5 output_tokens, 8 reasoning_tokens; 23 total" },
        { "openai-responses", "responses/stream.json", "gpt-4.1-mini reported: 12 input_tokens, 8 output_tokens; 20 total" },
        { "anthropic", "anthropic/basic.json", "claude-haiku-4-5-20251001 reported: 13 cache_write_tokens, 12 cached_input_tokens, 15 input_tokens, 21 output_tokens; 61 total" },
        { "anthropic", "anthropic/stream_basic.json", "claude-haiku-4-5-20251001 reported: 15 input_tokens, 21 output_tokens; 36 total" },
        { "anthropic", "anthropic/stream_thinking.json", "claude-opus-4-6 reported: 47 input_tokens, 264 output_tokens; 311 total" },
        { "anthropic", "anthropic/stream_tool.json", "claude-haiku-4-5-20251001 reported: 15 input_tokens, 12 output_tokens; 27 total" },
        { "gemini", "vertex-gemini/basic.json", "gemini-2.5-pro reported: 8 input_tokens, 6 output_tokens; 14 total" },
        { "gemini", "vertex-gemini/reasoning.json", "gemini-2.5-pro reported: 10 input_tokens, 17 output_tokens, 5 reasoning_tokens; 27 total" },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public void A_recorded_answer_tells_its_usage(string format, string file, string told)
    {
        var (body, type) = Fixtures.Read(file);
        Fixtures.Told(Fixtures.UsageOf(format, body, type)).ShouldBe(told);
    }

    [Theory]
    [InlineData(2, "reported: 7 input_tokens, 9 output_tokens; 16 total")]
    [InlineData(11, "reported: 7 input_tokens, 9 output_tokens; 16 total")]
    [InlineData(12, "reported: 7 input_tokens, 9 output_tokens; 16 total")]
    [InlineData(60, "reported: 7 input_tokens, 9 output_tokens; 16 total")]
    [InlineData(100, "estimated: ; 0 total")]
    public void Usage_stands_behind_what_is_nested_however_deeply_up_to_a_depth_nobody_needs(int depth, string told)
    {
        var body = Encoding.UTF8.GetBytes($$$"""{"more":{{{new string('[', depth)}}}1{{{new string(']', depth)}}},"usage":{"prompt_tokens":7,"completion_tokens":9}}""");
        Fixtures.Told(Fixtures.UsageOf("openai", body, "application/json")).Trim().ShouldBe(told);
        Fixtures.Told(Fixtures.UsageOf("openai", body, "application/json", from => from + 1)).Trim().ShouldBe(told);
    }

    [Fact]
    public void No_recorded_answer_is_left_out() =>
        Directory.EnumerateFiles(Documents.FromRoot("test/Turnpike.Tests/Vectors/llm"), "*", SearchOption.AllDirectories).Select(file => string.Join('/', file.Split('/')[^2..])).Where(name => name != "llm/origin.md")
            .ShouldBe(Answers.Select(answer => answer.Data.Item2), ignoreOrder: true);

    /// <summary>In two at every byte, up to a size where that takes longer than it tells; and in short pieces that begin at every byte, so that each boundary is one between pieces.</summary>
    [Theory]
    [MemberData(nameof(Answers))]
    public void Where_an_answer_is_split_changes_nothing(string format, string file, string told)
    {
        var (body, type) = Fixtures.Read(file);
        var step = Environment.GetEnvironmentVariable("TURNPIKE_LONG") is not null ? 1 : 1 + body.Length / 4_000;
        for (var cut = 1; cut < body.Length; cut += step) Fixtures.Told(Fixtures.UsageOf(format, body, type, from => from < cut ? cut : body.Length)).ShouldBe(told, $"split at {cut}");
        foreach (var each in (int[])[1, 2, 3, 7, 64])
            for (var first = 0; first < each; first++) Fixtures.Told(Fixtures.UsageOf(format, body, type, from => from < first ? first : from + each)).ShouldBe(told, $"{each} bytes at a time, after {first}");
    }

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task Where_a_compressed_answer_is_split_changes_nothing(string format, string file, string told)
    {
        var (body, type) = Fixtures.Read(file);
        foreach (var coding in (string[])["gzip", "deflate", "br", .. Packing.HasZstd ? ["zstd"] : Array.Empty<string>()])
        {
            var packed = Packing.Of(body, coding);
            for (var first = 0; first < 32; first++) Fixtures.Told(await UsageOfPackedAsync(format, packed, coding, type, first, 32)).ShouldBe(told, $"{coding}, after {first}");
            Fixtures.Told(await UsageOfPackedAsync(format, packed, coding, type, 0, 1)).ShouldBe(told, coding);
        }
    }

    /// <summary>The usage of an answer that comes compressed, by the way it comes through the gate.</summary>
    private static async Task<Usage> UsageOfPackedAsync(string format, byte[] packed, string coding, string contentType, int first, int each)
    {
        using var answer = new HttpResponseMessage { Content = new Pieces(Cut(packed, first, each)) };
        (answer.Content.Headers.ContentType, _) = (new(contentType), answer.Content.Headers.TryAddWithoutValidation("Content-Encoding", coding));
        Turnpike.Gateway.Metered.ReadableAnswer.TryMake(answer).ShouldBeTrue();
        await using var body = await answer.Content.ReadAsStreamAsync();
        var call = new MeteredCall(new UsageSettings(UsageFormats.ByName[format], []));
        var reader = new UsageReader(call, contentType);
        var buffer = new byte[4096];
        for (int read; (read = await body.ReadAsync(buffer)) > 0;)
            for (var at = 0; at < read;)
            {
                at += reader.Read(buffer.AsSpan(at, read - at), out var ended);
                if (ended) reader.Tell();
            }
        reader.End(TimeSpan.FromMilliseconds(5), _ => null);
        return call.Usage;
    }

    private static byte[][] Cut(byte[] bytes, int first, int each) => first == 0 ? [.. bytes.Chunk(each)] : [bytes[..Math.Min(first, bytes.Length)], .. bytes.Skip(first).Chunk(each)];

    [Theory]
    [InlineData("\r\n")]
    [InlineData("\r")]
    public void Lines_may_end_as_they_like(string end)
    {
        var (body, type) = Fixtures.Read("anthropic/stream_basic.json");
        var other = Encoding.UTF8.GetBytes("\uFEFF: a comment\n\nretry: 5\n" + Encoding.UTF8.GetString(body)).AsSpan().ToArray();
        var text = Encoding.UTF8.GetString(other).Replace("\n", end, StringComparison.Ordinal).Replace("data: ", "data:", StringComparison.Ordinal);
        Fixtures.Told(Fixtures.UsageOf("anthropic", Encoding.UTF8.GetBytes(text), type, from => from + 7)).ShouldBe("claude-haiku-4-5-20251001 reported: 15 input_tokens, 21 output_tokens; 36 total");
    }

    [Theory]
    [InlineData("openai", "cached, cache-written and audio tokens are parts of the prompt", """{"model":"m","usage":{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,"prompt_tokens_details":{"cached_tokens":30,"cache_write_tokens":20,"audio_tokens":10},"completion_tokens_details":{"audio_tokens":15}}}""",
        "m reported: 20 cache_write_tokens, 30 cached_input_tokens, 10 input_audio_tokens, 40 input_tokens, 15 output_audio_tokens, 35 output_tokens; 150 total")]
    [InlineData("openai", "images", """{"data":[{}],"usage":{"input_tokens":60,"output_tokens":200,"total_tokens":260,"input_tokens_details":{"text_tokens":10,"image_tokens":50}}}""",
        " reported: 50 input_image_tokens, 10 input_tokens, 200 output_tokens; 260 total")]
    [InlineData("openai", "audio by the second", """{"text":"hello","usage":{"type":"duration","seconds":61}}""", " reported: 2 minutes, 61 seconds; 0 total")]
    [InlineData("openai", "a total that holds more than is named", """{"model":"g","usage":{"prompt_tokens":7,"completion_tokens":0,"total_tokens":8}}""", "g reported: 7 input_tokens, 1 output_tokens; 8 total")]
    [InlineData("anthropic", "cache by lifetime, and searches", """{"model":"c","stop_reason":"end_turn","usage":{"input_tokens":5,"cache_creation_input_tokens":30,"cache_read_input_tokens":7,"cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20},"output_tokens":9,"server_tool_use":{"web_search_requests":2}}}""",
        "c reported: 20 cache_write_1h_tokens, 10 cache_write_tokens, 7 cached_input_tokens, 5 input_tokens, 9 output_tokens, 2 web_searches; 51 total")]
    [InlineData("gemini", "tool use is input, cached is a part of the prompt", """{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":100,"cachedContentTokenCount":40,"toolUsePromptTokenCount":9,"candidatesTokenCount":5,"thoughtsTokenCount":3,"totalTokenCount":117}}""",
        " reported: 40 cached_input_tokens, 69 input_tokens, 8 output_tokens, 3 reasoning_tokens; 117 total")]
    [InlineData("gemini", "a stream that is one array", """[{"candidates":[{"content":{"parts":[{"text":"a"}]}}],"usageMetadata":{"promptTokenCount":4,"totalTokenCount":4}},{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":6,"totalTokenCount":10},"modelVersion":"g"}]""",
        "g reported: 4 input_tokens, 6 output_tokens; 10 total")]
    [InlineData("bedrock", "Converse", """{"usage":{"inputTokens":10,"outputTokens":5,"totalTokens":18,"cacheReadInputTokens":2,"cacheWriteInputTokens":1}}""", " reported: 1 cache_write_tokens, 2 cached_input_tokens, 10 input_tokens, 5 output_tokens; 18 total")]
    public void Every_unit_is_counted_once(string format, string what, string body, string told) =>
        Fixtures.Told(Fixtures.UsageOf(format, Encoding.UTF8.GetBytes(body), "application/json", from => from + 3)).ShouldBe(told, what);

    [Fact]
    public void A_delta_corrects_the_fields_it_names_and_no_others()
    {
        const string stream = """
            event: message_start
            data: {"type":"message_start","message":{"model":"glm","usage":{"input_tokens":120,"output_tokens":0}}}

            event: message_delta
            data: {"type":"message_delta","delta":{"stop_reason":null},"usage":{"input_tokens":20,"cache_read_input_tokens":100,"output_tokens":3}}

            event: message_delta
            data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":7}}


            """;
        Fixtures.Told(Fixtures.UsageOf("anthropic", Encoding.UTF8.GetBytes(stream), "text/event-stream")).ShouldBe("glm reported: 100 cached_input_tokens, 20 input_tokens, 7 output_tokens; 127 total");
    }

    [Fact]
    public void A_stream_of_binary_frames_is_read_at_any_split()
    {
        byte[] stream =
        [
            .. BinaryEvent.Write("messageStart", """{"role":"assistant"}"""u8),
            .. BinaryEvent.Write("contentBlockDelta", """{"contentBlockIndex":0,"delta":{"text":"hello there"}}"""u8),
            .. BinaryEvent.Write("metadata", """{"usage":{"inputTokens":11,"outputTokens":4,"totalTokens":15},"metrics":{"latencyMs":9}}"""u8),
        ];
        for (var cut = 1; cut < stream.Length; cut++)
            Fixtures.Told(Fixtures.UsageOf("bedrock", stream, "application/vnd.amazon.eventstream", from => from < cut ? cut : stream.Length)).ShouldBe(" reported: 11 input_tokens, 4 output_tokens; 15 total");
    }

    [Theory]
    [InlineData("openai", "<html>busy</html>")]
    [InlineData("openai", "{\"usage\":{\"prompt_tokens\":-5,\"completion_tokens\":1e99}}")]
    [InlineData("openai", "{\"usage\":")]
    [InlineData("gemini", "]]]]")]
    [InlineData("bedrock", "\u0000\u0000")]
    public void What_tells_nothing_is_not_complete(string format, string body) =>
        Fixtures.UsageOf(format, Encoding.UTF8.GetBytes(body), "application/json").IsComplete.ShouldBeFalse();

    /// <summary>It has read the question before it began; what it will have answered it does not know when it breaks off.</summary>
    [Fact]
    public void A_stream_that_breaks_off_costs_the_question_as_told_and_of_the_answer_what_passed()
    {
        var usage = new Usage();
        (usage.Observed[Units.Input], usage.Observed[Units.Output]) = (76, 8);
        (usage.Reported[Units.Input], usage.Reported[Units.Cached], usage.Reported[Units.Output]) = (0, 0, 1);
        (usage[Units.Input], usage[Units.Output], usage.Source).ShouldBe((76, 8, "mixed"), "zeroes are placeholders");
        (usage.Reported[Units.Input], usage.Reported[Units.Cached]) = (10, 4);
        (usage[Units.Input], usage[Units.Cached], usage[Units.Output], usage[Units.Total]).ShouldBe((10, 4, 8, 22));
    }
}
