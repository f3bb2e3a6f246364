using Turnpike.Metering;
using Turnpike.Pricing;
using Turnpike.Tests.Catalog;

namespace Turnpike.Tests.Pricing;

/// <summary>What quantities come to, in the published worked examples and at the edges.</summary>
public sealed class RateTests
{
    /// <summary>The first two as OpenMeter publishes them: 15,000 units are 600 dollars by tiers and 150 by volume.</summary>
    [Theory]
    [InlineData("{ graduated: [{ up-to: 1000, each: 0.10 USD }, { up-to: 10000, each: 0.05 USD }, { each: 0.01 USD }] }", 15_000, "600.00 USD")]
    [InlineData("{ volume: [{ up-to: 1000, each: 0.10 USD }, { up-to: 10000, each: 0.05 USD }, { each: 0.01 USD }] }", 15_000, "150.00 USD")]
    [InlineData("{ volume: [{ up-to: 5000, each: 0.05 USD }, { each: 0.01 USD }] }", 5_000, "250.00 USD")]
    [InlineData("{ volume: [{ up-to: 5000, each: 0.05 USD }, { each: 0.01 USD }] }", 5_001, "50.01 USD")]
    [InlineData("{ graduated: [{ up-to: 10, each: 1.00 USD, flat: 5.00 USD }, { each: 0.50 USD, flat: 2.00 USD }] }", 11, "17.50 USD")]
    [InlineData("{ package: 1000, price: 1.00 USD }", 1_000, "1.00 USD")]
    [InlineData("{ package: 1000, price: 1.00 USD }", 1_001, "2.00 USD")]
    [InlineData("{ package: 1000, price: 1.00 USD }", 0, "0.00 USD")]
    [InlineData("0.05 USD", 3, "0.15 USD")]
    public void A_quantity_has_its_price(string rate, long count, string price) => Charge($"per-unit: {{ pages: {rate} }}", ("pages", count)).ShouldBe(price);

    [Theory]
    [InlineData("per-million: { input_tokens: 0.15 USD }", 1, "0.00000015 USD")]
    [InlineData("per-million: { input_tokens: 0.000001 USD }", 1, "0.000000001 USD")]
    [InlineData("per-million: { input_tokens: 0.000001 USD }", 1_000_001, "0.000001001 USD")]
    [InlineData("per-million: { total_tokens: 1.00 USD }", 7, "0.000007 USD")]
    public void It_is_rounded_once_and_upwards(string price, long count, string cost) => Charge(price, (Units.Input, count)).ShouldBe(cost);

    private const string Long = "per-million: { input_tokens: { each: 1.00 USD, long: [{ above: 200000, each: 2.00 USD }, { above: 400000, each: 3.00 USD }] }, cached_input_tokens: 0.10 USD, output_tokens: { each: 10.00 USD, long: [{ above: 200000, each: 15.00 USD }] } }";

    /// <summary>What is above decides for the whole call, output too, and every kind of input counts towards it.</summary>
    [Theory]
    [InlineData(200_000, 0, 1_000, "0.21 USD")]
    [InlineData(200_001, 0, 1_000, "0.415002 USD")]
    [InlineData(100_000, 100_001, 1_000, "0.2250001 USD")]
    [InlineData(400_000, 0, 0, "0.80 USD")]
    [InlineData(400_001, 0, 0, "1.200003 USD")]
    [InlineData(0, 0, 300_000, "3.00 USD")]
    public void A_long_question_costs_more_for_all_of_the_call(long input, long cached, long output, string cost) => Charge(Long, (Units.Input, input), (Units.Cached, cached), (Units.Output, output)).ShouldBe(cost);

    [Fact]
    public void A_kind_without_a_rate_is_a_long_questions_too() => Charge(Long, (Units.CacheWrite, 200_001)).ShouldBe("0.400002 USD");

    /// <summary>Held is what it may be; a stream is cut by what it must be.</summary>
    [Theory]
    [InlineData(200_000, "0.21 USD", "0.21 USD")]
    [InlineData(200_001, "0.415002 USD", "0.415002 USD")]
    public void It_is_bounded_from_both_sides(long input, string most, string least)
    {
        var card = Card(Long);
        card.Most(new Counts { [Units.Input] = input, [Units.Output] = 1_000 }).ToString().ShouldBe(most);
        Span<long> inputs = stackalloc long[Units.Inputs.Length];
        inputs[0] = input;
        card.Estimate(inputs, 1_000).ToString().ShouldBe(least);
    }

