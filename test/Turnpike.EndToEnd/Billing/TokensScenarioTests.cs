using System.Net;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Billing;

/// <summary>The pay-token article end to end: any endpoint wrapped, budget-capped tokens sold by Stripe Checkout, recoverable, scoped.</summary>
public sealed class TokensScenarioTests : IAsyncLifetime
{
    private const string Html = "text/html,application/xhtml+xml;q=0.9";
    private TokenShop shop = null!;

    public async ValueTask InitializeAsync() => shop = await TokenShop.StartAsync();

    /// <summary>After every story the books balance and the trail verifies.</summary>
    public async ValueTask DisposeAsync()
    {
        try { await shop.BooksBalanceAsync(); }
        finally { await shop.DisposeAsync(); }
    }

    [Fact]
    public async Task The_story_402_top_up_calls_402()
    {
        var refused = await shop.SendAsync("GET", "/g/search-tool/forecast/rome");
        refused.Status.ShouldBe(HttpStatusCode.PaymentRequired);
        var offer = refused.Json["offers"]!.AsArray().Single()!;
        offer["protocol"]!.GetValue<string>().ShouldBe("prepaid");
        var where = new Uri(offer["url"]!.GetValue<string>());
        where.AbsolutePath.ShouldBe("/buy/search-tool");

        var wares = await shop.SendAsync("GET", where.AbsolutePath);
        wares.Json["bundles"]!.AsArray().Select(b => b!["price"]!["amount"]!.GetValue<string>()).ShouldBe(["5.00", "20.00"]);
        var (order, session) = await shop.OrderAsync("search-tool", 1);
        order.Status.ShouldBe(HttpStatusCode.Created);
        (session.Account, session.Amount, session.Fee).ShouldBe(("acct_provider1", 500L, 25L), "a direct charge on the provider's account, five percent once");
        order.Json["checkout"]!.GetValue<string>().ShouldEndWith("/pay/" + session.Id);
        (await shop.SendAsync("GET", TokenShop.Done("search-tool", session))).Status.ShouldBe(HttpStatusCode.Accepted, "not paid yet");

        shop.Stripe.Pay(session.Id);
        var sold = await shop.SendAsync("GET", TokenShop.Done("search-tool", session));
        sold.Status.ShouldBe(HttpStatusCode.OK);
        sold.Header("Cache-Control")!.ShouldContain("no-store");
        sold.Header("Referrer-Policy").ShouldBe("no-referrer");
        var token = sold.Json["token"]!.GetValue<string>();
        (sold.Json["available"]!["amount"]!.GetValue<string>(), sold.Json["calls"]!.GetValue<int>()).ShouldBe(("5.00", 500));

        foreach (var (method, path, body) in new[] { ("GET", "/g/search-tool/forecast/rome?days=2", (string?)null), ("POST", "/g/search-tool/reports", "{}") })
            (await shop.SendAsync(method, path, body, token)).Status.ShouldBe(HttpStatusCode.OK, path);
        shop.First.Calls.First().Target.ShouldBe("/forecast/rome?days=2");
        shop.First.LastCall.Headers["authorization"].ShouldBe("Bearer upstream-secret", "the buyer's token stays here, the upstream gets its own key");
        (await shop.LeftAsync(token)).ShouldBe("4.98");
        (await shop.SendAsync("GET", "/g/other-tool/forecast/rome", null, token)).Status.ShouldBe(HttpStatusCode.Forbidden);

        await SpendAsync(token, 498);
        (await shop.SendAsync("GET", "/g/search-tool/forecast/rome", null, token)).Status.ShouldBe(HttpStatusCode.PaymentRequired);
        (await shop.LeftAsync(token)).ShouldBe("0.00");
        shop.First.Executions.ShouldBe(500);

        // Where the last 402 says, the same token is topped up, calls again, and is used up again.
        (await shop.SendAsync("POST", where.AbsolutePath, """{"bundle":1}""", token)).Status.ShouldBe(HttpStatusCode.Created);
        shop.Stripe.Pay(shop.Stripe.Sessions[^1].Id);
        (await shop.Stripe.TellAsync(shop.Gateway.Url, "checkout.session.completed", shop.Stripe.Sessions[^1])).ShouldBe(HttpStatusCode.OK);
        (await shop.LeftAsync(token)).ShouldBe("5.00");
        await SpendAsync(token, 500);
        var end = await shop.SendAsync("GET", "/g/search-tool/forecast/rome", null, token);
        (end.Status, end.Json["offers"]!.AsArray().Single()!["url"]!.GetValue<string>()).ShouldBe((HttpStatusCode.PaymentRequired, where.AbsoluteUri));
        shop.First.Executions.ShouldBe(1000);
    }

