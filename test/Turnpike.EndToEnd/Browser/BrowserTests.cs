using Turnpike.EndToEnd.Billing;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Browser;

/// <summary>A person buys in a real browser: by mouse, and by keyboard alone, with scripts or without, and no page complains of anything.</summary>
public sealed class BrowserTests
{
    private const string Checkout = "    checkout:\n", AfterCheckout = "never per call\n";

    [Theory]
    [InlineData(Hand.Keyboard, true)]
    [InlineData(Hand.Keyboard, false)]
    [InlineData(Hand.Mouse, true)]
    public async Task With_test_money_from_402_to_the_token_shown_again_replaced_and_topped_up(Hand hand, bool scripts)
    {
        await using var upstream = await Upstream.StartAsync();
        await using var gateway = await SandboxAsync(upstream);
        await using var browser = await Chromium.StartAsync(hand, scripts);

        await browser.GoAsync(new Uri(gateway.Url, "/g/search-tool/forecast/rome"));
        var refused = await browser.TextAsync();
        refused.ShouldContain("Payment is required");
        refused.ShouldContain("SANDBOX");
        browser.Problems.ShouldAllBe(problem => problem.Contains("402", StringComparison.Ordinal), "the browser notes the status, and nothing else is wrong");
        browser.Problems.Clear();
        await browser.PressAsync("a[href$='/buy/search-tool']");

        await LooksWellAsync(browser, "Buy search-tool");
        await browser.ChooseAsync("#bundle-2");
        await browser.PressAsync("button");
        await LooksWellAsync(browser, "Pay with test money");
        (await browser.TextAsync()).ShouldContain("20.00 USD");
        await browser.PressAsync("button[value=yes]");

        await LooksWellAsync(browser, "Your token");
        (await browser.TextAsync()).ShouldContain("22.00 USD is left");
        var token = await TokenAsync(browser);
        (await CallAsync(gateway, token)).ShouldBe(200);
        await browser.ReloadAsync();
        (await TokenAsync(browser)).ShouldBe(token, "the same again, from its address");
        (await browser.TextAsync()).ShouldContain("21.99 USD is left");
        await browser.PressAsync("button"); // replace it
        await LooksWellAsync(browser, "Your token");
        var next = await TokenAsync(browser);
        next.ShouldNotBe(token);
        (await CallAsync(gateway, token)).ShouldBe(403);
        (await CallAsync(gateway, next)).ShouldBe(200);

        await browser.PressAsync("a[href='/buy/search-tool']");
        await browser.ChooseAsync("#bundle-2");
        await browser.FillAsync("#token", next);
        await browser.EnterAsync(); // a form is sent from its field, too
        (await browser.TextAsync()).ShouldContain("added to the token you have");
        await browser.PressAsync("button[value=yes]");
        await LooksWellAsync(browser, "Your token was topped up");
        (await browser.TextAsync()).ShouldContain("43.98 USD is left");
        (await browser.ReadAsync("document.body.innerHTML")).ShouldNotContain(next, Case.Sensitive, "whoever topped it up has it");
        await gateway.BooksBalanceAsync();
    }

    [Theory]
    [InlineData(Hand.Keyboard)]
    [InlineData(Hand.Mouse)]
    public async Task With_a_card_by_the_checkout_s_own_page_and_back(Hand hand)
    {
        await using var shop = await TokenShop.StartAsync();
        await using var browser = await Chromium.StartAsync(hand);
        await browser.GoAsync(new Uri(shop.Gateway.Url, "/buy/search-tool"));
        await LooksWellAsync(browser, "Buy search-tool", sandbox: false);
        await browser.PressAsync("button");
        (await browser.UrlAsync()).AbsolutePath.ShouldBe("/pay/" + shop.Stripe.Sessions[^1].Id, "the policy lets the form end at the checkout");
        browser.Problems.Clear(); // that page is the checkout's own
        await browser.PressAsync("button");
        await LooksWellAsync(browser, "Your token", sandbox: false);
        var token = await TokenAsync(browser);
        (await CallAsync(shop.Gateway, token)).ShouldBe(200);
        await browser.ReloadAsync();
        (await TokenAsync(browser)).ShouldBe(token);
        await shop.BooksBalanceAsync();
    }

