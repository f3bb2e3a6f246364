using System.Net;
using System.Text.Json;
using Turnpike.Tests.Gateway;
using Turnpike.Tests.Metering;

namespace Turnpike.Tests.Pricing;

/// <summary>Prices that depend on when, who and how many; and those that somebody outside says.</summary>
public sealed class PriceRuleTests : IDisposable
{
    private TestGate gate = null!; // made by each

    public void Dispose() => gate?.Dispose();

    // The tests' clock starts at 2026-11-21T12:00Z, a Saturday.
    [Theory]
    [InlineData("{ hours: \"11:00-13:00\", percent: 50% }", "0.005 USD")]
    [InlineData("{ hours: \"12:00-13:00\", percent: 50% }", "0.005 USD")]
    [InlineData("{ hours: \"11:00-12:00\", percent: 50% }", "0.01 USD")]
    [InlineData("{ hours: \"11:00-24:00\", percent: 50% }", "0.005 USD")]
    [InlineData("{ hours: \"13:00-24:00\", percent: 50% }", "0.01 USD")]
    [InlineData("{ hours: \"11:00-12:00\", time-zone: Europe/Berlin, percent: 50% }", "0.01 USD")]
    [InlineData("{ hours: \"13:00-14:00\", time-zone: Europe/Berlin, percent: 50% }", "0.005 USD")]
    [InlineData("{ hours: \"20:00-13:00\", days: fri, percent: 50% }", "0.005 USD")] // the night that began on Friday
    [InlineData("{ hours: \"20:00-13:00\", days: sat, percent: 50% }", "0.01 USD")]
    [InlineData("{ days: [sat, sun], percent: 33.33% }", "0.003333 USD")]
    [InlineData("{ days: [mon], percent: 50% }", "0.01 USD")]
    [InlineData("{ busy: 1, percent: 150% }", "0.015 USD")]
    [InlineData("{ busy: 2, percent: 150% }", "0.01 USD")]
    [InlineData("{ request-bytes: 1, percent: 150% }", "0.01 USD")]
    [InlineData("{ days: sat, percent: 90% }, { hours: \"11:00-13:00\", percent: 50% }", "0.009 USD")]
    public async Task The_first_rule_that_holds_makes_the_price(string rules, string price)
    {
        Open($"price: {{ amount: 0.01 USD, rules: [{rules}] }}");
        var told = await gate.GetAsync("/thing");
        (told.Status, told.Json.GetProperty("price").GetProperty("amount").GetString() + " USD").ShouldBe((402, price));
        (await gate.GetAsync("/thing", ("Authorization", await gate.TokenAsync()))).Headers["Turnpike-Cost"].ToString().ShouldBe(price);
        await gate.ShouldBalanceAsync();
    }

    [Theory]
    [InlineData(0, "0.01")]
    [InlineData(99, "0.01")]
    [InlineData(100, "0.02")]
    [InlineData(3_000_000, "0.03")]
    public async Task A_larger_body_may_cost_more(int size, string price)
    {
        Open("price: { amount: 0.01 USD, rules: [{ request-bytes: 2000000, percent: 300% }, { request-bytes: 100, percent: 200% }] }", TestGate.Document, method: "POST");
        (await gate.SendAsync(Sized(size))).Json.GetProperty("price").GetProperty("amount").GetString().ShouldBe(price);
        (await gate.SendAsync(Sized(size).With(("Authorization", await gate.TokenAsync())))).Headers["Turnpike-Cost"].ToString().ShouldBe($"{price} USD");
        await gate.ShouldBalanceAsync();
    }

    /// <summary>Terms are asked for with a small body, and presented with a large one.</summary>
    [Theory]
    [InlineData(0, 100)]
    [InlineData(0, 3_000_000)]
    [InlineData(50, 100)]
    [InlineData(1_500_000, 3_000_000)]
    public async Task Terms_for_a_smaller_body_do_not_buy_a_larger_one(int asked, int sent)
    {
        Open("price: { amount: 0.01 USD, rules: [{ request-bytes: 2000000, percent: 300% }, { request-bytes: 100, percent: 200% }] }", TestGate.Document, method: "POST");
        var proof = gate.Pay(await gate.SendAsync(Sized(asked)));
        (await gate.SendAsync(Sized(sent).With(("PAYMENT-SIGNATURE", proof)))).Reason.ShouldBe("wrong-resource");
        (await gate.SendAsync(Sized(asked).With(("PAYMENT-SIGNATURE", proof)))).Status.ShouldBe(200);
        await gate.ShouldBalanceAsync();
    }

