using Turnpike.Metering;
using Turnpike.Tests.Gateway;
using static Turnpike.Tests.Metering.MeteredGate;

namespace Turnpike.Tests.Pricing;

/// <summary>Rules by what a request is: its method, its model, the way it asks to be served; and prices that come to nothing.</summary>
public sealed class RequestRuleTests : IDisposable
{
    private const string Tiered = "rules: [{ model: gpt-4o, service-tier: priority, percent: 170% }, { service-tier: [flex], percent: 50% }, { days: sat, percent: 90% }]";

    private TestGate gate = null!; // made by each

    public void Dispose() => gate?.Dispose();

    [Theory]
    [InlineData("o1", "0.03")]
    [InlineData("o1-2024-12-17", "0.03")]
    [InlineData("o1-mini", "0.02")]
    [InlineData("gpt-4o", "0.01")]
    [InlineData("", "0.01")]
    public async Task A_fixed_price_may_depend_on_the_model(string model, string price)
    {
        OpenFixed("{ model: o1, percent: 300% }, { model: [other, o1-mini], percent: 200% }");
        (await gate.SendAsync(Asking(model))).Json.GetProperty("price").GetProperty("amount").GetString().ShouldBe(price);
        (await gate.SendAsync(Asking(model).With(("Authorization", await gate.TokenAsync())))).Headers["Turnpike-Cost"].ToString().ShouldBe($"{price} USD");
        await gate.ShouldBalanceAsync();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3_000_000)]
    public async Task Terms_for_one_model_do_not_buy_another(int size)
    {
        OpenFixed("{ model: o1, percent: 300% }");
        var (proof, older) = (gate.Pay(await gate.SendAsync(Asking("gpt-4o", size))), TestGate.Older(gate.Pay(await gate.SendAsync(Asking("gpt-4o", size)))));
        (await gate.SendAsync(Asking("o1", size).With(("PAYMENT-SIGNATURE", proof)))).Reason.ShouldBe("wrong-resource");
        (await gate.SendAsync(Asking("o1", size).With(("X-PAYMENT", older)))).Status.ShouldBe(402);
        (await gate.SendAsync(Asking("gpt-4o", size).With(("PAYMENT-SIGNATURE", proof)))).Status.ShouldBe(200);
        await gate.ShouldBalanceAsync();
    }

    [Theory]
    [InlineData("GET", "0.01")]
    [InlineData("HEAD", "0.01")]
    [InlineData("POST", "0.02")]
    [InlineData("DELETE", "0.04")]
    public async Task A_price_may_depend_on_the_method(string method, string price)
    {
        gate = new TestGate(document: TestGate.Document + "\n  whole: { upstream: \"${env:UPSTREAM}\", wrap: true, price: { amount: 0.04 USD, rules: [{ method: GET, percent: 25% }, { method: [POST, PUT], percent: 50% }] } }\n");
        (await gate.SendAsync(new Ask(method, "/g/whole/thing", ("Authorization", await gate.TokenAsync())))).Headers["Turnpike-Cost"].ToString().ShouldBe($"{price} USD");
        await gate.ShouldBalanceAsync();
    }

    // 12 tokens at 2.50, 8 at 1.25 and 10 at 10.00: 140,000 billionths of a dollar; the tests' day is a Saturday.
    [Theory]
    [InlineData("gpt-4o", "", 126_000)]
    [InlineData("gpt-4o", ""","service_tier":"auto" """, 126_000)]
    [InlineData("gpt-4o", ""","service_tier":"priority" """, 238_000)]
    [InlineData("gpt-4o", ""","service_tier":"Priority" """, 238_000)]
    [InlineData("gpt-4o", ""","service_tier":"flex" """, 70_000)]
    public async Task A_metered_price_may_depend_on_the_model_and_how_it_is_served(string model, string way, long taken)
    {
        OpenMetered(Tiered);
        var token = await gate.TokenAsync();
        (await gate.SendAsync(Ask(token, Streaming(model, way)))).Status.ShouldBe(200);
        (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).Units.ShouldBe(1_000_000_000 - taken);
        await gate.ShouldBalanceAsync();
    }

    [Theory]
    [InlineData("gpt-4o-mini", ""","service_tier":"priority" """)]
    [InlineData("gpt-4o", ""","speed":"fast" """)]
    [InlineData("gpt-4o", ""","service_tier":"priority","inference_geo":"us" """)]
    [InlineData("gpt-4o", ""","service_tier":"priority","performanceConfig":{"latency":"optimized"} """)]
    [InlineData("gpt-4o", ""","service_tier":"flex","speed":"fast" """)]
    public async Task What_is_dearer_at_the_provider_is_sold_by_a_rule_for_it_alone(string model, string way)
    {
        OpenMetered(Tiered);
        var told = await gate.SendAsync(Ask(await gate.TokenAsync(), Streaming(model, way)));
        (told.Status, told.Reason).ShouldBe((400, "malformed-request"));
        gate.Upstream.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_rule_that_stands_first_and_names_no_tier_sells_none()
    {
        OpenMetered("rules: [{ days: sat, percent: 90% }, { service-tier: priority, percent: 200% }]");
        (await gate.SendAsync(Ask(await gate.TokenAsync(), Streaming("gpt-4o", ""","service_tier":"priority" """)))).Status.ShouldBe(400);
    }

    [Fact]
    public async Task At_nothing_nothing_is_asked_and_what_is_used_is_counted()
    {
        OpenMetered("rules: [{ days: sat, percent: 0% }]");
        (await gate.SendAsync(new Ask("POST", "/v1/chat/completions", ("Content-Type", "application/json")) { Body = Streaming("gpt-4o", "") })).Status.ShouldBe(200);
        IReadOnlyList<UsageRecord> records = [];
        for (var i = 0; i < 600 && records.Count == 0; i++, await Task.Delay(10)) records = await gate.Of<UsageStore>().ListAsync(new UsageFilter(gate.Time.GetUtcNow().AddDays(-1), gate.Time.GetUtcNow().AddDays(1)), 10, default);
        (records.ShouldHaveSingleItem().Cost, records[0].Charged[Units.Output]).ShouldBe((null, 10));
        (await gate.SendAsync(new Ask("POST", "/v1/chat/completions", ("Content-Type", "application/json"), ("Turnpike-Quote", "of yesterday")) { Body = Streaming("gpt-4o", "") })).Status.ShouldBe(200);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Rates_that_were_told_hold_when_the_hour_strikes_for_whoever_names_them()
    {
        OpenMetered("rules: [{ service-tier: priority, percent: 200% }, { hours: \"11:00-12:02\", percent: 50% }]");
        var token = await gate.TokenAsync();
        var terms = await gate.SendAsync(new Ask("POST", "/v1/chat/completions", ("Content-Type", "application/json")) { Body = Streaming("gpt-4o", "") });
        var quote = ("Turnpike-Quote", terms.Json.GetProperty("quote").GetString());
        gate.Time.Pass(TimeSpan.FromMinutes(4));
        (await TakenAsync("", quote)).ShouldBe(70_000);
        (await TakenAsync("")).ShouldBe(140_000);
        (await TakenAsync(""","service_tier":"priority" """, quote)).ShouldBe(280_000);
        gate.Time.Pass(TimeSpan.FromMinutes(4));
        (await TakenAsync("", quote)).ShouldBe(140_000);
        await gate.ShouldBalanceAsync();

        async Task<long> TakenAsync(string way, params (string, string?)[] named)
        {
            var before = await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default);
            (await gate.SendAsync(Ask(token, Streaming("gpt-4o", way)).With(named))).Status.ShouldBe(200);
            return before.Units - (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).Units;
        }
    }

    [Fact]
    public async Task What_was_free_until_the_hour_struck_is_paid_for_then()
    {
        gate = new TestGate(document: TestGate.Document.Replace("price: 0.01 USD }\n      history", "price: { amount: 0.01 USD, rules: [{ hours: \"11:00-12:02\", percent: 0% }] } }\n      history", StringComparison.Ordinal));
        (await gate.GetAsync("/forecast/paris")).Status.ShouldBe(200);
        (await gate.GetAsync("/forecast/paris", ("Turnpike-Quote", "made-up"))).Status.ShouldBe(200);
        gate.Time.Pass(TimeSpan.FromMinutes(3));
        (await gate.GetAsync("/forecast/paris")).Status.ShouldBe(402);
        (await gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", await gate.ProofAsync("/forecast/paris")))).Headers["Turnpike-Cost"].ToString().ShouldBe("0.01 USD");
        await gate.ShouldBalanceAsync();
    }

    [Theory]
    [InlineData("usage: openai, price: { amount: 0.01 USD, rules: [{ percent: 101% }] }", "a rule needs a condition: hours, days, plan, assurance, reputation, verified, busy, request-bytes, method, model or service-tier")]
    [InlineData("price: { amount: 0.01 USD, rules: [{ model: o1, percent: 300% }] }", "a rule by model or service-tier needs usage to name a provider's format: nothing else reads requests")]
    [InlineData("usage: { seen: bytes }, price: { amount: 0.01 USD, rules: [{ service-tier: priority, percent: 300% }] }", "a rule by model or service-tier needs usage to name a provider's format: nothing else reads requests")]
    [InlineData("usage: openai, price: { ceiling: 1 USD, by: $.model, per-million: { o1: { output_tokens: 10 USD } }, rules: [{ model: o3, percent: 300% }] }", "a rule is for 'o3', which is none of the models with a price")]
    [InlineData("usage: openai, price: { amount: 0.01 USD, rules: [{ method: post, percent: 300% }] }", "'post' is no method; write POST")]
    [InlineData("usage: openai, price: { amount: 0.01 USD, rules: [{ service-tier: Priority, percent: 300% }] }", "'Priority' is no word in small letters; write priority")]
    [InlineData("usage: openai, price: { amount: 0.01 USD, rules: [{ model: o1, percent: -1% }] }", "'-1%' is no percentage; write 80% or 112.5%, from 0% to 1000%")]
    public void A_rule_that_could_not_be_followed_is_told(string operation, string error) =>
        Catalog.Documents.Load($"payments: {{ prepaid: {{ secret: \"${{env:TURNPIKE_TOKEN_SECRET}}\" }} }}\nservices: {{ s: {{ upstream: \"http://x\", operations: {{ o: {{ match: POST /o, {operation} }} }} }} }}\n")
            .Errors.ShouldHaveSingleItem().Message.ShouldBe(error);

    private void OpenFixed(string rules) =>
        gate = new TestGate(document: TestGate.Document.Replace("      forecast:", $"      thing: {{ match: POST /thing, usage: openai, price: {{ amount: 0.01 USD, rules: [{rules}] }} }}\n      forecast:", StringComparison.Ordinal));

    private void OpenMetered(string rules)
    {
        gate = new TestGate(document: Chat.Replace("          ceiling: 0.50 USD", "          ceiling: 0.50 USD\n          " + rules, StringComparison.Ordinal));
        gate.Upstream.Says(() => Stream(Delta("hello"), LastChunk, "data: [DONE]"));
    }

    private static Ask Asking(string model, int size = 0) => new("POST", "/thing", ("Content-Type", "application/json"))
    {
        Body = model.Length == 0 ? "{}" : $$"""{"model":"{{model}}","messages":[{"role":"user","content":"{{new string('x', size)}}"}]}""",
    };

    private static string Streaming(string model, string way) => $$"""{"model":"{{model}}","stream":true,"max_tokens":100,"messages":[]{{way}}}""";
}
