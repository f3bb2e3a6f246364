using System.Text.Json.Nodes;
using Turnpike.EndToEnd.Harness;
using Turnpike.Metering;
using Turnpike.Pricing;
using Turnpike.Tests.Metering;

namespace Turnpike.EndToEnd.Metering;

/// <summary>genai-prices, which reads usage and prices by data of its own, beside us.</summary>
public sealed class OutsideJudgeTests
{
    /// <summary>Ours, theirs, the answer, and the provider's list prices for a million: input, cached, written to a cache, output.</summary>
    public static TheoryData<string, string, string, string, string[]> Answers => new()
    {
        { "openai", "openai", "chat", "openai/chat-basic.yaml", ["0.05", "0.005", "0.05", "0.40"] },
        { "openai", "openai", "chat", "openai/chat-detailed-usage.yaml", ["0.05", "0.005", "0.05", "0.40"] },
        { "openai", "openai", "chat", "openai/chat-reasoning.yaml", ["0.05", "0.005", "0.05", "0.40"] },
        { "openai", "openai", "chat", "openai/chat-tools.yaml", ["0.05", "0.005", "0.05", "0.40"] },
        { "openai", "openai", "chat", """{"model":"gpt-4o","choices":[],"usage":{"prompt_tokens":2000,"completion_tokens":10,"total_tokens":2010,"prompt_tokens_details":{"cached_tokens":800}}}""", ["2.50", "1.25", "2.50", "10.00"] },
        { "openai-responses", "openai", "responses", "responses/basic.json", ["2.50", "1.25", "2.50", "10.00"] },
        { "anthropic", "anthropic", "default", "anthropic/basic.json", ["1.00", "0.10", "1.25", "5.00"] },
        { "gemini", "google", "default", "vertex-gemini/basic.json", ["1.25", "0.125", "1.25", "10.00"] },
        { "gemini", "google", "default", "vertex-gemini/reasoning.json", ["1.25", "0.125", "1.25", "10.00"] },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task The_judge_reads_the_same_usage_and_asks_the_same_price(string format, string provider, string flavor, string answer, string[] rates)
    {
        var body = answer.StartsWith('{') ? System.Text.Encoding.UTF8.GetBytes(answer) : Fixtures.Read(answer).Body;
        var usage = Fixtures.UsageOf(format, body, "application/json");
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, $$"""[{"provider":"{{provider}}","flavor":"{{flavor}}","body":{{System.Text.Encoding.UTF8.GetString(body)}}}]""");
            var judged = (await ClientScript.RunAsync("llm/judge.mjs", new Uri("http://127.0.0.1/"), ("INPUT", file))).Json[0]!;
            judged["model"]!.GetValue<string>().ShouldBe(usage.Model);
            (Of(judged, "input_tokens"), Of(judged, "cache_read_tokens"), Of(judged, "cache_write_tokens"), Of(judged, "output_tokens"))
                .ShouldBe((Units.Inputs.Sum(unit => usage[unit]), usage[Units.Cached], usage[Units.CacheWrite] + usage[Units.CacheWriteHour], Units.Outputs.Sum(unit => usage[unit])));
            var card = new RateCard("USD", new[] { Units.Input, Units.Cached, Units.CacheWrite, Units.Output }.Zip(rates, (unit, rate) => KeyValuePair.Create(unit, (Rate)new Rate.Flat(PriceImport.ForAMillion(rate, 0)!.Value.Units, 1_000_000))));
            // They count in floating point: the nearest billionth, and ours is rounded up.
            var theirs = judged["price"]!.GetValue<decimal>();
            Math.Abs(card.Charge(usage).Units - theirs * 1_000_000_000m).ShouldBeLessThanOrEqualTo(1m);
        }
        finally { File.Delete(file); }
    }

    private static long Of(JsonNode judged, string name) => judged["usage"]![name]?.GetValue<long>() ?? 0;
}