    private static Ask Sized(int size) => new("POST", "/thing", ("Content-Type", "application/json")) { Body = size == 0 ? "" : $"\"{new string('x', size - 2)}\"" };

    [Fact]
    public async Task Terms_that_were_given_hold_when_the_hour_strikes()
    {
        Open("price: { amount: 0.01 USD, rules: [{ hours: \"11:00-12:02\", percent: 50% }] }", TestGate.Document);
        var (modern, older) = (await gate.ProofAsync("/thing"), TestGate.Older(await gate.ProofAsync("/thing")));
        gate.Time.Pass(TimeSpan.FromMinutes(3));
        (await gate.GetAsync("/thing")).Json.GetProperty("price").GetProperty("amount").GetString().ShouldBe("0.01");
        (await gate.GetAsync("/thing", ("PAYMENT-SIGNATURE", modern))).Headers["Turnpike-Cost"].ToString().ShouldBe("0.005 USD");
        (await gate.GetAsync("/thing", ("X-PAYMENT", older))).Headers["Turnpike-Cost"].ToString().ShouldBe("0.005 USD");
    }

    [Fact]
    public async Task Who_is_known_more_surely_or_has_bought_a_plan_may_pay_less()
    {
        Open("price: { amount: 0.01 USD, rules: [{ plan: pro, percent: 50% }, { assurance: bearer, percent: 90% }] }", more: "plans: { pro: {} }\ncallers: { named: {} }\n");
        var (plain, pro) = (await gate.KeyAsync("plain"), await gate.KeyAsync("rich", change: caller => caller with { Plan = "pro" }));
        (await PriceAsync()).ShouldBe("0.01");
        (await PriceAsync(("apikey", plain))).ShouldBe("0.009");
        (await PriceAsync(("apikey", pro))).ShouldBe("0.005");
    }

