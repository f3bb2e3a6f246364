using System.Text.Json;
using Turnpike.Admin.Cli.Use;
using Turnpike.Pricing;
using Turnpike.Tests.Gateway;
using Turnpike.Tests.Metering;
using Turnpike.Tests.Storage;

namespace Turnpike.Tests.Pricing;

/// <summary>Public price lists as rates of ours, to the last digit.</summary>
public sealed class PriceImportTests
{
    private const string LiteLlm = """
        {
          "sample_spec": { "litellm_provider": "one of", "input_cost_per_token": 0 },
          "gpt-4o": { "litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 2.5e-06, "cache_read_input_token_cost": 1.25e-06, "output_cost_per_token": 1e-05, "max_tokens": 16384 },
          "gpt-4o-mini": { "litellm_provider": "openai", "input_cost_per_token": 1.5e-07, "output_cost_per_token": 6E-7, "cache_read_input_token_cost": 0.000000075 },
          "claude": { "litellm_provider": "anthropic", "input_cost_per_token": "0.000003", "output_cost_per_token": 1.5e-05, "cache_creation_input_token_cost": 3.75e-06 },
          "long": { "litellm_provider": "openai", "input_cost_per_token": 1e-06, "input_cost_per_token_above_200k_tokens": 2e-06, "output_cost_per_token": 1e-05 },
          "tiny": { "litellm_provider": "openai", "input_cost_per_token": 1e-17, "output_cost_per_token": 1e-05 },
          "dall-e-3": { "litellm_provider": "openai", "output_cost_per_image": 0.04 }
        }
        """;

    private const string GenAi = """
        [{ "id": "openai", "models": [
          { "id": "gpt-4o", "prices": { "input_mtok": 2.5, "cache_read_mtok": 1.25, "output_mtok": 10 } },
          { "id": "tiered", "prices": { "input_mtok": { "base": 1.25, "tiers": [{ "start": 200000, "price": 2.5 }] }, "output_mtok": 10 } },
          { "id": "timed", "prices": [{ "constraint": { "start_date": "2026-01-01" }, "prices": { "input_mtok": 1 } }] } ] }]
        """;

    [Theory]
    [InlineData("2.5e-06", 6, "2.50 USD")]
    [InlineData("1.5e-07", 6, "0.15 USD")]
    [InlineData("6E-7", 6, "0.60 USD")]
    [InlineData("0.000000075", 6, "0.075 USD")]
    [InlineData("1e-05", 6, "10.00 USD")]
    [InlineData("3e+2", 0, "300.00 USD")]
    [InlineData("10", 0, "10.00 USD")]
    [InlineData("1.0500", 0, "1.05 USD")]
    [InlineData("0", 6, "0.00 USD")]
    [InlineData("7.123456789e-06", 6, "7.123456789 USD")]
    public void A_number_is_moved_and_never_rounded(string number, int shift, string money) => PriceImport.ForAMillion(number, shift).ToString().ShouldBe(money);

    [Theory]
    [InlineData("7.1234567891e-06")]
    [InlineData("1e-17")]
    [InlineData("-1e-06")]
    [InlineData("1e-99999999999")]
    [InlineData("NaN")]
    [InlineData("")]
    public void What_is_no_exact_amount_is_none(string number) => PriceImport.ForAMillion(number, 6).ShouldBeNull();

    [Fact]
    public void Litellms_list_becomes_rates_and_what_would_be_sold_too_cheap_is_left_out()
    {
        using var document = JsonDocument.Parse(LiteLlm);
        var yaml = PriceImport.Write(PriceImport.Read(document.RootElement, "openai")!, "x"u8.ToArray(), "prices.json", new DateOnly(2026, 11, 21));
        yaml.ShouldBe("""
            # Rates for a million, from prices.json (LiteLLM), read on 2026-11-21.
            # sha256 of that file: 2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881
            per-million:
              "gpt-4o": { input_tokens: 2.50 USD, cached_input_tokens: 1.25 USD, output_tokens: 10.00 USD }
              "gpt-4o-mini": { input_tokens: 0.15 USD, cached_input_tokens: 0.075 USD, output_tokens: 0.60 USD }
            # left out: long: input_cost_per_token_above_200k_tokens depends on the size of the request
            # left out: tiny: input_tokens 1e-17 is no amount with nine decimals

            """);
    }

    [Fact]
    public void The_same_model_has_the_same_rates_from_both_lists()
    {
        using var one = JsonDocument.Parse(LiteLlm);
        using var other = JsonDocument.Parse(GenAi);
        var theirs = PriceImport.Read(other.RootElement, "openai")!;
        theirs.Models.ShouldHaveSingleItem().Value.ShouldBe(PriceImport.Read(one.RootElement, "openai")!.Models["gpt-4o"], ignoreOrder: true);
        theirs.LeftOut.ShouldBe(["tiered: input_mtok depends on the size of the request", "timed: its prices depend on the time"]);
    }

    [Fact]
    public async Task What_was_imported_is_what_a_call_costs()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File + ".json";
        await File.WriteAllTextAsync(file, LiteLlm);
        var (output, err) = (new StringWriter(), new StringWriter());
        PricesCommand.Import(file, "openai", new ManualTime(), output, err).ShouldBe(0);
        err.ToString().Trim().ShouldBe("2 models; 2 left out.");
        var rates = string.Join('\n', output.ToString().Split('\n').Select(line => "          " + line));
        var before = MeteredGate.Chat[..MeteredGate.Chat.IndexOf("          per-million:", StringComparison.Ordinal)];
        using var gate = new TestGate(document: before + rates + "\n");
        gate.Upstream.Says(() => MeteredGate.Stream(MeteredGate.Delta("hello"), MeteredGate.LastChunk, "data: [DONE]"));
        var token = await gate.TokenAsync();
        await gate.SendAsync(MeteredGate.Ask(token, """{"model":"gpt-4o","stream":true,"max_tokens":100}"""));
        (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).Units.ShouldBe(1_000_000_000 - 140_000);
    }

    [Fact]
    public void Something_else_is_told()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File, "{}");
        var (output, err) = (new StringWriter(), new StringWriter());
        PricesCommand.Import(folder.File, null, new ManualTime(), output, err).ShouldBe(2);
        err.ToString().ShouldContain("is neither LiteLLM's nor genai-prices' list");
        PricesCommand.Import(folder.File + "-none", null, new ManualTime(), output, err).ShouldBe(2);
    }
}