    [Theory]
    [InlineData(Hand.Keyboard)]
    [InlineData(Hand.Mouse)]
    public async Task What_is_wrong_with_an_order_is_told_on_the_form_and_leaving_the_till_sells_nothing(Hand hand)
    {
        await using var upstream = await Upstream.StartAsync();
        await using var gateway = await SandboxAsync(upstream);
        await using var browser = await Chromium.StartAsync(hand);
        await browser.GoAsync(new Uri(gateway.Url, "/buy/search-tool"));
        await browser.FillAsync("#token", "tp_<script>alert(1)</script>");
        await browser.EnterAsync();
        (await AlertAsync(browser)).ShouldBe("The token is not one of ours.");
        await browser.GoAsync(new Uri(gateway.Url, "/buy/search-tool"));
        await browser.PressAsync("button");
        await browser.PressAsync("button[value=no]");
        (await browser.TextAsync()).ShouldContain("The checkout ended without a payment. Nothing was charged.");
        (await browser.TextAsync()).ShouldContain("TEST MONEY");
        await gateway.BooksBalanceAsync();
    }

    [Theory]
    [InlineData(Hand.Keyboard)]
    [InlineData(Hand.Mouse)]
    public async Task A_test_card_that_is_declined_takes_nothing_and_the_order_waits_for_one_that_is_not(Hand hand)
    {
        await using var upstream = await Upstream.StartAsync();
        await using var gateway = await SandboxAsync(upstream);
        await using var browser = await Chromium.StartAsync(hand);
        await browser.GoAsync(new Uri(gateway.Url, "/buy/search-tool"));
        await browser.PressAsync("button");
        await browser.PressAsync("button[value=declined]");
        (await AlertAsync(browser)).ShouldBe("The test card was declined. Nothing was charged; the order waits here.");
        browser.Problems.ShouldAllBe(problem => problem.Contains("402", StringComparison.Ordinal));
        browser.Problems.Clear();
        await browser.PressAsync("button[value=yes]");
        await LooksWellAsync(browser, "Your token");
        (await CallAsync(gateway, await TokenAsync(browser))).ShouldBe(200);
        await gateway.BooksBalanceAsync();
    }

    /// <summary>The attack: markup that got into a page all the same.</summary>
    [Fact]
    public async Task A_script_in_the_page_does_not_run()
    {
        await using var upstream = await Upstream.StartAsync();
        await using var gateway = await SandboxAsync(upstream);
        await using var browser = await Chromium.StartAsync();
        await browser.GoAsync(new Uri(gateway.Url, "/buy/search-tool"));
        await browser.ReadAsync("(() => { const s = document.createElement('script'); s.textContent = 'window.ran = true'; document.body.append(s); const i = document.createElement('img'); i.src = '/x.png'; document.body.append(i); })()");
        (await browser.ReadAsync("window.ran")).ShouldBe("undefined");
        browser.Problems.ShouldContain(problem => problem.Contains("Content Security Policy", StringComparison.Ordinal));
        await gateway.BooksBalanceAsync();
    }

    /// <summary>A title, one heading, a label for every field, and nothing that the browser complains of.</summary>
    private static async Task LooksWellAsync(Chromium browser, string title, bool sandbox = true)
    {
        (await browser.ReadAsync("document.title")).ShouldBe(title);
        (await browser.ReadAsync("document.querySelectorAll('h1').length")).ShouldBe("1");
        (await browser.ReadAsync("document.documentElement.lang")).ShouldBe("en");
        (await browser.ReadAsync("[...document.querySelectorAll('input:not([type=hidden])')].filter(i => i.labels.length === 0).length")).ShouldBe("0", "every field has a label");
        (await browser.TextAsync()).Contains("TEST MONEY", StringComparison.Ordinal).ShouldBe(sandbox);
        browser.Problems.ShouldBeEmpty();
    }

    private static Task<string> AlertAsync(Chromium browser) => browser.ReadAsync("document.querySelector('[role=alert]').innerText");

    private static Task<string> TokenAsync(Chromium browser) => browser.ReadAsync("document.getElementById('token').value");

    private static async Task<int> CallAsync(TurnpikeProcess gateway, string token)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(gateway.Url, "/g/search-tool/forecast/rome"));
        request.Headers.Authorization = new("Bearer", token);
        using var response = await http.SendAsync(request);
        return (int)response.StatusCode;
    }

    /// <summary>contract/tokens.yaml without its checkout, as a sandbox.</summary>
    private static Task<TurnpikeProcess> SandboxAsync(Upstream upstream) => TurnpikeProcess.StartAsync("tokens.yaml",
        text => text[..text.IndexOf(Checkout, StringComparison.Ordinal)] + text[(text.IndexOf(AfterCheckout, StringComparison.Ordinal) + AfterCheckout.Length)..],
        ("UPSTREAM", upstream.Url.GetLeftPart(UriPartial.Authority)), ("UPSTREAM_2", upstream.Url.GetLeftPart(UriPartial.Authority)), ("gateway.sandbox", "true"));
}
