using Turnpike.Admin.Cli;
using Turnpike.Tests.Gateway;
using Turnpike.Tests.Metering;
using static Turnpike.Tests.Metering.MeteredGate;

namespace Turnpike.Tests.Pricing;

/// <summary><c>turnpike price explain</c>: a receipt tells the rates it was charged at, whatever they have become.</summary>
public sealed class ExplainTests
{
    [Fact]
    public async Task A_receipt_is_explained_at_the_rates_of_its_time_also_when_they_have_changed_twice()
    {
        using var gate = new TestGate(document: Chat);
        gate.Upstream.Says(() => Stream(Delta("hello"), LastChunk, "data: [DONE]"));
        var receipt = await ReceiptAsync(gate, Ask(await gate.TokenAsync(), """{"model":"gpt-4o","stream":true,"messages":[]}"""));
        gate.Edit("output_tokens: 10.00 USD", "output_tokens: 20.00 USD");
        gate.Edit("output_tokens: 20.00 USD", "output_tokens: 30.00 USD");
        var told = await ExplainAsync(gate, Chat.Replace("10.00 USD", "99.00 USD", StringComparison.Ordinal), receipt);
        told.ShouldContain("10 output_tokens: 0.0001 USD (10.00 USD for 1000000)", Case.Sensitive, told);
        told.ShouldContain("model        gpt-4o-2024-08-06, asked for gpt-4o");
        told.ShouldContain("observed");
        told.ShouldContain("together     0.00014 USD, at most what was held");
    }

    [Fact]
    public async Task A_model_without_rates_of_its_own_is_explained_at_those_of_the_one_asked_for()
    {
        using var gate = new TestGate(document: Chat);
        gate.Upstream.Says(() => Stream(Delta("hello", "gpt-9-huge"), LastChunk, "data: [DONE]"));
        var receipt = await ReceiptAsync(gate, Ask(await gate.TokenAsync(), """{"model":"gpt-4o-mini","stream":true,"messages":[]}"""));
        var told = await ExplainAsync(gate, Chat, receipt);
        told.ShouldContain("10 output_tokens: 0.000006 USD (0.60 USD for 1000000)", Case.Sensitive, told);
    }

    [Fact]
    public async Task Tiers_of_a_month_are_explained_by_where_in_it_the_call_came()
    {
        const string document = """
            payments: { prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" } }
            services:
              s:
                upstream: ${env:UPSTREAM}
                operations:
                  o: { match: GET /o, price: { ceiling: 100.00 USD, per-unit: { requests: { graduated: [{ up-to: 2, each: 1.00 USD }, { each: 0.10 USD }], per: 1mo } } } }
            """;
        using var gate = new TestGate(document: document);
        var token = await gate.TokenAsync("10.00 USD");
        for (var i = 0; i < 2; i++) await ReceiptAsync(gate, new Ask("GET", "/o", ("Authorization", token)));
        var receipt = await ReceiptAsync(gate, new Ask("GET", "/o", ("Authorization", token)));
        var told = await ExplainAsync(gate, document, receipt);
        told.ShouldContain("1 requests: 0.10 USD (graduated, 2 tiers, over 1mo)", Case.Sensitive, told);
        told.ShouldContain("requests: 2 came before in the period that ends at 2026-12-01 00:00:00Z");
    }

    [Fact]
    public async Task A_rule_that_asked_for_less_is_told()
    {
        var ruled = Chat.Replace("other-models: refuse", "rules: [{ days: [mon, tue, wed, thu, fri, sat, sun], percent: 50% }]", StringComparison.Ordinal);
        using var gate = new TestGate(document: ruled);
        gate.Upstream.Says(() => Stream(Delta("hello"), LastChunk, "data: [DONE]"));
        var told = await ExplainAsync(gate, ruled, await ReceiptAsync(gate, Ask(await gate.TokenAsync(), """{"model":"gpt-4o","stream":true,"messages":[]}""")));
        told.ShouldContain("rule         50% of 0.00014 USD was asked", Case.Sensitive, told);
    }

    private static async Task<string> ReceiptAsync(TestGate gate, Ask ask)
    {
        var told = await gate.SendAsync(ask);
        told.Status.ShouldBe(200);
        return told.Headers["Turnpike-Receipt"].ToString();
    }

    /// <summary>As an operator asks, beside the gateway, with the document of today.</summary>
    private static async Task<string> ExplainAsync(TestGate gate, string document, string receipt)
    {
        var file = Path.Combine(gate.Folder, "today.yaml");
        await File.WriteAllTextAsync(file, $"gateway: {{ store: \"sqlite:{Path.Combine(gate.Folder, "books.db")}\" }}\n" + document);
        using var output = new StringWriter();
        (await PriceCommand.ExplainAsync(file, TestGate.Environment, receipt, output, output, default)).ShouldBe(0, output.ToString());
        return output.ToString();
    }
}
