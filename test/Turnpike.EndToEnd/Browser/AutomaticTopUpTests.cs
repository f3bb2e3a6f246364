using System.Net.Http.Headers;
using Turnpike.EndToEnd.Billing;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Browser;

/// <summary>A person agrees to automatic top-ups in a real browser, by mouse and by keyboard alone: with test money over a gateway that is killed meanwhile, and with a card that is refused.</summary>
public sealed class AutomaticTopUpTests
{
    [Theory]
    [InlineData(Hand.Keyboard, true)]
    [InlineData(Hand.Keyboard, false)]
    [InlineData(Hand.Mouse, true)]
    public async Task Agreed_to_at_the_till_seen_on_the_tokens_page_charged_once_over_a_kill_and_switched_off(Hand hand, bool scripts)
    {
        await using var upstream = await Upstream.StartAsync();
        await using var gateway = await TurnpikeProcess.StartAsync("tokens.yaml",
            text => text[..text.IndexOf("    checkout:\n", StringComparison.Ordinal)] + "    automatic-top-up: { monthly: 50.00 USD }\n\n" + text[text.IndexOf("services:\n", StringComparison.Ordinal)..],
            ("UPSTREAM", upstream.Url.GetLeftPart(UriPartial.Authority)), ("UPSTREAM_2", upstream.Url.GetLeftPart(UriPartial.Authority)), ("gateway.sandbox", "true"));
        await using var browser = await Chromium.StartAsync(hand, scripts);
        await browser.GoAsync(new Uri(gateway.Url, "/buy/search-tool"));
        (await browser.ReadAsync("[...document.querySelectorAll('input:not([type=hidden])')].filter(i => i.labels.length === 0).length")).ShouldBe("0", "every field has a label");
        (await browser.ReadAsync("document.getElementById('automatic').checked")).ShouldBe("false", "nobody ticks it for them");
        await AgreeAsync(browser, "10");
        (await browser.TextAsync()).ShouldContain("You agree: 5.00 USD is charged again, without asking, whenever less than 4.99 USD is left");
        await browser.PressAsync("button[value=yes]");
        (await browser.TextAsync()).ShouldContain("Automatic top-up: active");
        var token = await browser.ReadAsync("document.getElementById('token').value");
        for (var call = 0; call < 4; call++) await CallAsync(gateway, token); // a kill gives back what nobody has written down as delivered yet
        await gateway.KillAsync();
        await gateway.StartAgainAsync();
        await browser.PressAsync("a[href*='/automatic?id=ma_']");
        var page = await UntilAsync(browser, "5.00 USD of 10.00 USD charged this month");
        (page.Contains("5.00 USD of 10.00 USD charged this month", StringComparison.Ordinal), page.Contains("tp_", StringComparison.Ordinal), page.Contains("TEST MONEY", StringComparison.Ordinal)).ShouldBe((true, false, true), page);
        await browser.PressAsync("button[value=end]");
        (await browser.TextAsync()).ShouldContain("ended by its buyer");
        browser.Problems.ShouldBeEmpty();
        await gateway.BooksBalanceAsync();
    }

    [Theory]
    [InlineData(Hand.Keyboard, "authentication_required", "Your bank wants you to confirm the payment", "pay")]
    [InlineData(Hand.Mouse, "insufficient_funds", "The card was refused (insufficient_funds).", "resume")]
    public async Task A_card_that_is_refused_pauses_it_tells_why_and_goes_on_when_its_owner_has_seen_to_it(Hand hand, string refusal, string told, string action)
    {
        await using var shop = await TokenShop.StartAsync(text => text.Replace("    checkout:\n", "    automatic-top-up: { monthly: 50.00 USD }\n    checkout:\n", StringComparison.Ordinal));
        await using var browser = await Chromium.StartAsync(hand);
        await browser.GoAsync(new Uri(shop.Gateway.Url, "/buy/search-tool"));
        await AgreeAsync(browser, "20");
        (await browser.TextAsync()).ShouldContain("5.00 USD is charged again, without asking, whenever less than 4.99 USD is left", customMessage: "the checkout's own page says what is agreed");
        await browser.PressAsync("button");
        (await browser.TextAsync()).ShouldContain("Automatic top-up: active");
        var token = await browser.ReadAsync("document.getElementById('token').value");
        shop.Stripe.Objects.Saved.Answers.Enqueue(refusal);
        for (var call = 0; call < 2; call++) await CallAsync(shop.Gateway, token);
        await browser.PressAsync("a[href*='/automatic?id=ma_']");
        (await UntilAsync(browser, told)).ShouldContain("0.00 USD of 20.00 USD charged this month");
        (await shop.LeftAsync(token)).ShouldBe("4.98");
        browser.Problems.ShouldBeEmpty();

        await browser.PressAsync($"button[value={action}]");
        if (action == "pay")
        {
            await browser.PressAsync("button"); // the checkout's page
            (await browser.TextAsync()).ShouldContain("Your token was topped up");
            await browser.PressAsync("a[href*='/automatic?id=ma_']");
        }
        else await UntilAsync(browser, "5.00 USD of 20.00 USD charged this month");
        (await shop.LeftAsync(token)).ShouldBe("9.98");
        (await browser.TextAsync()).ShouldContain("For calls to search-tool: active.");
        await browser.PressAsync("button[value=end]");
        (await browser.TextAsync()).ShouldContain("ended by its buyer");
        (await browser.ReadAsync("document.querySelectorAll('button').length")).ShouldBe("0", "what has ended is not to be switched");
        shop.Stripe.Objects.All("charge").Count(c => (string?)c["status"] == "succeeded").ShouldBe(2);
        await shop.BooksBalanceAsync();
    }

    private static async Task AgreeAsync(Chromium browser, string monthly)
    {
        await browser.TickAsync("#automatic");
        await browser.FillAsync("#below", "4.99");
        await browser.FillAsync("#monthly", monthly);
        await browser.PressAsync("button");
    }

    /// <summary>The page once it says this, looked at again and again for two minutes.</summary>
    private static async Task<string> UntilAsync(Chromium browser, string said)
    {
        for (var wait = 0; wait < 600 && !(await browser.TextAsync()).Contains(said, StringComparison.Ordinal); wait++)
        {
            await Task.Delay(200);
            await browser.ReloadAsync();
        }
        var page = await browser.TextAsync();
        page.ShouldContain(said);
        return page;
    }

    private static async Task CallAsync(TurnpikeProcess gateway, string token)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(gateway.Url, "/g/search-tool/forecast/rome"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var response = await http.SendAsync(request);
        ((int)response.StatusCode).ShouldBe(200);
    }
}
