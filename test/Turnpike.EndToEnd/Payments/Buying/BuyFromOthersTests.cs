using System.Net;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Payments.Buying;

/// <summary>A gateway whose upstream itself asks for payment: another gateway, and the reference servers of x402 and MPP, on a real chain.</summary>
public sealed class BuyFromOthersTests(Chain chain)
{
    [Theory]
    [InlineData("x402")]
    [InlineData("mpp")]
    public async Task A_turnpike_buys_from_a_turnpike_and_the_receipts_are_one_chain(string protocol)
    {
        await using var seller = await PaidApi.StartAsync(chain);
        chain.Require();
        await using var reseller = await Reseller.StartAsync(chain, seller.Parties, seller.Gateway.Url, protocol);
        var unpaid = await reseller.CallAsync("/forecast/rome");
        (unpaid.Status, unpaid.Json["price"]!["amount"]!.GetValue<string>()).ShouldBe((HttpStatusCode.PaymentRequired, "0.015"), "the seller's cent and half of it on top");
        (await seller.EarnedAsync()).ShouldBe(0, "asking costs nothing");

        var answer = await reseller.CallAsync("/forecast/rome", await reseller.TokenAsync("0.10 USD"));
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Body);
        answer.Body.ShouldContain("\"city\":\"rome\"");
        (answer.Header("Turnpike-Cost"), answer.Header("PAYMENT-RESPONSE"), answer.Header("Payment-Receipt")).ShouldBe(("0.015 USD", null, null));
        (await seller.EarnedAsync()).ShouldBe(10_000);