    [Fact]
    public async Task A_metered_price_is_asked_by_the_same_share_from_the_hold_to_the_charge()
    {
        gate = new TestGate(document: MeteredGate.Chat.Replace("          ceiling: 0.50 USD", "          ceiling: 0.50 USD\n          rules: [{ days: sat, percent: 50% }]", StringComparison.Ordinal));
        gate.Upstream.Says(() => MeteredGate.Stream(MeteredGate.Delta("hello"), MeteredGate.LastChunk, "data: [DONE]"));
        var token = await gate.TokenAsync();
        await gate.SendAsync(MeteredGate.Ask(token, """{"model":"gpt-4o","stream":true,"max_tokens":100}"""));
        (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).Units.ShouldBe(1_000_000_000 - 70_000);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_metered_quote_holds_over_a_price_change_for_whoever_names_it_until_it_expires()
    {
        gate = new TestGate(document: MeteredGate.Chat);
        gate.Upstream.Says(() => MeteredGate.Stream(MeteredGate.Delta("hello"), MeteredGate.LastChunk, "data: [DONE]"));
        var token = await gate.TokenAsync();
        var ask = new Ask("POST", "/v1/chat/completions", ("Content-Type", "application/json")) { Body = """{"model":"gpt-4o","stream":true,"max_tokens":100}""" };
        var quote = (await gate.SendAsync(ask)).Json.GetProperty("quote").GetString();
        gate.Edit("output_tokens: 10.00 USD", "output_tokens: 20.00 USD");
        gate.Time.Pass(TimeSpan.FromMinutes(4));
        (await TakenAsync(("Turnpike-Quote", quote))).ShouldBe(140_000);
        (await TakenAsync()).ShouldBe(240_000);
        gate.Time.Pass(TimeSpan.FromMinutes(2));
        var late = await gate.SendAsync(ask.With(("Authorization", token), ("Turnpike-Quote", quote)));
        (late.Status, late.Reason).ShouldBe((402, "payment-expired"));
        (await gate.SendAsync(ask.With(("Authorization", token), ("Turnpike-Quote", "made-up")))).Reason.ShouldBe("payment-expired");
        (await TakenAsync(("Turnpike-Quote", late.Json.GetProperty("quote").GetString()))).ShouldBe(240_000);

        async Task<long> TakenAsync(params (string, string?)[] headers)
        {
            var before = await LeftAsync();
            (await gate.SendAsync(ask.With([("Authorization", token), .. headers]))).Status.ShouldBe(200);
            return before - await LeftAsync();
        }

        async Task<long> LeftAsync() => (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).Units;
    }

    [Fact]
    public async Task Somebody_outside_says_the_price_and_his_last_word_counts_while_he_is_silent()
    {
        Open("price: { pricer: { url: \"https://pricer.example/quote\", keep: 10m }, ceiling: 1.00 USD }");
        var (asked, answer) = (0, """{"amount":"0.012"}""");
        Func<string> says = () => answer;
        gate.Sites["pricer.example"] = _ => { asked++; return new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(says()) }; };
        (await PriceAsync()).ShouldBe("0.012");
        answer = """{"amount":"0.02","currency":"USD"}""";
        (await PriceAsync()).ShouldBe("0.012", "good for a few seconds");
        asked.ShouldBe(1);
        gate.Time.Pass(TimeSpan.FromSeconds(6));
        (await PriceAsync()).ShouldBe("0.02");
        foreach (var bad in new[] { """{"amount":"1.01"}""", """{"amount":0.01}""", """{"amount":"0.01","currency":"EUR"}""", """{"amount":"-1"}""", "no", """{"amount":"0.01","amount":"0.02"}""" })
        {
            answer = bad;
            gate.Time.Pass(TimeSpan.FromSeconds(6));
            (await PriceAsync()).ShouldBe("0.02", bad);
        }
        says = () => throw new HttpRequestException("gone");
        gate.Time.Pass(TimeSpan.FromSeconds(6));
        (await PriceAsync()).ShouldBe("0.02");
        gate.Time.Pass(TimeSpan.FromMinutes(10));
        var told = await gate.GetAsync("/thing", ("Authorization", await gate.TokenAsync()));
        (told.Status, told.Reason).ShouldBe((503, "pricer-down"), "and never for nothing");
        gate.Upstream.Requests.ShouldBeEmpty();
    }

