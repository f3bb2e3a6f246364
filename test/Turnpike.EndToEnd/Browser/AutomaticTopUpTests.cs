using System.Net.Http.Headers;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Browser;

/// <summary>A person agrees to automatic top-ups in a real browser, by keyboard alone, over a gateway that is killed meanwhile.</summary>
public sealed class AutomaticTopUpTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Agreed_to_at_the_till_seen_on_the_tokens_page_charged_once_over_a_kill_and_switched_off(bool scripts)
    {
        await using var upstream = await Upstream.StartAsync();
        await using var gateway = await TurnpikeProcess.StartAsync("tokens.yaml",
            text => text[..text.IndexOf("    checkout:\n", StringComparison.Ordinal)] + "    automatic-top-up: { monthly: 50.00 USD }\n\n" + text[text.IndexOf("services:\n", StringComparison.Ordinal)..],
            ("UPSTREAM", upstream.Url.GetLeftPart(UriPartial.Authority)), ("UPSTREAM_2", upstream.Url.GetLeftPart(UriPartial.Authority)), ("gateway.sandbox", "true"));
        await using var browser = await Chromium.StartAsync(scripts);
        await browser.GoAsync(new Uri(gateway.Url, "/buy/search-tool"));
        (await browser.ReadAsync("[...document.querySelectorAll('input:not([type=hidden])')].filter(i => i.labels.length === 0).length")).ShouldBe("0", "every field has a label");
        (await browser.ReadAsync("document.getElementById('automatic').checked")).ShouldBe("false", "nobody ticks it for them");
        await browser.TabToAsync("#automatic");
        await browser.SpaceAsync();
        await browser.TabToAsync("#below");
        await browser.TypeAsync("4.99");
        await browser.TabToAsync("#monthly");
        await browser.TypeAsync("10");
        await browser.TabToAsync("button");
        await browser.EnterAsync();
        (await browser.TextAsync()).ShouldContain("You agree: 5.00 USD is charged again, without asking, whenever less than 4.99 USD is left");
        await browser.TabToAsync("button[value=yes]");
        await browser.EnterAsync();
        (await browser.TextAsync()).ShouldContain("Automatic top-up: active");
        var token = await browser.ReadAsync("document.getElementById('token').value");
        for (var call = 0; call < 4; call++) await CallAsync(gateway, token); // a kill gives back what nobody has written down as delivered yet
        await gateway.KillAsync();
        await gateway.StartAgainAsync();
        await browser.TabToAsync("a[href*='/automatic?id=ma_']");
        await browser.EnterAsync();
        for (var wait = 0; wait < 600 && !(await browser.TextAsync()).Contains("5.00 USD of 10.00 USD charged this month", StringComparison.Ordinal); wait++)
        {
            await Task.Delay(200);
            await browser.ReloadAsync();
        }
        var page = await browser.TextAsync();
        (page.Contains("5.00 USD of 10.00 USD charged this month", StringComparison.Ordinal), page.Contains("tp_", StringComparison.Ordinal), page.Contains("TEST MONEY", StringComparison.Ordinal)).ShouldBe((true, false, true), page);
        await browser.TabToAsync("button[value=end]");
        await browser.EnterAsync();
        (await browser.TextAsync()).ShouldContain("ended by its buyer");
        browser.Problems.ShouldBeEmpty();
        await gateway.BooksBalanceAsync();
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
