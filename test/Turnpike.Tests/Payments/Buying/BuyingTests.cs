using System.Net;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Tests.Client;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Payments.Buying;

/// <summary>An upstream that asks for payment gets it: once, within bounds, recorded before it is sent.</summary>
public sealed class BuyingTests : IDisposable
{
    private readonly Market market = new();

    public void Dispose() => market.Dispose();

    private static Money Usd(string amount) => Money.TryParse(amount, "USD", out var money) ? money : throw new FormatException();

    [Fact]
    public async Task The_caller_pays_us_we_pay_the_seller_and_the_answer_comes_back()
    {
        var told = await market.GetAsync();
        (told.Status, told.Body).ShouldBe((200, "weather"));
        told.Headers["Turnpike-Cost"].ToString().ShouldBe("0.02 USD", "what we sell it for, not what it costs us");
        told.Headers.ContainsKey("PAYMENT-RESPONSE").ShouldBeFalse("the seller's receipt is ours");
        var bought = await market.PurchaseAsync(told);
        (bought.Status, bought.Outcome, bought.Captured, bought.Reference).ShouldBe((HoldStatus.Settled, HoldOutcome.Delivered, Usd("0.01"), "0xx402"));
        market.Seller.Paid.Count().ShouldBe(1);
        await market.Gate.ShouldBalanceAsync();
        (await market.SumAsync("cost")).ShouldBe(new Money(-Usd("0.01").Units, "USD"));
    }

    [Fact]
    public async Task The_seller_is_told_nothing_of_who_calls_and_who_paid()
    {
        await market.GetAsync("/lookup/a", ("X-Mine", "1"));
        foreach (var asked in market.Seller.Requests)
        {
            asked.Headers.ShouldNotContain(name => name.StartsWith("Turnpike-", StringComparison.OrdinalIgnoreCase) || name.StartsWith("X-Forwarded", StringComparison.OrdinalIgnoreCase));
            asked.Headers.ShouldContain("X-Mine");
        }
    }

    [Fact]
    public async Task A_body_is_sent_to_the_letter_both_times()
    {
        var told = await market.Gate.SendAsync(new Ask("POST", "/reports", ("Authorization", await market.Gate.TokenAsync())) { Body = "{\"of\":1}" });
        told.Status.ShouldBe(200);
        market.Seller.Requests.Select(r => r.Body).ShouldBe(["{\"of\":1}", "{\"of\":1}"]);
    }

    [Fact]
    public async Task Nothing_is_paid_for_a_call_that_has_not_paid()
    {
        (await market.Gate.GetAsync("/lookup/a")).Status.ShouldBe(402);
        market.Seller.Requests.ShouldBeEmpty();
    }

    /// <summary>The attack: a seller, or whoever took its place, names another account.</summary>
    [Fact]
    public async Task Nobody_is_paid_who_is_not_on_the_list()
    {
        using var other = new Market(Market.Document.Replace("${env:SELLER}", "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65", StringComparison.Ordinal));
        var told = await other.GetAsync();
        (told.Status, told.Reason).ShouldBe((502, "upstream-asks-payment"));
        other.Seller.Paid.ShouldBeEmpty();
        (await other.LastPurchaseAsync()).ShouldBeNull();
        await other.Gate.ShouldBalanceAsync();
    }

    /// <summary>The attack: the terms of another host, so that our proof is spent there.</summary>
    [Fact]
    public async Task Terms_of_another_host_are_not_paid()
    {
        using var other = new Market(null, gate => new FakeSeller { ResourceHost = "elsewhere.test", Offers = "x402", Clock = gate.Time.GetUtcNow });
        (await other.GetAsync()).Reason.ShouldBe("upstream-asks-payment");
        other.Seller.Paid.ShouldBeEmpty();
    }

    [Fact]
    public async Task More_than_the_caller_pays_is_never_paid_and_the_caller_has_it_back()
    {
        market.Seller.Price = 20_001;
        var token = await market.Gate.TokenAsync("0.02 USD");
        var told = await market.Gate.GetAsync("/lookup/a", ("Authorization", token));
        (told.Status, told.Reason).ShouldBe((502, "upstream-too-dear"));
        market.Seller.Paid.ShouldBeEmpty();
        market.Seller.Price = 20_000;
        (await market.Gate.GetAsync("/lookup/a", ("Authorization", token))).Status.ShouldBe(200, "the budget is whole again");
    }

