using Turnpike.EndToEnd.Billing;
using Turnpike.Tests.Billing.Stripe;

namespace Turnpike.EndToEnd.Browser;

/// <summary>A person with a card, in a real browser, by mouse and by keyboard alone: one that is declined, one that pays, and the money back.</summary>
public sealed class CardTests
{
    [Theory]
    [InlineData(Hand.Keyboard)]
    [InlineData(Hand.Mouse)]
    public async Task A_declined_card_buys_nothing_another_does_and_what_goes_back_is_seen_on_the_tokens_page(Hand hand)
    {
        await using var shop = await TokenShop.StartAsync();
        await using var browser = await Chromium.StartAsync(hand);
        await browser.GoAsync(new Uri(shop.Gateway.Url, "/buy/search-tool"));
        await browser.PressAsync("button");
        await browser.FillAsync("#card", "pm_card_chargeDeclined");
        await browser.PressAsync("button");
        (await browser.TextAsync()).ShouldContain("Your card was declined.");
        var session = shop.Stripe.Sessions.ShouldHaveSingleItem();
        (await shop.SendAsync("GET", TokenShop.Done("search-tool", session))).Status.ShouldBe(System.Net.HttpStatusCode.Accepted);
        await browser.FillAsync("#card", StripeCards.Good);
        await browser.PressAsync("button");
        (await browser.TextAsync()).ShouldContain("5.00 USD is left");
        var token = await browser.ReadAsync("document.getElementById('token').value");
        (await shop.SendAsync("GET", "/g/search-tool/forecast/rome", null, token)).Status.ShouldBe(System.Net.HttpStatusCode.OK);

        await GoesBackAsync(shop, 200);
        await browser.ReloadAsync();
        (await browser.TextAsync()).ShouldContain("2.99 USD is left");
        (await browser.TextAsync()).ShouldContain("2.00 USD of the 5.00 USD you paid went back to you.");
        await GoesBackAsync(shop, 300);
        await browser.ReloadAsync();
        (await browser.TextAsync()).ShouldContain("5.00 USD of the 5.00 USD you paid went back to you.");
        (await browser.ReadAsync("document.querySelector('[role=alert]').innerText")).ShouldBe("It has ended and cannot be spent any more.");
        var told = (await shop.SendAsync("GET", TokenShop.Done("search-tool", session))).Json;
        ((string?)told["refunded"]!["amount"], (string?)told["tokenStatus"]).ShouldBe(("5.00", "revoked"));
        (await shop.SendAsync("GET", "/g/search-tool/forecast/rome", null, token)).Reason.ShouldBe("token-revoked");
        browser.Problems.ShouldBeEmpty();
        await shop.BooksBalanceAsync();
    }

    /// <summary>The owner gives back in Stripe's dashboard, and Stripe tells of it.</summary>
    private static async Task GoesBackAsync(TokenShop shop, long cents)
    {
        shop.Stripe.Objects.RefundInDashboard(shop.Stripe.Sessions[^1].Intent!, cents);
        (await shop.Stripe.TellAsync(shop.Gateway.Url, shop.Stripe.Objects.Events.Last(e => e.Type == "charge.refunded"), TimeProvider.System.GetUtcNow())).ShouldBe(System.Net.HttpStatusCode.OK);
    }
}
