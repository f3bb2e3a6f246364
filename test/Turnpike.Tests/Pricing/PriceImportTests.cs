using System.Text.Json;
using Turnpike.Admin.Cli.Use;
using Turnpike.Pricing.Import;
using Turnpike.Tests.Catalog;
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
          "long": { "litellm_provider": "openai", "input_cost_per_token": 1e-06, "input_cost_per_token_above_200k_tokens": 2e-06, "output_cost_per_token_above_200k_tokens": 1.5e-05, "output_cost_per_token": 1e-05, "input_cost_per_token_priority": 2e-06, "input_cost_per_token_above_200k_tokens_priority": 3e-06 },
          "upside-down": { "litellm_provider": "openai", "input_cost_per_token": 2e-06, "input_cost_per_token_above_200k_tokens": 1e-06 },
          "above-alone": { "litellm_provider": "openai", "input_cost_per_token": 1e-06, "cache_read_input_token_cost_above_200k_tokens": 1e-06 },
          "ranges": { "litellm_provider": "openai", "tiered_pricing": [{ "range": [0, 32000], "input_cost_per_token": 1e-06 }] },
          "anthropic/searching": { "litellm_provider": "anthropic", "input_cost_per_token": 1e-06, "cache_read_input_token_cost": 0.0, "output_cost_per_token": 0, "file_search_cost_per_1k_calls": 0.0025, "code_interpreter_cost_per_session": 0.0, "search_context_cost_per_query": { "search_context_size_low": 0.01, "search_context_size_medium": 0.01, "search_context_size_high": 0.01 } },
          "sized-search": { "litellm_provider": "openai", "input_cost_per_token": 1e-06, "search_context_cost_per_query": { "search_context_size_low": 0.01, "search_context_size_high": 0.02 } },
          "tiny": { "litellm_provider": "openai", "input_cost_per_token": 1e-17, "output_cost_per_token": 1e-05 },
          "openai/gpt-image-1": { "litellm_provider": "openai", "input_cost_per_token": 5e-06, "output_cost_per_image_token": 4e-05 },
          "dall-e-3": { "litellm_provider": "openai", "output_cost_per_image": 0.04 }
        }
        """;

    private const string GenAi = """
        [{ "id": "openai", "models": [
          { "id": "gpt-4o", "prices": { "input_mtok": 2.5, "cache_read_mtok": 1.25, "output_mtok": 10 } },
          { "id": "tiered", "prices": { "input_mtok": { "base": 1.25, "tiers": [{ "start": 400000, "price": 3 }, { "start": 200000, "price": 2.5 }] }, "output_mtok": 10 } },
          { "id": "more", "prices": { "input_mtok": 3, "cache_write_mtok": 3.75, "cache_write_1h_mtok": 6, "output_mtok": 15, "web_searches_kcount": 10, "requests_kcount": 0.5, "input_video_mtok": 4, "cache_read_mtok": null } },
          { "id": "dated", "prices": [{ "prices": { "input_mtok": 3 } }, { "constraint": { "start_date": "2026-03-13" }, "prices": { "input_mtok": 2 } }, { "constraint": { "start_date": "2026-12-01" }, "prices": { "input_mtok": 1 } }] },
          { "id": "hourly", "prices": [{ "prices": { "input_mtok": 2 } }, { "constraint": { "start_time": "16:30:00Z", "end_time": "00:30:00Z" }, "prices": { "input_mtok": 1 } }] },
          { "id": "not-yet", "prices": [{ "constraint": { "start_date": "2027-01-01" }, "prices": { "input_mtok": 1 } }] },
          { "id": "strange", "prices": { "input_mtok": { "base": 1.25, "steps": [] } } } ] }]
        """;

    private static readonly DateOnly Day = new(2026, 11, 21);

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
        var yaml = PriceImport.Write(PriceImport.Read(document.RootElement, "openai", Day)!, "x"u8.ToArray(), "prices.json", Day);
        yaml.ShouldBe("""
            # Rates for a million, from prices.json (LiteLLM), read on 2026-11-21.
            # sha256 of that file: 2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881
            per-million:
              "gpt-4o": { input_tokens: 2.50 USD, cached_input_tokens: 1.25 USD, output_tokens: 10.00 USD }
              "gpt-4o-mini": { input_tokens: 0.15 USD, cached_input_tokens: 0.075 USD, output_tokens: 0.60 USD }
              "long": { input_tokens: { each: 1.00 USD, long: [{ above: 200000, each: 2.00 USD }] }, output_tokens: { each: 10.00 USD, long: [{ above: 200000, each: 15.00 USD }] } }
              "sized-search": { input_tokens: 1.00 USD }
            # left out: upside-down: input_tokens becomes cheaper for long questions
            # left out: above-alone: cached_input_tokens has a price for long questions alone
            # left out: ranges: tiered_pricing does not say of what its ranges are
            # left out: tiny: input_tokens 1e-17 is no amount with nine decimals
            # left out: gpt-image-1: no price for output_tokens, and what is not told apart would cost nothing
            # left out: dall-e-3: no price for tokens
            # sized-search without: search_context_cost_per_query

            """);
    }

    [Fact]
    public void The_same_model_has_the_same_rates_from_both_lists()
    {
        using var one = JsonDocument.Parse(LiteLlm);
        using var other = JsonDocument.Parse(GenAi);
        Texts(other, "gpt-4o").ShouldBe(Texts(one, "gpt-4o"), ignoreOrder: true);
    }

    [Fact]
    public void A_kind_that_costs_nothing_is_said_to_and_searches_have_a_price_where_answers_tell_them()
    {
        using var document = JsonDocument.Parse(LiteLlm);
        var list = PriceImport.Read(document.RootElement, "anthropic", Day)!;
        list.Models["searching"].Select(rate => $"{rate.Key}: {rate.Value.Text}").ShouldBe(["input_tokens: 1.00 USD", "cached_input_tokens: 0.00 USD", "web_searches: 10000.00 USD"]);
        list.Without["searching"].ShouldBe(["file_search_cost_per_1k_calls"]);
    }

    [Fact]
    public void Genai_prices_list_is_taken_over_as_it_is_on_the_day()
    {
        using var document = JsonDocument.Parse(GenAi);
        var list = PriceImport.Read(document.RootElement, "openai", Day)!;
        Texts(document, "tiered").ShouldBe(["input_tokens: { each: 1.25 USD, long: [{ above: 200000, each: 2.50 USD }, { above: 400000, each: 3.00 USD }] }", "output_tokens: 10.00 USD"]);
        Texts(document, "more").ShouldBe(["input_tokens: 3.00 USD", "cache_write_tokens: 3.75 USD", "cache_write_1h_tokens: 6.00 USD", "output_tokens: 15.00 USD", "requests: 500.00 USD"]);
        Texts(document, "dated").ShouldBe(["input_tokens: 2.00 USD"]);
        list.Models.Keys.ShouldBe(["gpt-4o", "tiered", "more", "dated"]);
        list.Without.Select(w => $"{w.Key}: {string.Join(", ", w.Value)}").ShouldBe(["more: web_searches_kcount, input_video_mtok", "dated: its prices from 2026-12-01 on"]);
        const string Untold = "its prices depend on the time of day, or on a day that is not told";
        list.LeftOut.ShouldBe([$"hourly: {Untold}", $"not-yet: {Untold}", "strange: input_mtok is no price that is known"]);
    }

    [Theory]
    [InlineData(LiteLlm, "4")]
    [InlineData(GenAi, "4")]
    public async Task What_was_imported_is_a_sound_price(string prices, string models)
    {
        using var folder = new TemporaryFolder();
        var file = folder.File + ".json";
        await File.WriteAllTextAsync(file, prices);
        var (output, err) = (new StringWriter(), new StringWriter());
        PricesCommand.Import(file, "openai", new ManualTime(), output, err).ShouldBe(0);
        err.ToString().ShouldStartWith(models + " models; ");
        var rates = string.Join('\n', output.ToString().Split('\n').Select(line => "          " + line));
        var before = MeteredGate.Chat[..MeteredGate.Chat.IndexOf("          per-million:", StringComparison.Ordinal)];
        Documents.Load(before + rates + "\n").Errors.ShouldBeEmpty();
    }

    private static IEnumerable<string> Texts(JsonDocument list, string model) => PriceImport.Read(list.RootElement, "openai", Day)!.Models[model].Select(rate => $"{rate.Key}: {rate.Value.Text}");

    [Fact]
    public async Task What_was_imported_is_what_a_call_costs()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File + ".json";
        await File.WriteAllTextAsync(file, LiteLlm);
        var (output, err) = (new StringWriter(), new StringWriter());
        PricesCommand.Import(file, "openai", new ManualTime(), output, err).ShouldBe(0);
        err.ToString().Trim().ShouldBe("4 models; 6 left out, 1 without something the list has.");
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
