using System.Net;
using System.Text.Json.Nodes;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Billing;

/// <summary>Bundles paid in the call, by real clients on a real chain: no card, no page.</summary>
public sealed class PayForTokensTests(Chain chain) : IAsyncLifetime
{
    private const string Json = """{"content-type":"application/json"}""";
    private PaidApi? api;

    private PaidApi Api => api!;

    public async ValueTask InitializeAsync() => api = await PaidApi.StartAsync(chain, text => text.Replace("    secret: ${env:TURNPIKE_TOKEN_SECRET}", """
            secret: ${env:TURNPIKE_TOKEN_SECRET}
            bundles: [{ price: 0.05 USD, budget: 0.06 USD, valid: 30d }, { price: 0.90 USD, budget: 0.90 USD }]
        """, StringComparison.Ordinal));

    /// <summary>After every story the books balance and the trail verifies.</summary>
    public async ValueTask DisposeAsync()
    {
        if (api is null) return;
        try { await api.BooksBalanceAsync(); }
        finally { await api.DisposeAsync(); }
    }

    [Fact]
    public async Task An_agent_buys_a_token_by_x402_spends_it_and_tops_it_up()
    {
        chain.Require();
        var where = (await Api.CallAsync("/forecast/rome")).Json["offers"]!.AsArray().Single(o => o!["protocol"]!.GetValue<string>() == "prepaid")!["url"]!.GetValue<string>();
        var pay = (await Api.CallAsync(new Uri(where).PathAndQuery)).Json["bundles"]![0]!["pay"]!.GetValue<string>();
        var bought = await Api.PayAsync("x402/pay-v2.mjs", new Uri(pay).PathAndQuery, ("METHOD", "POST"));
        bought.Status.ShouldBe(200, bought.Body + bought.Error);
        var token = bought.Json["token"]!.GetValue<string>();
        (await LeftAsync(token)).ShouldBe("0.06");
        (await Api.EarnedAsync()).ShouldBe(50_000);
        bought.Decoded("PAYMENT-RESPONSE")["success"]!.GetValue<bool>().ShouldBeTrue();
        (await Api.CallAsync("/forecast/rome", headers: ("Authorization", "Bearer " + token))).Status.ShouldBe(HttpStatusCode.OK);
        (await Api.CallAsync("/reports", "POST", "{}", ("Authorization", "Bearer " + token))).Status.ShouldBe(HttpStatusCode.Forbidden, "it was sold for the forecast");

        var added = await Api.PayAsync("x402/pay-v2.mjs", "/buy/forecast/2", ("METHOD", "POST"), ("HEADERS", Json), ("BODY", $$"""{"token":"{{token}}"}"""));
        added.Status.ShouldBe(200, added.Body + added.Error);
        added.Json["token"].ShouldBeNull("whoever tops a token up has it");
        (await LeftAsync(token)).ShouldBe("0.95");
    }

    [Theory]
    [InlineData("mpp/pay-mpp-evm.mjs", 1)]
    [InlineData("mpp/pay-mpp-stripe.mjs", 2)]
    public async Task Mppx_buys_one_on_the_chain_and_by_card(string client, int bundle)
    {
        chain.Require();
        var bought = await Api.PayAsync(client, $"/buy/forecast/{bundle}", ("METHOD", "POST"));
        bought.Status.ShouldBe(200, bought.Body + bought.Error);
        (await LeftAsync(bought.Json["token"]!.GetValue<string>())).ShouldBe(bundle == 1 ? "0.06" : "0.90");
        bought.Decoded("Payment-Receipt")["status"]!.GetValue<string>().ShouldBe("success");
    }

