using System.Text.Json.Nodes;
using Turnpike.EndToEnd.Harness;
using Turnpike.Metering;
using Turnpike.Pricing;
using Turnpike.Pricing.Import;
using Turnpike.Tests.Metering;

namespace Turnpike.EndToEnd.Metering;

/// <summary>genai-prices, which reads usage and prices by data of its own, beside us.</summary>
public sealed class OutsideJudgeTests
{
    private static readonly string[] Nano = ["0.05", "0.005", "0.05", "0.40"], Four = ["2.50", "1.25", "2.50", "10.00"], Haiku = ["1.00", "0.10", "1.25", "5.00"], Gemini = ["1.25", "0.125", "1.25", "10.00"];

    /// <summary>Ours, theirs, the answer, and the provider's list prices for a million: input, cached, written to a cache, output; none where the judge knows no price of the model.</summary>
    public static TheoryData<string, string, string, string, string[]> Answers => new()
    {
        { "openai", "openai", "chat", "openai/chat-basic.yaml", Nano },
        { "openai", "openai", "chat", "openai/chat-detailed-usage.yaml", Nano },
        { "openai", "openai", "chat", "openai/chat-reasoning.yaml", Nano },
        { "openai", "openai", "chat", "openai/chat-streaming-detailed-usage.yaml", Nano },
        { "openai", "openai", "chat", "openai/chat-tools.yaml", Nano },
        { "openai", "openai", "chat", "openai/completion-streaming-usage.yaml", [] },
        { "openai", "openai", "embeddings", "openai/embeddings-basic.yaml", ["0.02", "0.02", "0.02", "0.02"] },
        { "openai", "openai", "chat", "completions/basic.json", ["0.50", "0.50", "0.50", "1.50"] },
        { "openai", "openai", "chat", "completions/stream.json", Nano },
        { "openai", "openai", "chat", "completions/tool_call.json", ["10.00", "10.00", "10.00", "30.00"] },
        { "openai", "openai", "chat", """{"model":"gpt-4o","choices":[],"usage":{"prompt_tokens":2000,"completion_tokens":10,"total_tokens":2010,"prompt_tokens_details":{"cached_tokens":800}}}""", Four },
        { "openai-responses", "openai", "responses", "responses/basic.json", Four },
        { "openai-responses", "openai", "responses", "responses/reasoning.json", [] },
        { "openai-responses", "openai", "responses", "responses/stream.json", ["0.40", "0.10", "0.40", "1.60"] },
        { "anthropic", "anthropic", "default", "anthropic/basic.json", Haiku },
        { "anthropic", "anthropic", "default", "anthropic/stream_basic.json", Haiku },
        { "anthropic", "anthropic", "default", "anthropic/stream_thinking.json", ["5.00", "0.50", "6.25", "25.00"] },
        { "anthropic", "anthropic", "default", "anthropic/stream_tool.json", Haiku },
        { "gemini", "google", "default", "vertex-gemini/basic.json", Gemini },
        { "gemini", "google", "default", "vertex-gemini/reasoning.json", Gemini },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task The_judge_reads_the_same_usage_and_asks_the_same_price(string format, string provider, string flavor, string answer, string[] rates)
    {
        var (body, type) = answer.StartsWith('{') ? (System.Text.Encoding.UTF8.GetBytes(answer), "application/json") : Fixtures.Read(answer);
        var usage = Fixtures.UsageOf(format, body, type);
        var judged = await JudgeAsync(provider, flavor, body);
        judged["model"]!.GetValue<string>().ShouldBe(usage.Model);
        (Of(judged, "input_tokens"), Of(judged, "cache_read_tokens"), Of(judged, "cache_write_tokens"), Of(judged, "output_tokens"))
            .ShouldBe((Units.Inputs.Sum(unit => usage[unit]), usage[Units.Cached], usage[Units.CacheWrite] + usage[Units.CacheWriteHour], Units.Outputs.Sum(unit => usage[unit])));
        if (rates.Length == 0)
        {
            judged["price"].ShouldBeNull();
            return;
        }
        ShouldCost(judged, usage, new RateCard("USD", new[] { Units.Input, Units.Cached, Units.CacheWrite, Units.Output }.Zip(rates, (unit, rate) => KeyValuePair.Create(unit, (Rate)Flat(rate)))));
    }

    [Theory]
    [InlineData(200_000, 0)]
    [InlineData(200_001, 0)]
    [InlineData(250_000, 249_000)]
    public async Task The_judge_asks_the_same_price_for_long_questions(long input, long cached)
    {
        var body = System.Text.Encoding.UTF8.GetBytes($$$"""{"modelVersion":"gemini-2.5-pro","candidates":[],"usageMetadata":{"promptTokenCount":{{{input}}},"cachedContentTokenCount":{{{cached}}},"candidatesTokenCount":1000,"totalTokenCount":{{{input + 1000}}}}}""");
        var usage = Fixtures.UsageOf("gemini", body, "application/json");
        ShouldCost(await JudgeAsync("google", "default", body), usage, new RateCard("USD", [Long(Units.Input, "1.25", "2.50"), Long(Units.Cached, "0.125", "0.25"), Long(Units.Output, "10.00", "15.00")]));
    }

    [Theory]
    [InlineData("openai/chat-bad-request.yaml")]
    [InlineData("openai/chat-unknown-model.yaml")]
    [InlineData("openai/chat-streaming.yaml")] // nobody asked for its usage
    public async Task Where_the_judge_finds_no_usage_we_find_none_told(string answer)
    {
        var (body, type) = Fixtures.Read(answer);
        (await JudgeAsync("openai", "chat", body))["error"].ShouldNotBeNull();
        Fixtures.UsageOf("openai", body, type).Source.ShouldBe("estimated");
    }

    [Fact]
    public void Every_recorded_answer_is_judged() => Directory.EnumerateFiles(Path.Combine(Checkout.Root, "test/Turnpike.Tests/Vectors/llm"), "*", SearchOption.AllDirectories).Select(file => string.Join('/', file.Split('/')[^2..])).Where(name => name != "llm/origin.md")
        .Except(Answers.Select(answer => answer.Data.Item4)).ShouldBe(["openai/chat-bad-request.yaml", "openai/chat-unknown-model.yaml", "openai/chat-streaming.yaml"], ignoreOrder: true);

    private static KeyValuePair<string, Rate> Long(string unit, string rate, string above) =>
        KeyValuePair.Create(unit, (Rate)(Flat(rate) with { Long = [new LongRate(200_000, Flat(above))] }));

    private static Rate.Flat Flat(string rate) => new(PriceImport.ForAMillion(rate, 0)!.Value.Units, 1_000_000);

    /// <summary>They count in floating point: the nearest billionth, and ours is rounded up.</summary>
    private static void ShouldCost(JsonNode judged, Usage usage, RateCard card) =>
        Math.Abs(card.Charge(usage).Units - judged["price"]!.GetValue<decimal>() * 1_000_000_000m).ShouldBeLessThanOrEqualTo(1m);

    private static async Task<JsonNode> JudgeAsync(string provider, string flavor, byte[] body)
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, new JsonArray(new JsonObject { ["provider"] = provider, ["flavor"] = flavor, ["body"] = System.Text.Encoding.UTF8.GetString(body).Trim() }).ToJsonString());
            return (await ClientScript.RunAsync("llm/judge.mjs", new Uri("http://127.0.0.1/"), ("INPUT", file))).Json[0]!;
        }
        finally { File.Delete(file); }
    }

    private static long Of(JsonNode judged, string name) => judged["usage"]![name]?.GetValue<long>() ?? 0;
}
