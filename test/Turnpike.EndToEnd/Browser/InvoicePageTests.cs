using System.Net;
using Turnpike.EndToEnd.Billing;
using Turnpike.Tests.Billing.Stripe;

namespace Turnpike.EndToEnd.Browser;

/// <summary>A customer on account, in a real browser, by mouse and by keyboard alone: its invoice, where it is paid, and Stripe's page for it.</summary>
public sealed class InvoicePageTests
{
    [Theory]
    [InlineData(Hand.Keyboard)]
    [InlineData(Hand.Mouse)]
    public async Task An_invoice_is_read_paid_by_the_second_card_and_seen_to_be_paid_and_the_portal_leads_back(Hand hand)
    {
        await using var billed = await BilledGateway.StartAsync("send");
        for (var i = 0; i < 10; i++) (await billed.CallAsync()).Status.ShouldBe(HttpStatusCode.OK);
        await billed.OwesAsync("2.50");
        await billed.KillAsync();
        await billed.PassMonthAsync();
        await billed.StartAgainAsync();
        var invoice = await billed.InvoiceAsync("open");
        var page = new Uri(billed.Gateway.Url, $"/invoices/{invoice["id"]}?format=html");

        await using var browser = await Chromium.StartAsync(hand);
        await ReadAsync(browser, page);
        var text = await browser.TextAsync();
        foreach (var part in (string[])["data: 10 calls", "2.50", "Tax", "0.47", "To pay", "2.97", "Status: open"]) text.ShouldContain(part);
        (await browser.ReadAsync("[document.title, document.documentElement.lang, document.querySelectorAll('h1').length, document.querySelectorAll('th:not([scope])').length].join(' ')")).ShouldBe($"Invoice {invoice["number"]} en 1 0");
        await browser.PressAsync("a[href*='/i/in_']");
        await browser.FillAsync("#card", "pm_card_chargeDeclinedInsufficientFunds");
        await browser.PressAsync("button");
        (await browser.TextAsync()).ShouldContain("Your card was declined.");
        await browser.FillAsync("#card", StripeCards.Good);
        await browser.PressAsync("button");
        (await browser.TextAsync()).ShouldContain("Paid");
        await billed.TellAsync();
        await billed.InvoiceAsync("paid");
        await ReadAsync(browser, page);
        text = await browser.TextAsync();
        text.ShouldContain("Status: paid");
        (await browser.ReadAsync("document.querySelectorAll('a').length")).ShouldBe("0", "what is paid is not asked for");

        var portal = await billed.PortalAsync();
        await browser.GoAsync(new Uri((string)portal.Json["url"]!));
        (await browser.TextAsync()).ShouldContain("1 invoice(s)");
        await browser.FillAsync("#card", "pm_card_mastercard");
        await browser.PressAsync("button");
        (await browser.TextAsync()).ShouldContain("Your card is saved");
        await browser.PressAsync("a");
        ((await browser.UrlAsync()).AbsolutePath, await browser.ReadAsync("document.title")).ShouldBe(("/invoices/portal", "Back from your billing page"));
        browser.Problems.ShouldBeEmpty();
        await billed.ShouldHaveBilledOnceAsync(297, payments: 1);
    }

    /// <summary>A page behind a key, as the program of its customer shows it: the key goes along with this one request.</summary>
    private static async Task ReadAsync(Chromium browser, Uri page)
    {
        await browser.SendAlongAsync(("x-api-key", BilledGateway.Key));
        await browser.GoAsync(page);
        await browser.SendAlongAsync();
    }
}