        var (_, sold) = await seller.DeliveredAsync();
        var transaction = (await seller.AdminAsync("GET", "/admin/v1/payments/" + sold)).Json["payment"]!["reference"]!.GetValue<string>();
        var receipt = new Uri(answer.Header("Turnpike-Receipt")!).AbsolutePath;
        var told = (await reseller.CallAsync(receipt)).Json["upstream"]!;
        (told["reference"]!.GetValue<string>(), told["network"]!.GetValue<string>(), told["status"]!.GetValue<string>()).ShouldBe((transaction, "eip155:84532", "paid"));
        var story = (await reseller.AdminAsync("/admin/v1/payments/" + receipt.Split('/')[^1])).Json;
        (story["payment"]!["captured"]!["amount"]!.GetValue<string>(), story["upstream"]!["captured"]!["amount"]!.GetValue<string>(), story["upstream"]!["reference"]!.GetValue<string>()).ShouldBe(("0.015", "0.01", transaction));
        story["events"]!.AsArray().Select(e => e!["kind"]!.GetValue<string>()).ShouldContain("upstream.paid");
        await reseller.BooksBalanceAsync();
        await seller.BooksBalanceAsync();
    }

    [Fact]
    public async Task A_token_bought_in_bulk_pays_for_all_callers()
    {
        await using var seller = await PaidApi.StartAsync(chain);
        await using var reseller = await Reseller.StartAsync(chain, seller.Parties, seller.Gateway.Url, "prepaid", await seller.TokenAsync("0.025 USD"));
        foreach (var city in (string[])["rome", "oslo"])
            (await reseller.CallAsync("/forecast/" + city, await reseller.TokenAsync("0.10 USD"))).Status.ShouldBe(HttpStatusCode.OK);
        var empty = await reseller.CallAsync("/forecast/rome", await reseller.TokenAsync("0.10 USD"));
        (empty.Status, empty.Reason).ShouldBe((HttpStatusCode.BadGateway, "upstream-asks-payment"), "half a cent is left");
        var purchases = (await reseller.AdminAsync("/admin/v1/purchases")).Json["payments"]!.AsArray();
        purchases.Select(p => p!["status"]!.GetValue<string>()).ShouldBe(["released", "settled", "settled"]);
        purchases[1]!["reference"]!.GetValue<string>().ShouldStartWith(seller.Gateway.Url.GetLeftPart(UriPartial.Authority) + "/receipts/r_", Case.Sensitive, "the seller's own receipt");
        await reseller.BooksBalanceAsync();
    }

    [Theory]
    [InlineData("x402/sell.mjs", "2", "x402")]
    [InlineData("x402/sell.mjs", "1", "x402")]
    [InlineData("mpp/sell.mjs", "", "mpp")]
    public async Task The_reference_servers_are_paid(string script, string version, string protocol)
    {
        chain.Require();
        var parties = await Parties.FreshAsync(chain);
        await using var seller = await SellerScript.StartAsync(script, ("VERSION", version), ("KEY", parties.Settler.Key), ("PAY_TO", parties.Merchant.Address), ("RPC", chain.RpcOrNobody.GetLeftPart(UriPartial.Authority)));
        await using var reseller = await Reseller.StartAsync(chain, parties, seller.Url, protocol);
        var answer = await reseller.CallAsync("/forecast/rome", await reseller.TokenAsync("0.10 USD"));
        answer.Status.ShouldBe(HttpStatusCode.OK, $"{answer.Body} {seller.Complaints} {reseller.Gateway.Log}");
        ((long)(await chain.BalanceAsync(parties.Merchant)).Low).ShouldBe(10_000);
        var told = (await reseller.CallAsync(new Uri(answer.Header("Turnpike-Receipt")!).AbsolutePath)).Json["upstream"]!;
        (told["protocol"]!.GetValue<string>(), told["status"]!.GetValue<string>()).ShouldBe((protocol, "paid"));
        told["reference"]!.GetValue<string>().ShouldStartWith("0x");
        await reseller.BooksBalanceAsync();
    }

    [Fact]
    public async Task A_seller_that_names_another_account_is_not_paid_and_the_caller_has_its_money_back()
    {
        await using var seller = await PaidApi.StartAsync(chain);
        chain.Require();
        await using var reseller = await Reseller.StartAsync(chain, seller.Parties, seller.Gateway.Url, "x402", payee: seller.Parties.Settler.Address);
        var token = await reseller.TokenAsync("1.20 USD");
        (await reseller.CallAsync("/reports", token, "{}")).Reason.ShouldBe("upstream-asks-payment");
        (await reseller.CallAsync("/balance", token)).Json["available"]!["amount"]!.GetValue<string>().ShouldBe("1.20");
        (await seller.EarnedAsync()).ShouldBe(0);
        await reseller.BooksBalanceAsync();
    }

    /// <summary>kill -9 while the seller works: it has our money, and the caller has lost its answer.</summary>
    [Fact]
    public async Task After_kill_9_the_chain_says_what_became_of_it_and_nothing_is_paid_twice()
    {
        await using var seller = await PaidApi.StartAsync(chain, text => text.Replace("price: 1.00 USD", "price: 0.40 USD\n        settle: before", StringComparison.Ordinal));
        chain.Require();
        await using var reseller = await Reseller.StartAsync(chain, seller.Parties, seller.Gateway.Url, "x402");
        var token = await reseller.TokenAsync("1.20 USD");
        seller.Upstream.Mood = UpstreamMood.Hanging;
        var lost = reseller.CallAsync("/reports", token, "{}");
        await seller.Upstream.ArrivalAsync();
        (await seller.EarnedAsync()).ShouldBe(400_000, "it collects before it works");
        await reseller.Gateway.KillAsync();
        await Should.ThrowAsync<HttpRequestException>(() => lost);
        await reseller.Gateway.StartAgainAsync();
        var bought = await reseller.BoughtAsync();
        (bought["status"]!.GetValue<string>(), bought["outcome"]!.GetValue<string>()).ShouldBe(("settled", "credited"));
        bought["reference"]!.GetValue<string>().ShouldStartWith("0x");
        (await reseller.CallAsync("/balance", token)).Json["available"]!["amount"]!.GetValue<string>().ShouldBe("1.20", "the caller has its money back");
        (await seller.EarnedAsync()).ShouldBe(400_000);
        await reseller.BooksBalanceAsync();
    }
}