    [Fact]
    public void What_is_not_known_of_a_question_may_be_long() => Card("per-million: { output_tokens: { each: 10.00 USD, long: [{ above: 200000, each: 15.00 USD }] } }").Most(new Counts { [Units.Output] = 1_000 }).ToString().ShouldBe("0.015 USD");

    [Fact]
    public void A_kind_without_a_rate_is_charged_as_what_it_is_a_kind_of() =>
        Charge("per-million: { input_tokens: 1.00 USD, output_tokens: 10.00 USD }", (Units.Cached, 1), (Units.CacheWriteHour, 1), (Units.AudioInput, 1), (Units.AudioOutput, 1), (Units.Reasoning, 5)).ShouldBe("0.000013 USD");

    [Fact]
    public void Reasoning_with_a_rate_of_its_own_is_taken_off_the_output() =>
        Charge("per-million: { output_tokens: 10.00 USD, reasoning_tokens: 2.00 USD }", (Units.Output, 10), (Units.Reasoning, 4)).ShouldBe("0.000068 USD");

    [Theory]
    [InlineData("per-million: { reasoning_tokens: 2.00 USD }", "0.000008 USD")]
    [InlineData("per-million: { reasoning_tokens: 2.00 USD, total_tokens: 1.00 USD }", "0.000018 USD")]
    public void Reasoning_may_have_a_rate_where_the_output_has_none(string price, string cost) => Charge(price, (Units.Output, 10), (Units.Reasoning, 4)).ShouldBe(cost);

    [Fact]
    public void A_request_may_cost_beside_its_use() => Charge("per-million: { output_tokens: 10.00 USD }, per-unit: { requests: 0.01 USD }", (Units.Output, 1)).ShouldBe("0.01001 USD");

    [Theory]
    [InlineData("per-unit: { pages: 0.05 USD }", "a metered price needs a ceiling, the most one call may cost")]
    [InlineData("ceiling: 1 USD", "a price needs amount, per-million, per-unit, per-record, per-session, pricer or cost-plus")]
    [InlineData("amount: 1 USD, ceiling: 1 USD", "'ceiling' belongs to a metered price; beside 'amount' it means nothing")]
    [InlineData("ceiling: 1 USD, per-unit: { pages: 0.05 EUR }", "the ceiling is in USD")]
    [InlineData("ceiling: 1 USD, per-unit: { sheets: 0.05 USD }", "nothing tells 'sheets': usage has to say where it comes from")]
    [InlineData("ceiling: 1 USD, per-unit: { m: { pages: 0.05 USD } }", "rates by model need 'by', which says where the request names its model")]
    [InlineData("ceiling: 1 USD, by: $.model, per-unit: { pages: 0.05 USD }", "with 'by', rates stand below the name of a model")]
    [InlineData("ceiling: 1 USD, by: $.model, other-models: n, per-unit: { m: { pages: 0.05 USD } }", "'n' is none of the models with a price")]
    [InlineData("ceiling: 1 USD, per-unit: { pages: { volume: [{ up-to: 5, each: 1 USD }] } }", "tiers rise by up-to, and only the last has none")]
    [InlineData("ceiling: 1 USD, per-unit: { pages: { each: 1 USD, long: [{ above: 5, each: 2 USD }], free: 5 } }", "long stands beside each, and beside nothing else")]
    [InlineData("ceiling: 1 USD, per-unit: { pages: { each: 1 USD, long: [{ above: 5, each: 2 USD }], per: 1mo } }", "long stands beside each, and beside nothing else")]
    [InlineData("ceiling: 1 USD, per-unit: { pages: { package: 5, price: 1 USD, long: [{ above: 5, each: 2 USD }] } }", "long stands beside each, and beside nothing else")]
    [InlineData("ceiling: 1 USD, per-unit: { pages: { each: 1 USD, long: [{ above: 5, each: 2 EUR }] } }", "long questions are priced in the same currency")]
    [InlineData("ceiling: 1 USD, per-unit: { pages: { each: 1 USD, long: [{ above: 5, each: 2 USD }, { above: 5, each: 3 USD }] } }", "longer questions come later, and are not cheaper")]
    [InlineData("ceiling: 1 USD, per-unit: { pages: { each: 3 USD, long: [{ above: 5, each: 2 USD }] } }", "longer questions come later, and are not cheaper")]
    [InlineData("ceiling: 1 USD, per-record: 0.1 USD, count: \"$.items[*]\"", "per-record counts its records alone: beside other usage, tell them by it (records: \"$.items[*]\") and price them per-unit")]
    [InlineData("ceiling: 1 USD, per-unit: { web_searches: 0.01 USD }", "nothing tells 'web_searches': usage has to say where it comes from")]
    [InlineData("ceiling: 1 USD, per-unit: { pages: { package: 5 } }", "package and price belong together")]
    [InlineData("ceiling: 1 USD, per-record: 0.1 USD", "per-record and count belong together: what a record costs, and what one is")]
    [InlineData("ceiling: 1 USD, per-million: { total_tokens: 1 USD, input_tokens: 1 USD }", "total_tokens is all tokens in and out: beside a price for it, none of them has its own")]
    public void What_does_not_fit_is_told(string price, string message) => Documents.Load(Document(price)).Errors.ShouldHaveSingleItem().Message.ShouldBe(message);