    /// <summary>The attack: a proof without our terms in it, signed for what another call of the same operation costs.</summary>
    [Fact]
    public async Task What_the_pricer_said_of_another_call_buys_nothing()
    {
        Open("price: { pricer: { url: \"https://pricer.example/quote\" }, ceiling: 10.00 USD }", TestGate.Document);
        gate.Sites["pricer.example"] = request => new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(new StreamReader(request.Content!.ReadAsStream()).ReadToEnd().Contains("dear", StringComparison.Ordinal) ? """{"amount":"5.00"}""" : """{"amount":"0.01"}""") };
        var cheap = TestGate.Older(await gate.ProofAsync("/thing"));
        (await gate.GetAsync("/thing?dear")).Status.ShouldBe(402);
        var told = await gate.GetAsync("/thing?dear", ("X-PAYMENT", cheap));
        (told.Status, gate.Upstream.Requests.Count).ShouldBe((402, 0));
        (await gate.GetAsync("/thing", ("X-PAYMENT", cheap))).Headers["Turnpike-Cost"].ToString().ShouldBe("0.01 USD");
    }

    /// <summary>The attack: the price of a quiet hour, which nobody was told, for a busy one.</summary>
    [Fact]
    public async Task A_price_for_few_is_good_only_if_there_were_few_lately()
    {
        Open("price: { amount: 0.01 USD, rules: [{ busy: 2, percent: 300% }] }", TestGate.Document);
        var quiet = await gate.GetAsync("/thing");
        var (token, open, arrived) = (await gate.TokenAsync(), new TaskCompletionSource(), new TaskCompletionSource());
        gate.Upstream.Answer = async (_, _) => { arrived.TrySetResult(); await open.Task; return ScriptedUpstream.Text("slow"); };
        var first = Task.Run(() => gate.GetAsync("/thing", ("Authorization", token)));
        await arrived.Task;
        (await PriceAsync()).ShouldBe("0.03");
        gate.Time.Pass(TimeSpan.FromMinutes(4));
        var told = Task.Run(() => gate.GetAsync("/thing", ("X-PAYMENT", TestGate.Older(gate.Pay(quiet)))));
        while (gate.Upstream.Requests.Count < 2 && !told.IsCompleted) await Task.Delay(20);
        gate.Upstream.Requests.Count.ShouldBe(2, "it was told a moment ago");
        gate.Time.Pass(TimeSpan.FromMinutes(7));
        (await gate.GetAsync("/thing", ("X-PAYMENT", TestGate.Older(gate.Pay(quiet))))).Status.ShouldBe(402);
        gate.Upstream.Requests.Count.ShouldBe(2);
        open.SetResult();
        await Task.WhenAll(first, told);
        (await gate.GetAsync("/thing", ("X-PAYMENT", TestGate.Older(gate.Pay(quiet))))).Headers["Turnpike-Cost"].ToString().ShouldBe("0.01 USD", "nobody else is there");
    }

    [Fact]
    public async Task What_the_pricer_said_is_what_the_payer_pays_even_when_it_says_more_since()
    {
        Open("price: { pricer: { url: \"https://pricer.example/quote\" }, ceiling: 1.00 USD }", TestGate.Document);
        var amount = "0.01";
        gate.Sites["pricer.example"] = _ => new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent($$"""{"amount":"{{amount}}"}""") };
        var (modern, older) = (await gate.ProofAsync("/thing"), TestGate.Older(await gate.ProofAsync("/thing")));
        amount = "0.02";
        gate.Time.Pass(TimeSpan.FromMinutes(1));
        (await gate.GetAsync("/thing", ("PAYMENT-SIGNATURE", modern))).Headers["Turnpike-Cost"].ToString().ShouldBe("0.01 USD");
        (await gate.GetAsync("/thing", ("X-PAYMENT", older))).Headers["Turnpike-Cost"].ToString().ShouldBe("0.01 USD");
        amount = "0";
        gate.Time.Pass(TimeSpan.FromMinutes(1));
        (await gate.GetAsync("/thing")).Status.ShouldBe(200, "free, because he says so");
    }

    [Theory]
    [InlineData("{ amount: 0.01 USD, rules: [{ percent: 50% }] }", "a rule needs a condition")]
    [InlineData("{ amount: 0.01 USD, rules: [{ busy: 2, percent: 1001% }] }", "is no percentage")]
    [InlineData("{ amount: 0.01 USD, rules: [{ hours: \"8-9\", percent: 50% }] }", "is no stretch of a day")]
    [InlineData("{ pricer: { url: \"https://p.example\" } }", "needs a ceiling")]
    [InlineData("{ pricer: { url: \"https://p.example\" }, ceiling: 1 USD, amount: 1 USD }", "beside 'amount' it means nothing")]
    [InlineData("{ per-session: 1 USD }", "per-session and lasts belong together")]
    [InlineData("{ per-session: 1 USD, lasts: 1h, ceiling: 2 USD }", "beside 'per-session' it means nothing")]
    public void A_price_that_cannot_be_is_told(string price, string error) =>
        Catalog.Documents.Load(Simple.Replace("PRICE", "price: " + price, StringComparison.Ordinal)).ErrorLines.ShouldContain(line => line.Contains(error, StringComparison.Ordinal));

    private const string Simple = """
        payments: { prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" } }
        services:
          s:
            upstream: ${env:UPSTREAM}
            operations:
              thing: { match: GET /thing, PRICE }
        """;

    private void Open(string price, string? document = null, string more = "", string method = "GET") =>
        gate = new TestGate(more, document is null ? Simple.Replace("PRICE", price, StringComparison.Ordinal) : document.Replace("      forecast:", $"      thing: {{ match: {method} /thing, {price} }}\n      forecast:", StringComparison.Ordinal));

    private async Task<string?> PriceAsync(params (string, string?)[] headers) => (await gate.GetAsync("/thing", headers)).Json.GetProperty("price").GetProperty("amount").GetString();
}