    [Fact]
    public async Task A_cap_is_never_overspent_however_many_call_at_once()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => market.GetAsync())));
        answers.Count(a => a.Status == 200).ShouldBe(5, "five cents an hour, a cent each");
        foreach (var refused in answers.Where(a => a.Status != 200))
        {
            (refused.Status, refused.Reason).ShouldBe((503, "spending-cap-reached"));
            int.Parse(refused.Headers.RetryAfter!, System.Globalization.CultureInfo.InvariantCulture).ShouldBeInRange(1, 3600);
        }
        market.Seller.Paid.Count().ShouldBe(5);
        (await market.Gate.GetAsync("/lookup/a")).Reason.ShouldBe("spending-cap-reached", "nobody is told a price that could buy nothing");
        await market.Gate.ShouldBalanceAsync();
        market.Gate.Time.Pass(TimeSpan.FromHours(1));
        (await market.GetAsync()).Status.ShouldBe(200, "another hour, another five cents");
    }

    [Fact]
    public async Task A_second_402_is_not_paid_again_and_what_was_signed_stays_unknown_until_the_chain_says()
    {
        using var refuses = new Market(null, gate => new FakeSeller { ResourceHost = "seller.test", Offers = "x402", Clock = gate.Time.GetUtcNow, OnPaid = _ => new HttpResponseMessage(HttpStatusCode.PaymentRequired) });
        var told = await refuses.GetAsync();
        (told.Status, told.Reason).ShouldBe((502, "upstream-asks-payment"));
        refuses.Seller.Paid.Count().ShouldBe(1);
        (await refuses.LastPurchaseAsync())!.Status.ShouldBe(HoldStatus.Unknown);
        var settler = refuses.Gate.Of<Settler>();
        await settler.RoundAsync(default);
        (await refuses.LastPurchaseAsync())!.Status.ShouldBe(HoldStatus.Unknown, "it may still be collected");
        refuses.Gate.Time.Pass(TimeSpan.FromMinutes(6));
        refuses.Gate.Chain.Mine(20);
        await settler.RoundAsync(default);
        (await refuses.LastPurchaseAsync())!.Status.ShouldBe(HoldStatus.Released, "its time has passed on a final block");
        await refuses.Gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_seller_that_takes_the_money_and_fails_is_our_loss_and_the_callers_credit()
    {
        using var fails = new Market(null, gate => new FakeSeller { ResourceHost = "seller.test", Offers = "x402", Clock = gate.Time.GetUtcNow, OnPaid = _ => new HttpResponseMessage(HttpStatusCode.InternalServerError) });
        var token = await fails.Gate.TokenAsync("0.02 USD");
        (await fails.Gate.GetAsync("/lookup/a", ("Authorization", token))).Status.ShouldBe(500, "the upstream's own answer, and nothing is charged for it");
        var hash = fails.Collect();
        fails.Gate.Time.Pass(TimeSpan.FromSeconds(10));
        await fails.Gate.Of<Settler>().RoundAsync(default);
        var bought = await fails.LastPurchaseAsync();
        (bought!.Status, bought.Reference, bought.Outcome).ShouldBe((HoldStatus.Settled, hash, HoldOutcome.Credited));
        (await fails.SumAsync("loss")).ShouldBe(new Money(-Usd("0.01").Units, "USD"));
        (await fails.SumAsync("cost")).ShouldBe(Usd("0"));
        await fails.Gate.ShouldBalanceAsync();
        (await fails.Gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).ShouldBe(Usd("0.02"));
    }

    [Fact]
    public async Task A_connection_that_breaks_after_the_payment_left_is_unknown_and_never_tried_again()
    {
        market.Gate.Upstream.Answer = async (request, ct) => request.Headers.Contains("PAYMENT-SIGNATURE") ? throw new HttpRequestException(HttpRequestError.ResponseEnded, "gone") : await new HttpMessageInvoker(market.Seller, false).SendAsync(request, ct);
        var told = await market.GetAsync();
        told.Reason.ShouldBe("upstream-failed");
        market.Gate.Upstream.Requests.Count.ShouldBe(2);
        (await market.LastPurchaseAsync())!.Status.ShouldBe(HoldStatus.Unknown);
    }

    [Fact]
    public async Task A_seller_that_is_gone_before_the_payment_left_is_paid_nothing_and_the_cap_is_whole()
    {
        market.Gate.Upstream.Answer = async (request, ct) => request.Headers.Contains("PAYMENT-SIGNATURE") ? throw new HttpRequestException(HttpRequestError.ConnectionError, "gone") : await new HttpMessageInvoker(market.Seller, false).SendAsync(request, ct);
        (await market.GetAsync()).Reason.ShouldBe("upstream-down");
        (await market.LastPurchaseAsync())!.Status.ShouldBe(HoldStatus.Released);
        await market.Gate.ShouldBalanceAsync();
    }

    /// <summary>kill -9 between the payment leaving and its answer.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task After_a_crash_the_chain_is_asked_and_nothing_is_paid_again(bool collected)
    {
        var (arrived, never) = (new TaskCompletionSource(), new TaskCompletionSource<HttpResponseMessage>());
        market.Gate.Upstream.Answer = async (request, ct) =>
        {
            if (!request.Headers.Contains("PAYMENT-SIGNATURE")) return await new HttpMessageInvoker(market.Seller, false).SendAsync(request, ct);
            await new HttpMessageInvoker(market.Seller, false).SendAsync(request, ct);
            arrived.SetResult();
            return await never.Task;
        };
        _ = market.GetAsync();
        await arrived.Task;
        if (collected) market.Collect();
        market.Restart();
        var settler = market.Gate.Of<Settler>();
        await settler.RecoverAsync(default);
        market.Gate.Time.Pass(TimeSpan.FromMinutes(6));
        market.Gate.Chain.Mine(20);
        await settler.RoundAsync(default);
        var bought = await market.LastPurchaseAsync();
        bought!.Status.ShouldBe(collected ? HoldStatus.Settled : HoldStatus.Released);
        bought.Outcome.ShouldBe(collected ? HoldOutcome.Credited : HoldOutcome.Open);
        market.Seller.Paid.Count().ShouldBe(1);
        (await market.SumAsync("loss")).ShouldBe(collected ? new Money(-Usd("0.01").Units, "USD") : Usd("0"));
        await market.Gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_price_made_of_the_upstreams_own_is_told_before_and_holds()
    {
        var unpaid = await market.Gate.GetAsync("/plus/a");
        (unpaid.Status, unpaid.Json.GetProperty("price").GetProperty("amount").GetString()).ShouldBe((402, "0.012"), "a cent, and a fifth on top");
        market.Seller.Paid.ShouldBeEmpty();
        var paid = await market.Gate.GetAsync("/plus/a", ("PAYMENT-SIGNATURE", market.Gate.Pay(unpaid)));
        (paid.Status, paid.Headers["Turnpike-Cost"].ToString()).ShouldBe((200, "0.012 USD"));
        (await market.PurchaseAsync(paid)).Captured.ShouldBe(Usd("0.01"));
    }

    [Theory]
    [InlineData("minimum: 0.03 USD, ", 10_000, "0.03")]
    [InlineData("minimum: 0.03 USD, ", 50_000, "0.06")]
    [InlineData("margin: 0.01 USD, minimum: 0.02 USD, ", 10_000, "0.022")]
    public async Task A_price_made_of_the_upstreams_own_is_never_below_its_minimum(string more, long asked, string told)
    {
        using var other = new Market(Market.Document.Replace("{ cost-plus: 20%, ", "{ cost-plus: 20%, " + more, StringComparison.Ordinal));
        other.Seller.Price = asked;
        var unpaid = await other.Gate.GetAsync("/plus/a");
        unpaid.Json.GetProperty("price").GetProperty("amount").GetString().ShouldBe(told);
        var paid = await other.Gate.GetAsync("/plus/a", ("PAYMENT-SIGNATURE", other.Gate.Pay(unpaid)));
        (paid.Status, (await other.PurchaseAsync(paid)).Captured).ShouldBe((200, new Money(asked * 1000, "USD")), "the seller is paid what it asks, and no more");
    }

    /// <summary>The attack: cheap terms, then a dearer call; or a seller that raises its price once we have sold.</summary>
    [Fact]
    public async Task A_seller_that_asks_more_than_its_terms_is_not_paid_out_of_the_margin()
    {
        var unpaid = await market.Gate.GetAsync("/plus/a");
        market.Seller.Price = 10_001;
        var proof = market.Gate.Pay(unpaid);
        (await market.Gate.GetAsync("/plus/a", ("PAYMENT-SIGNATURE", proof))).Reason.ShouldBe("upstream-too-dear");
        market.Seller.Paid.ShouldBeEmpty();
        (await market.Gate.CreditAsync()).ShouldBe(Usd("0.012"), "what was taken is the payer's again");
        (await market.Gate.GetAsync("/plus/b", ("PAYMENT-SIGNATURE", proof))).Status.ShouldBe(402, "terms are for one target");
    }

    [Fact]
    public async Task An_upstream_above_the_ceiling_is_told_as_such_and_a_silent_one_sells_nothing()
    {
        market.Seller.Price = 90_000;
        var dear = await market.Gate.GetAsync("/plus/a");
        (dear.Status, dear.Reason).ShouldBe((502, "upstream-too-dear"));
        market.Gate.Sites["seller.test"] = static _ => throw new HttpRequestException("gone");
        (await market.Gate.GetAsync("/plus/other")).Reason.ShouldBe("pricer-down");
        market.Gate.Time.Pass(TimeSpan.FromSeconds(2));
        market.Gate.Sites["seller.test"] = static _ => new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent("free today") };
        (await market.Gate.GetAsync("/plus/third")).Reason.ShouldBe("pricer-down", "who sells for nothing today may ask tomorrow");
    }

    [Theory]
    [InlineData("mpp", "0xmpp")]
    [InlineData("x402", "0xx402")]
    public async Task Each_protocol_pays(string protocol, string reference)
    {
        using var shop = new Market(null, gate => new FakeSeller { ResourceHost = "seller.test", Offers = protocol, Clock = gate.Time.GetUtcNow });
        var told = await shop.GetAsync();
        told.Status.ShouldBe(200);
        var bought = await shop.PurchaseAsync(told);
        (bought.Hold.Method, bought.Reference).ShouldBe(("buy." + protocol, reference));
    }

    [Fact]
    public async Task A_token_that_was_bought_in_bulk_is_spent_for_all_callers_and_shown_to_its_seller_alone()
    {
        using var shop = new Market(Market.Document.Replace("wallet: market", "wallet: [pool, market]", StringComparison.Ordinal), gate => new FakeSeller { ResourceHost = "seller.test", Offers = "prepaid", Clock = gate.Time.GetUtcNow });
        var told = await shop.GetAsync();
        told.Status.ShouldBe(200);
        var bought = await shop.PurchaseAsync(told);
        (bought.Hold.Payer, bought.Hold.Method, bought.Captured, bought.Reference).ShouldBe(("wallet:pool", "buy.prepaid", Usd("0.01"), "http://127.0.0.1/receipts/r1"));
        shop.Seller.Paid.Single().Credential.ShouldBe("Bearer tp_bought");
    }

    [Fact]
    public async Task A_token_its_seller_refuses_is_known_not_to_have_paid()
    {
        using var shop = new Market(Market.Document.Replace("wallet: market", "wallet: pool", StringComparison.Ordinal), gate => new FakeSeller { ResourceHost = "seller.test", Offers = "prepaid", Clock = gate.Time.GetUtcNow, OnPaid = _ => new HttpResponseMessage(HttpStatusCode.PaymentRequired) });
        (await shop.GetAsync()).Reason.ShouldBe("upstream-asks-payment");
        (await shop.LastPurchaseAsync())!.Status.ShouldBe(HoldStatus.Released);
    }

    [Fact]
    public async Task The_callers_receipt_names_the_upstreams_payment_and_the_margin_knows_its_cost()
    {
        var told = await market.GetAsync();
        var receipt = (await market.Gate.Ledger.FindByReceiptAsync(told.Headers["Turnpike-Receipt"].ToString().Split('/')[^1], default))!;
        var json = System.Text.Json.JsonDocument.Parse(Turnpike.Gateway.ReceiptsApi.Write(receipt, false, bought: await Turnpike.Gateway.ReceiptsApi.BoughtAsync(market.Gate.Ledger, receipt, default))).RootElement;
        var upstream = json.GetProperty("upstream");
        (upstream.GetProperty("reference").GetString(), upstream.GetProperty("network").GetString(), upstream.GetProperty("status").GetString()).ShouldBe(("0xx402", "eip155:84532", "paid"));
        json.GetRawText().ShouldNotContain("0.01\"", Case.Sensitive, "what the owner pays is not the caller's business");
        await market.Gate.Of<Turnpike.Audit.IAuditTrail>().FlushAsync(default);
        var row = (await market.Gate.Of<Turnpike.Metering.MarginQueries>().AskAsync(market.Gate.Time.GetUtcNow().AddHours(-1), market.Gate.Time.GetUtcNow().AddHours(1), ["operation"], default)).ShouldHaveSingleItem();
        (row.Revenue, row.Cost, row.Left).ShouldBe((Usd("0.02"), Usd("0.01"), Usd("0.01")));
        (await market.Gate.Ledger.ListAsync(new HoldFilter(), default)).ShouldHaveSingleItem().Hold.IsPurchase.ShouldBeFalse();
        (await market.Gate.Ledger.ListAsync(new HoldFilter(Purchases: true), default)).ShouldHaveSingleItem().Hold.IsPurchase.ShouldBeTrue();
    }

    [Fact]
    public async Task A_seller_that_echoes_our_token_tells_it_to_nobody()
    {
        using var shop = new Market(Market.Document.Replace("wallet: market", "wallet: pool", StringComparison.Ordinal), gate => new FakeSeller
        {
            ResourceHost = "seller.test", Offers = "prepaid", Clock = gate.Time.GetUtcNow,
            OnPaid = _ => new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent("you sent tp_bought"), Headers = { { "X-Debug", "tp_bought" } } },
        });
        var told = await shop.GetAsync();
        (told.Status, told.Body, told.Headers.ContainsKey("X-Debug")).ShouldBe((200, "you sent *********", false));
    }

    [Fact]
    public async Task What_was_paid_to_a_seller_is_no_payment_that_could_be_given_back()
    {
        var bought = await market.PurchaseAsync(await market.GetAsync());
        Turnpike.Payments.Refunds.Refusals.Of(bought).ShouldNotBeNull();
        bought.Hold.Request.ShouldBe("GET seller.test", "whatever stands in the target is not kept twice");
    }

    [Fact]
    public async Task All_callers_together_reach_the_sellers_volume_price_and_it_is_passed_on()
    {
        var document = Market.Document.Replace("wallet: market", "wallet: pool", StringComparison.Ordinal)
            .Replace("at: https://seller.test", "at: https://seller.test, volume: { per: 1mo, tiers: [{ from: 0.02 USD, percent: 50% }, { from: 0.03 USD, percent: 25% }] }", StringComparison.Ordinal);
        using var shop = new Market(document, gate => new FakeSeller { ResourceHost = "seller.test", Offers = "prepaid", Clock = gate.Time.GetUtcNow });
        var costs = new List<Money>();
        for (var call = 0; call < 5; call++) costs.Add((await shop.PurchaseAsync(await shop.GetAsync())).Captured);
        costs.ShouldBe([Usd("0.01"), Usd("0.01"), Usd("0.005"), Usd("0.005"), Usd("0.0025")]);
        (await shop.Gate.GetAsync("/plus/a")).Json.GetProperty("price").GetProperty("amount").GetString().ShouldBe("0.003", "a fourth of a cent, and a fifth on top");
        shop.Gate.Time.Pass(TimeSpan.FromDays(31));
        (await shop.PurchaseAsync(await shop.GetAsync())).Captured.ShouldBe(Usd("0.01"), "another month");
        await shop.Gate.ShouldBalanceAsync();
    }
}
