using System.Net;
using Turnpike.EndToEnd.Storage;
using Turnpike.Tests.Billing.Stripe;

namespace Turnpike.EndToEnd.Billing;

/// <summary>kill -9 of a gateway that bills: at each request to Stripe, before and after its effect; while its customer pays; while it waits for its money.</summary>
public sealed class InvoiceKillTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Killed_at_every_request_to_Stripe_it_sends_one_invoice_that_is_paid_once(bool postgres)
    {
        await using var billed = await BilledGateway.StartAsync("send", postgres ? TemporaryDatabase.NewEmpty() : null);
        for (var i = 0; i < 10; i++) (await billed.CallAsync()).Status.ShouldBe(HttpStatusCode.OK);
        await billed.OwesAsync("2.50");
        await billed.KillAsync();
        await billed.PassMonthAsync();
        foreach (var path in (string[])["/customers", "/v1/invoices", "/invoiceitems", "/finalize", "/send"])
            foreach (var fault in (StripeFault[])[StripeFault.Before, StripeFault.After])
            {
                billed.Stripe.Double.Fail(path, fault);
                await billed.StartAgainAsync();
                await billed.Stripe.SilenceAsync();
                await billed.KillAsync();
            }
        await billed.StartAgainAsync();
        var invoice = await billed.InvoiceAsync("open");
        ((string)invoice["charged"]!["amount"]!, (string)invoice["tax"]!["amount"]!).ShouldBe(("2.50", "0.47"));

        // Its customer pays while nobody is there to be told; Stripe tells it again later, and more than once.
        await billed.KillAsync();
        billed.Stripe.Objects.PayInvoice((string)billed.Stripe.Objects.All("invoice")[0]["id"]!).ShouldBeTrue();
        await billed.StartAgainAsync();
        await billed.TellAsync(times: 2);
        ((string?)(await billed.InvoiceAsync("paid"))["owed"]!["amount"]).ShouldBe("0.00");
        await billed.KillAsync();
        await billed.StartAgainAsync();
        await billed.TellAsync();
        await billed.ShouldHaveBilledOnceAsync(297, payments: 1);
    }

    [Fact]
    public async Task Killed_while_it_waits_for_its_money_it_refuses_after_the_grace_and_serves_again_once_it_is_paid()
    {
        await using var billed = await BilledGateway.StartAsync("charge");
        (await billed.CallAsync()).Status.ShouldBe(HttpStatusCode.OK);
        await billed.OwesAsync("0.25");
        await billed.KillAsync();
        await billed.PassMonthAsync();
        // The card is saved before the invoice is made, and has no funds when it is charged.
        billed.Stripe.Double.Fail("/finalize", StripeFault.Before);
        await billed.StartAgainAsync();
        await billed.Stripe.SilenceAsync();
        await billed.KillAsync();
        var customer = (string)billed.Stripe.Objects.All("customer").ShouldHaveSingleItem()["id"]!;
        billed.Stripe.Objects.Save(customer, "pm_card_chargeDeclinedInsufficientFunds");
        await billed.StartAgainAsync();
        await billed.InvoiceAsync("open");
        billed.Stripe.Objects.Events.ShouldContain(e => e.Type == "invoice.payment_failed");
        (await billed.CallAsync()).Status.ShouldBe(HttpStatusCode.OK, "it is not due yet");

        await billed.KillAsync();
        await billed.PassAsync(TimeSpan.FromDays(15));
        await billed.StartAgainAsync();
        await billed.InvoiceAsync("past_due");
        (await billed.CallAsync()).Status.ShouldBe(HttpStatusCode.OK, "the grace");
        await billed.KillAsync();
        await billed.PassAsync(TimeSpan.FromDays(3));
        await billed.StartAgainAsync();
        await Eventually(async () => (await billed.CallAsync()).Reason == "invoice-past-due");

        // Stripe tries again with a card that pays; nobody tells us, and after hours it is asked.
        await billed.KillAsync();
        billed.Stripe.Objects.Save(customer, StripeCards.Good);
        billed.Stripe.Objects.PayInvoice((string)billed.Stripe.Objects.All("invoice")[0]["id"]!).ShouldBeTrue();
        await billed.PassAsync(TimeSpan.FromHours(7));
        await billed.StartAgainAsync();
        await billed.InvoiceAsync("paid");
        await Eventually(async () => (await billed.CallAsync()).Status == HttpStatusCode.OK);
        StripeObjects.Long(billed.Stripe.Objects.All("invoice")[0]["total"]).ShouldBe(29);
        billed.Stripe.Objects.All("charge").Count(c => (string?)c["status"] == "succeeded").ShouldBe(1);
        await billed.Gateway.BooksBalanceAsync();
    }

    /// <summary>Two nodes come to the end of the month at once; the one that waits for Stripe dies in the middle of it.</summary>
    [Fact]
    public async Task Of_two_nodes_one_invoices_and_when_it_dies_the_other_goes_on()
    {
        var store = TemporaryDatabase.NewEmpty();
        await using var billed = await BilledGateway.StartAsync("send", store, store);
        for (var i = 0; i < 10; i++) (await billed.CallAsync(node: i % 2)).Status.ShouldBe(HttpStatusCode.OK);
        await billed.OwesAsync("2.50");
        await billed.KillAsync();
        await billed.PassMonthAsync();
        billed.Stripe.Double.Fail("/invoiceitems", StripeFault.After);
        await billed.StartAgainAsync();
        await billed.KillAsync(await billed.Stripe.SilenceAsync());
        await billed.InvoiceAsync("open");
        billed.Stripe.Objects.PayInvoice((string)billed.Stripe.Objects.All("invoice")[0]["id"]!).ShouldBeTrue();
        await billed.TellAsync(times: 2);
        await billed.InvoiceAsync("paid");
        await billed.ShouldHaveBilledOnceAsync(297, payments: 1);
    }

    private static async Task Eventually(Func<Task<bool>> holds)
    {
        for (var wait = 0; wait < 600; wait++, await Task.Delay(200))
            if (await holds()) return;
        throw new ShouldAssertException("It does not come to that within two minutes.");
    }
}
