using Turnpike.Admin.Cli.Use;
using Turnpike.Tests.Admin;
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

    [Theory]
    [InlineData("300 total_tokens", "30 total_tokens")]
    [InlineData("5 requests", "1 requests")]
    public async Task What_a_plans_allowance_paid_is_told_in_its_unit_and_in_no_money(string included, string paid)
    {
        var (plans, document) = ($$"""
            plans: { free: { includes: [{ amount: {{included}}, per: 1mo }] } }
            callers: { tester: { plan: free, keys: ["${env:AGENT_KEY}"] } }

            """, Chat.Replace("accept: [prepaid]", "accept: [plan, prepaid]", StringComparison.Ordinal));
        using var gate = new TestGate(plans, document);
        gate.Upstream.Says(() => Stream(Delta("hello"), LastChunk, "data: [DONE]"));
        var told = await ExplainAsync(gate, plans + document, await ReceiptAsync(gate, new Ask("POST", "/v1/chat/completions", ("apikey", Catalog.Documents.Variables["AGENT_KEY"]), ("Content-Type", "application/json")) { Body = """{"model":"gpt-4o","stream":true,"max_tokens":100}""" }));
        told.ShouldContain($"paid by the plan: {paid}", Case.Sensitive, told);
        told.ShouldContain("model        gpt-4o-2024-08-06");
        told.ShouldNotContain("USD");
    }

    [Theory]
    [InlineData("callers: {}", null)]
    [InlineData("meters: { calls: { count: requests } }", "usage ")]
    public async Task A_price_that_was_known_before_the_call_is_told_whether_or_not_its_use_was_recorded(string more, string? used)
    {
        await using var gateway = await RunningGateway.StartAsync(more: more);
        using var answer = await gateway.CallAsync("/paid", await gateway.TokenAsync());
        using var output = new StringWriter();
        (await PriceCommand.ExplainAsync(gateway.Config, RunningGateway.Environment, answer.Headers.GetValues("Turnpike-Receipt").Single(), output, output, default)).ShouldBe(0, output.ToString());
        output.ToString().ShouldContain("price        0.01 USD: nothing of its use was priced");
        if (used is not null) output.ToString().ShouldContain(used);
    }

    [Fact]
    public async Task A_receipt_of_a_fixed_price_that_is_no_more_tells_what_was_taken()
    {
        const string document = """
            payments: { prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" } }
            services: { s: { upstream: "${env:UPSTREAM}", operations: { o: { match: GET /o, price: 0.01 USD } } } }
            """;
        using var gate = new TestGate(document: document);
        var told = await ExplainAsync(gate, document, await ReceiptAsync(gate, new Ask("GET", "/o", ("Authorization", await gate.TokenAsync()))));
        told.ShouldContain("taken        0.01 USD", Case.Sensitive, told);
        told.ShouldContain("what was held was known before the call");
    }

    private const string Sold = """
        payments: { prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" } }
        services:
          s:
            upstream: https://api.example
            operations:
              chat:
                match: POST /chat
                usage: openai
                price: { ceiling: 1.00 USD, by: $.model, minimum: 0.0001 USD, per-million: { gpt-4o: { input_tokens: 2.50 USD, output_tokens: 10.00 USD } }, rules: [{ hours: "22:00-06:00", percent: 50% }, { plan: pro, percent: 80% }] }
              report: { match: GET /report, price: { amount: 0.10 USD, rules: [{ busy: 10, percent: 200% }] } }
              month: { match: GET /month, price: { per-session: 0.50 USD, lasts: 1h } }
              open: { match: GET /open, price: free }
        """;

    [Theory]
    [InlineData("chat", "gpt-4o", "12:00", null, "rule 1       50%, hours 22:00-06:00 UTC: does not hold|rule 2       80%, plan pro: does not hold|1200 input_tokens: 0.003 USD (2.50 USD for 1000000)|together     0.006 USD")]
    [InlineData("chat", "gpt-4o", "12:00", "pro", "rule 2       80%, plan pro: holds|together     0.0048 USD, 80% of 0.006 USD")]
    [InlineData("chat", "gpt-4o", "23:00", "pro", "rule 1       50%, hours 22:00-06:00 UTC: holds|rule 2       80%, plan pro: one before it holds|together     0.003 USD, 50% of 0.006 USD")]
    [InlineData("report", null, "12:00", null, "rule 1       200%, busy 10: holds|together     0.20 USD, 200% of 0.10 USD")]
    [InlineData("month", null, "12:00", null, "together     0.50 USD, once for the session")]
    [InlineData("open", null, "12:00", null, "for          open: GET /open|price        free")]
    public async Task A_call_that_nobody_made_is_told_what_it_would_cost(string operation, string? model, string hour, string? plan, string told)
    {
        var (code, said) = await SupposeAsync(operation, new PriceCase { Model = model, Plan = plan, At = $"2026-11-21T{hour}:00Z", Busy = 12, Use = ["input_tokens=1200", "output_tokens=300"] });
        code.ShouldBe(0, said);
        foreach (var line in told.Split('|')) said.ShouldContain(line, Case.Sensitive, said);
    }

    [Theory]
    [InlineData("gpt-4o", "input_tokens", null, "--use is a unit and how many of it")]
    [InlineData("gpt-4o", "input_tokens=99999999999999999999", null, "--use is a unit and how many of it")]
    [InlineData("gpt-4o", "input_tokens=1", "soon", "--at is a day or a time")]
    [InlineData("gpt-5", "input_tokens=1", null, "'gpt-5' has no price and is refused: gpt-4o.")]
    [InlineData(null, "input_tokens=1", null, "--model is wanted: gpt-4o.")]
    public async Task What_cannot_be_supposed_is_said(string? model, string use, string? at, string told)
    {
        var (code, said) = await SupposeAsync("chat", new PriceCase { Model = model, At = at, Use = [use] });
        code.ShouldBe(2, said);
        said.ShouldContain(told, Case.Sensitive, said);
    }

    private static async Task<(int Code, string Said)> SupposeAsync(string operation, PriceCase supposed)
    {
        var folder = Directory.CreateTempSubdirectory("turnpike-");
        try
        {
            var file = Path.Combine(folder.FullName, "turnpike.yaml");
            await File.WriteAllTextAsync(file, Sold);
            using var output = new StringWriter();
            return (await PriceCommand.ExplainAsync(file, TestGate.Environment, operation, output, output, default, supposed), output.ToString());
        }
        finally { folder.Delete(recursive: true); }
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