    [Fact]
    public async Task The_same_token_is_shown_again_however_the_payment_was_learnt_of_and_issued_once()
    {
        var (_, session) = await shop.OrderAsync("search-tool", 2);
        shop.Stripe.Pay(session.Id);
        var told = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => i % 2 == 0
            ? shop.Stripe.TellAsync(shop.Gateway.Url, "checkout.session.completed", session, id: "evt_same")
            : shop.SendAsync("GET", TokenShop.Done("search-tool", session)).ContinueWith(t => t.Result.Status, TaskScheduler.Default)));
        told.ShouldAllBe(status => status == HttpStatusCode.OK);
        var tokens = new HashSet<string>();
        for (var i = 0; i < 3; i++) tokens.Add((await shop.SendAsync("GET", TokenShop.Done("search-tool", session))).Json["token"]!.GetValue<string>());
        (await shop.LeftAsync(tokens.ShouldHaveSingleItem())).ShouldBe("22.00");
    }

    [Fact]
    public async Task It_is_not_shown_for_ever_nor_to_whoever_does_not_have_the_session()
    {
        var (_, session) = await shop.BuyAsync("search-tool", 1);
        (await shop.SendAsync("GET", "/buy/search-tool/done?session_id=cs_test_guess")).Status.ShouldBe(HttpStatusCode.NotFound);
        (await shop.SendAsync("GET", TokenShop.Done("other-tool", session))).Status.ShouldBe(HttpStatusCode.NotFound);
        for (var i = 1; i < 20; i++) (await shop.SendAsync("GET", TokenShop.Done("search-tool", session))).Status.ShouldBe(HttpStatusCode.OK);
        (await shop.SendAsync("GET", TokenShop.Done("search-tool", session))).Status.ShouldBe(HttpStatusCode.Gone);
    }

    [Fact]
    public async Task A_stolen_token_is_replaced_with_what_is_left_of_it()
    {
        var (token, session) = await shop.BuyAsync("search-tool", 1);
        (await shop.SendAsync("GET", "/g/search-tool/forecast/rome", null, token)).Status.ShouldBe(HttpStatusCode.OK);
        var rotated = await shop.SendAsync("POST", "/buy/search-tool/rotate", $$"""{"session_id":"{{session.Id}}"}""");
        var next = rotated.Json["token"]!.GetValue<string>();
        next.ShouldNotBe(token);
        (await shop.SendAsync("GET", "/g/search-tool/forecast/rome", null, token)).Reason.ShouldBe("token-revoked");
        (await shop.SendAsync("GET", "/g/search-tool/forecast/rome", null, next)).Status.ShouldBe(HttpStatusCode.OK);
        (await shop.LeftAsync(next)).ShouldBe("4.98");
        (await shop.SendAsync("GET", TokenShop.Done("search-tool", session))).Json["token"]!.GetValue<string>().ShouldBe(next);
    }

    [Fact]
    public async Task A_token_is_topped_up_once_and_not_shown_to_whoever_paid()
    {
        var (token, _) = await shop.BuyAsync("search-tool", 1);
        var (order, session) = await shop.OrderAsync("search-tool", 1, token);
        order.Status.ShouldBe(HttpStatusCode.Created);
        shop.Stripe.Pay(session.Id);
        (await shop.Stripe.TellAsync(shop.Gateway.Url, "checkout.session.completed", session)).ShouldBe(HttpStatusCode.OK);
        var done = await shop.SendAsync("GET", TokenShop.Done("search-tool", session));
        (done.Status, done.Json["token"], done.Json["available"]!["amount"]!.GetValue<string>()).ShouldBe((HttpStatusCode.OK, null, "10.00"));
        (await shop.SendAsync("POST", "/buy/search-tool", """{"bundle":1}""", token[..^1] + (token[^1] == '0' ? "1" : "0"))).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await shop.SendAsync("POST", "/buy/other-tool", """{"bundle":1}""", token)).Status.ShouldBe(HttpStatusCode.BadRequest, "it opens another tool");
    }

    [Fact]
    public async Task A_webhook_nobody_signed_an_old_one_and_one_about_another_account_change_nothing()
    {
        var (_, session) = await shop.OrderAsync("search-tool", 1);
        shop.Stripe.Pay(session.Id);
        (await shop.Stripe.TellAsync(shop.Gateway.Url, "checkout.session.completed", session, secret: "whsec_of_somebody")).ShouldBe(HttpStatusCode.BadRequest);
        (await shop.Stripe.TellAsync(shop.Gateway.Url, "checkout.session.completed", session, at: TimeProvider.System.GetUtcNow() - TimeSpan.FromMinutes(6))).ShouldBe(HttpStatusCode.BadRequest);
        (await shop.Stripe.TellAsync(shop.Gateway.Url, "checkout.session.completed", session with { Account = "acct_another" })).ShouldBe(HttpStatusCode.OK);
        shop.Stripe.Down = true;
        (await shop.SendAsync("GET", TokenShop.Done("search-tool", session))).Status.ShouldBe(HttpStatusCode.Accepted, "nothing was believed so far, and Stripe cannot be asked");
        (await shop.Stripe.TellAsync(shop.Gateway.Url, "checkout.session.completed", session, id: "evt_again")).ShouldBe(HttpStatusCode.ServiceUnavailable, "to be told again");
        shop.Stripe.Down = false;
        (await shop.Stripe.TellAsync(shop.Gateway.Url, "checkout.session.completed", session, id: "evt_again")).ShouldBe(HttpStatusCode.OK);
        (await shop.SendAsync("GET", TokenShop.Done("search-tool", session))).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_refund_takes_back_what_is_left_and_never_more_and_the_gift_with_it()
    {
        var (token, session) = await shop.BuyAsync("search-tool", 2);
        (await shop.SendAsync("GET", "/g/search-tool/forecast/rome", null, token)).Status.ShouldBe(HttpStatusCode.OK);
        foreach (var again in (string[])["evt_part", "evt_part", "evt_part_copy"])
            (await shop.Stripe.TellAsync(shop.Gateway.Url, "charge.refunded", session, again, amount: 500)).ShouldBe(HttpStatusCode.OK);
        (await shop.LeftAsync(token)).ShouldBe("16.99", "five of twenty-two went back once");
        (await shop.Stripe.TellAsync(shop.Gateway.Url, "charge.refunded", session, amount: 2000)).ShouldBe(HttpStatusCode.OK);
        (await shop.SendAsync("GET", "/g/search-tool/forecast/rome", null, token)).Reason.ShouldBe("token-revoked");
        (await shop.LeftAsync(token)).ShouldBe("0.00");
    }

    [Fact]
    public async Task A_dispute_freezes_the_token_also_when_it_is_told_of_before_the_payment_and_winning_it_frees_it()
    {
        var (_, session) = await shop.OrderAsync("search-tool", 1);
        shop.Stripe.Pay(session.Id);
        (await shop.Stripe.TellAsync(shop.Gateway.Url, "charge.dispute.created", session, amount: 500)).ShouldBe(HttpStatusCode.OK);
        (await shop.Stripe.TellAsync(shop.Gateway.Url, "checkout.session.completed", session)).ShouldBe(HttpStatusCode.OK);
        var token = (await shop.SendAsync("GET", TokenShop.Done("search-tool", session))).Json["token"]!.GetValue<string>();
        (await shop.SendAsync("GET", "/g/search-tool/forecast/rome", null, token)).Reason.ShouldBe("token-frozen");
        (await shop.Stripe.TellAsync(shop.Gateway.Url, "charge.dispute.closed", session, amount: 500, status: "won")).ShouldBe(HttpStatusCode.OK);
        (await shop.SendAsync("GET", "/g/search-tool/forecast/rome", null, token)).Status.ShouldBe(HttpStatusCode.OK);
        (await shop.Stripe.TellAsync(shop.Gateway.Url, "charge.dispute.closed", session, amount: 500, status: "lost")).ShouldBe(HttpStatusCode.OK);
        (await shop.LeftAsync(token)).ShouldBe("0.00");
    }

    [Fact]
    public async Task A_person_orders_by_a_form_is_sent_to_the_checkout_and_comes_back_to_a_page_with_the_token()
    {
        var form = await shop.SendAsync("GET", "/buy/search-tool", null, null, ("Accept", Html));
        foreach (var part in (string[])["<form method=\"post\" action=\"/buy/search-tool\">", "<legend>", "<label for=\"bundle-1\">", "5.00 USD", "lang=\"en\""]) form.Body.ShouldContain(part);
        form.Body.ShouldNotContain("<script");
        var order = await shop.SendAsync("POST", "/buy/search-tool", """{"bundle":"20.00 USD"}""", null, ("Accept", Html));
        order.Status.ShouldBe(HttpStatusCode.Found);
        var session = shop.Stripe.Sessions[^1];
        order.Header("Location")!.ShouldEndWith("/pay/" + session.Id);
        (await shop.SendAsync("GET", TokenShop.Done("search-tool", session), null, null, ("Accept", Html))).Body.ShouldContain("Waiting for the payment");
        shop.Stripe.Pay(session.Id);
        (await shop.SendAsync("GET", TokenShop.Done("search-tool", session), null, null, ("Accept", Html))).Body.ShouldContain("value=\"tp_");
        (await shop.SendAsync("POST", "/buy/search-tool", """{"bundle":3}""", null, ("Accept", Html))).Status.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task A_wrapped_endpoint_takes_every_method_but_those_that_are_not_the_callers_to_send()
    {
        var (token, _) = await shop.BuyAsync("search-tool", 1);
        (await shop.SendAsync("DELETE", "/g/search-tool/status", null, token)).Status.ShouldBe(HttpStatusCode.MethodNotAllowed, "the upstream's own answer");
        (await shop.SendAsync("OPTIONS", "/g/search-tool/status", null, token)).Reason.ShouldBe("method-not-allowed");
        (await shop.SendAsync("GET", "/g/unknown-tool/status", null, token)).Status.ShouldBe(HttpStatusCode.NotFound);
        (await shop.SendAsync("GET", "/g/search-tool/a%2F..%2Fstatus", null, token)).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await shop.LeftAsync(token)).ShouldBe("5.00");
    }

    /// <summary>So many paid calls, up to fifty at once.</summary>
    private async Task SpendAsync(string token, int calls)
    {
        foreach (var some in Enumerable.Range(0, calls).Chunk(50))
            (await Task.WhenAll(some.Select(_ => shop.SendAsync("GET", "/g/search-tool/forecast/rome", null, token)))).ShouldAllBe(answer => answer.Status == HttpStatusCode.OK);
    }
}