    [Fact]
    public async Task The_same_proof_shows_the_same_token_again_and_buys_no_other_also_after_a_kill()
    {
        chain.Require();
        var captured = await Api.PayAsync("x402/pay-v2.mjs", "/buy/forecast/1", ("METHOD", "POST"), ("CAPTURE", "1"));
        var proof = captured.Sent!.Value.Value;
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Api.PresentAsync("/buy/forecast/1", proof, "POST")));
        answers.Select(a => a.Status).Distinct().ShouldAllBe(s => s == HttpStatusCode.OK || s == HttpStatusCode.Conflict);
        var tokens = answers.Where(a => a.Status == HttpStatusCode.OK).Select(a => a.Json["token"]!.GetValue<string>()).ToHashSet();
        tokens.ShouldHaveSingleItem();
        await Api.Gateway.KillAsync();
        await Api.Gateway.StartAgainAsync();
        (await Api.PresentAsync("/buy/forecast/1", proof, "POST")).Json["token"]!.GetValue<string>().ShouldBe(tokens.Single());
        (await LeftAsync(tokens.Single())).ShouldBe("0.06");
        (await Api.EarnedAsync()).ShouldBe(50_000);
        (await Api.PresentAsync("/forecast/rome", proof)).Status.ShouldBe(HttpStatusCode.PaymentRequired, "it bought a token, and nothing else");
    }

    [Fact]
    public async Task Who_paid_for_a_top_up_is_told_so_again_also_when_the_token_was_revoked_and_nobody_is_charged_for_one_then()
    {
        chain.Require();
        var bought = await Api.PayAsync("x402/pay-v2.mjs", "/buy/forecast/1", ("METHOD", "POST"));
        var token = bought.Json["token"].ShouldNotBeNull(bought.Body + bought.Error).GetValue<string>();
        var body = $$"""{"token":"{{token}}"}""";
        var captured = await Api.PayAsync("x402/pay-v2.mjs", "/buy/forecast/2", ("METHOD", "POST"), ("HEADERS", Json), ("BODY", body), ("CAPTURE", "1"));
        var proof = captured.Sent!.Value.Value;
        var later = (await Api.PayAsync("x402/pay-v2.mjs", "/buy/forecast/2", ("METHOD", "POST"), ("HEADERS", Json), ("BODY", body), ("CAPTURE", "1"))).Sent!.Value.Value;
        (await Api.PresentAsync("/buy/forecast/2", proof, "POST", body)).Status.ShouldBe(HttpStatusCode.OK);
        var earned = await Api.EarnedAsync();
        var id = (await Api.AdminAsync("GET", "/admin/v1/tokens")).Json["tokens"]!.AsArray().ShouldHaveSingleItem()!["id"]!.GetValue<string>();
        (await Api.AdminAsync("POST", $"/admin/v1/tokens/{id}/revoke", """{"reason":"test"}""")).Status.ShouldBe(HttpStatusCode.OK);

        (await Api.PresentAsync("/buy/forecast/2", proof, "POST", body)).Status.ShouldBe(HttpStatusCode.OK);
        (await Api.PresentAsync("/buy/forecast/2", later, "POST", body)).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await Api.CallAsync("/buy/forecast/2", "POST", body)).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await Api.EarnedAsync()).ShouldBe(earned);
    }

    [Fact]
    public async Task What_anybody_can_read_on_the_chain_shows_nobody_the_token()
    {
        chain.Require();
        var captured = await Api.PayAsync("x402/pay-v2.mjs", "/buy/forecast/1", ("METHOD", "POST"), ("CAPTURE", "1"));
        var proof = captured.Sent!.Value.Value;
        var bare = JsonNode.Parse(Convert.FromBase64String(proof))!.AsObject();
        bare.Remove("extensions");
        var read = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(bare.ToJsonString()));
        (await Api.PresentAsync("/buy/forecast/1", read, "POST")).Status.ShouldBe(HttpStatusCode.PaymentRequired);
        (await Api.PresentAsync("/buy/forecast/1", proof, "POST")).Status.ShouldBe(HttpStatusCode.OK);
        var again = await Api.PresentAsync("/buy/forecast/1", read, "POST");
        again.Status.ShouldBe(HttpStatusCode.PaymentRequired);
        again.Body.ShouldNotContain("tp_");
        (await Api.PayAsync("x402/pay-v1.mjs", "/buy/forecast/1", ("METHOD", "POST"))).Status.ShouldBe(402);
        (await Api.EarnedAsync()).ShouldBe(50_000);
    }

    [Fact]
    public async Task What_is_not_sold_or_cannot_be_added_to_is_refused_before_any_money()
    {
        foreach (var path in (string[])["/buy/forecast/3", "/buy/forecast/0", "/buy/none/1", "/buy/status/1"]) (await Api.CallAsync(path, "POST")).Status.ShouldBe(HttpStatusCode.NotFound, path);
        var wrong = await Api.CallAsync("/buy/forecast/1", "POST", """{"token":"tp_nonsense"}""");
        wrong.Status.ShouldBe(HttpStatusCode.BadRequest);
        (await Api.CallAsync("/buy/forecast/1", "POST")).Json["offers"]!.AsArray().Select(o => o!["method"]!.GetValue<string>()).ShouldBe(["x402.exact", "mpp.evm"], ignoreOrder: true, "five cents are below Stripe's minimum, and tokens do not buy tokens");
        (await Api.CallAsync("/buy/forecast", "POST", """{"bundle":1}""")).Status.ShouldBe(HttpStatusCode.TemporaryRedirect, "no card is taken here");
    }

    [Fact]
    public async Task A_refund_takes_what_was_bought_in_the_same_act_and_never_what_is_spent()
    {
        chain.Require();
        var bought = await Api.PayAsync("x402/pay-v2.mjs", "/buy/forecast/1", ("METHOD", "POST"));
        var token = bought.Json["token"].ShouldNotBeNull(bought.Body + bought.Error).GetValue<string>();
        var (first, _) = await Api.DeliveredAsync();
        (await Api.PayAsync("x402/pay-v2.mjs", "/buy/forecast/2", ("METHOD", "POST"), ("HEADERS", Json), ("BODY", $$"""{"token":"{{token}}"}"""))).Status.ShouldBe(200);
        var (added, _) = await Api.DeliveredAsync();
        (await LeftAsync(token)).ShouldBe("0.96");
        (await RefundAsync(added, "1", null)).Status.ShouldBe(HttpStatusCode.OK);
        (await LeftAsync(token)).ShouldBe("0.06", "the top-up alone went back");

        foreach (var _ in (int[])[1, 2]) (await Api.CallAsync("/forecast/rome", headers: ("Authorization", "Bearer " + token))).Status.ShouldBe(HttpStatusCode.OK);
        var spent = await RefundAsync(first, "2", null);
        (spent.Status, spent.Reason).ShouldBe((HttpStatusCode.Conflict, "token-spent"));
        (await LeftAsync(token)).ShouldBe("0.04");
        (await RefundAsync(first, "3", "0.04 USD")).Status.ShouldBe(HttpStatusCode.OK);
        (await LeftAsync(token)).ShouldBe("0.00");
        (await RefundAsync(first, "3", "0.04 USD")).Status.ShouldBe(HttpStatusCode.OK, "the same order is the same refund");

        var whole = (await Api.PayAsync("x402/pay-v2.mjs", "/buy/forecast/1", ("METHOD", "POST"))).Json["token"]!.GetValue<string>();
        (await RefundAsync((await Api.DeliveredAsync()).Receipt, "4", null)).Status.ShouldBe(HttpStatusCode.OK);
        (await Api.CallAsync("/forecast/rome", headers: ("Authorization", "Bearer " + whole))).Reason.ShouldBe("token-revoked", "its gift is no longer a gift");
    }

    private Task<Answered> RefundAsync(string receipt, string key, string? amount) =>
        Api.AdminAsync("POST", $"/admin/v1/payments/{receipt}/refund", $$"""{"reason":"as agreed","as":"credit"{{(amount is null ? "" : $",\"amount\":\"{amount}\"")}}}""", ("Idempotency-Key", $"\"{key}\""));

    private async Task<string> LeftAsync(string token) => (await Api.CallAsync("/balance", headers: ("Authorization", "Bearer " + token))).Json["available"]!["amount"]!.GetValue<string>();
}