    [Fact]
    public void What_is_signed_for_one_amount_cannot_pay_a_metered_price() =>
        Documents.Load(Document("ceiling: 1 USD, per-unit: { pages: 0.05 USD }").Replace("prepaid: { secret: \"${env:TURNPIKE_TOKEN_SECRET}\" }", "mpp: { secret: \"${env:TURNPIKE_MPP_SECRET}\", stripe: { secret-key: \"${env:STRIPE_SECRET_KEY}\", profile: p } }", StringComparison.Ordinal))
            .Errors.ShouldHaveSingleItem().Message.ShouldBe("no accepted method can take a metered price: mpp.stripe is signed for one amount");

    /// <summary>An edition of a model is sold at its rates; a later model is another.</summary>
    [Theory]
    [InlineData("gpt-4o", "gpt-4o-2024-08-06", true)]
    [InlineData("gpt-4", "gpt-4-0613", true)]
    [InlineData("claude-opus-4-5", "claude-opus-4-5-20251101", true)]
    [InlineData("gemini-1.5-pro", "gemini-1.5-pro-002", true)]
    [InlineData("claude-opus-4", "claude-opus-4-5-20251101", false)]
    [InlineData("claude-opus-4", "claude-opus-4-5", false)]
    [InlineData("gpt-4o", "gpt-4o-mini", false)]
    [InlineData("gpt-4o", "gpt-4o-", false)]
    [InlineData("gpt-4o", "gpt-4o2", false)]
    public void What_is_a_dated_name(string priced, string served, bool dated) => MeteredQuote.IsDated(served, priced).ShouldBe(dated);

    /// <summary>A crash is charged for all that is known, not for tokens alone.</summary>
    [Fact]
    public void What_has_passed_so_far_counts_for_a_crash()
    {
        var usage = new Usage();
        usage.Observed[Units.Bytes] = 3_000;
        Card("per-unit: { bytes: 0.001 USD, requests: 0.50 USD }").Estimate([0, 0, 0, 0, 0, 0], 0, usage).ToString().ShouldBe("3.50 USD");
    }

    private static string Charge(string price, params (string Unit, long Count)[] used)
    {
        var usage = new Usage { IsComplete = true };
        foreach (var (unit, count) in used) usage.Reported[unit] = count;
        return Card(price).Charge(usage).ToString();
    }

    private static RateCard Card(string price) => ((PriceModel.Metered)Documents.Sound(Document("ceiling: 10000 USD, " + price)).Operations["o"].Settings.Get<PriceModel>()!).Models[""];

    private static string Document(string price) =>
        $"payments: {{ prepaid: {{ secret: \"${{env:TURNPIKE_TOKEN_SECRET}}\" }} }}\nservices:\n  s:\n    upstream: http://x\n    operations:\n      o: {{ match: POST /o, usage: {{ format: openai, pages: $.pages }}, price: {{ {price} }} }}\n";
}
