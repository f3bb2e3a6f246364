using Turnpike.Billing.Invoices;
using Turnpike.Ledger;
using Turnpike.Tests.Billing.Stripe;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Billing;

/// <summary>Invoices through Stripe: whatever breaks on the way, one is sent, for what we added up.</summary>
public sealed class StripeInvoicesTests : IDisposable
{
    private const string Billing = """
        billing: { stripe: { secret-key: "${env:STRIPE_SECRET_KEY}", webhook-secret: "${env:STRIPE_WEBHOOK_SECRET}", api: "${env:STRIPE_API}", account: acct_provider1, application-fee: 5%, automatic-tax: true } }
        """;

    private readonly StripeDouble stripe = new("sk_test_hush", "whsec_hush");
    private readonly TestGate gate = PostpaidTests.Gate(more: Billing);

    public StripeInvoicesTests() => gate.Sites["127.0.0.1"] = stripe.Handle;

    public void Dispose() => gate.Dispose();

    private async Task<Invoice> BilledAsync(int calls = 10)
    {
        await PostpaidTests.CallAsync(gate, await PostpaidTests.KeyAsync(gate), calls);
        await gate.Of<CustomerStore>().PutAsync("acme", new BillingFacts("Acme GmbH", "billing@acme.test", "Hauptstr. 1", "Berlin", "10115", "DE"), default);
        PostpaidTests.NextMonth(gate);
        await RoundAsync();
        return await PostpaidTests.OneAsync(gate);
    }

    private Task RoundAsync() => gate.Of<Biller>().RoundAsync(default);

    [Fact]
    public async Task A_month_becomes_one_invoice_at_Stripe_with_its_tax_and_fee_and_what_is_paid_there_is_paid_here()
    {
        var invoice = await BilledAsync();
        invoice.Error.ShouldBeNull();
        invoice.Status.ShouldBe(InvoiceStatus.Open);
        (invoice.Charged.ToString(), invoice.Tax.ToString(), invoice.Forward.ToString()).ShouldBe(("0.13 USD", "0.02 USD", "0.00 USD"));
        var sent = stripe.Objects.All("invoice").ShouldHaveSingleItem();
        StripeObjects.Long(sent["total"]).ShouldBe(15);
        stripe.Requests.ShouldAllBe(r => r.Account == "acct_provider1");
        invoice.Url.ShouldBe((string)sent["hosted_invoice_url"]!);
        stripe.Objects.PayInvoice(invoice.StripeInvoice!);
        (await gate.Of<StripeInvoicer>().LookAsync(invoice, default)).ShouldBeTrue();
        (await PostpaidTests.OneAsync(gate)).Status.ShouldBe(InvoiceStatus.Paid);
        (await PostpaidTests.SumAsync(gate, "external")).ShouldBe(-150_000_000, "with the tax");
        (await PostpaidTests.SumAsync(gate, "tax")).ShouldBe(20_000_000, "which is not ours");
        (await PostpaidTests.SumAsync(gate, "invoiced")).ShouldBe(0);
        await gate.ShouldBalanceAsync();
    }

    public static TheoryData<string, string> Breaks()
    {
        var data = new TheoryData<string, string>();
        foreach (var path in (string[])["/customers", "/v1/invoices", "/invoiceitems", "/finalize", "/send"])
            foreach (var fault in Enum.GetNames<StripeFault>()) data.Add(path, fault);
        return data;
    }

    [Theory]
    [MemberData(nameof(Breaks))]
    public async Task Whatever_request_breaks_before_or_after_its_effect_one_invoice_is_sent_for_the_right_amount(string path, string fault)
    {
        stripe.Fail(path, Enum.Parse<StripeFault>(fault));
        (await BilledAsync()).Status.ShouldBe(InvoiceStatus.Draft);
        (await PostpaidTests.OneAsync(gate)).Error.ShouldNotBeNull();
        gate.Time.Pass(TimeSpan.FromMinutes(6));
        await RoundAsync();
        stripe.Arrive();
        gate.Time.Pass(TimeSpan.FromMinutes(6));
        await RoundAsync();
        (await PostpaidTests.OneAsync(gate)).Status.ShouldBe(InvoiceStatus.Open);
        ((long)stripe.Objects.All("invoice").ShouldHaveSingleItem()["subtotal"]!).ShouldBe(13);
        stripe.Objects.All("customer").ShouldHaveSingleItem();
        await gate.ShouldBalanceAsync();
    }

    /// <summary>Stripe forgets idempotency keys: after a day what was made is found by its name, and made no second time.</summary>
    [Theory]
    [InlineData("/v1/invoices")]
    [InlineData("/invoiceitems")]
    public async Task After_a_day_what_was_made_without_an_answer_is_found_and_not_made_again(string path)
    {
        stripe.Fail(path, StripeFault.After);
        await BilledAsync();
        gate.Time.Pass(TimeSpan.FromDays(2));
        stripe.Forget();
        await RoundAsync();
        (await PostpaidTests.OneAsync(gate)).Status.ShouldBe(InvoiceStatus.Open);
        ((long)stripe.Objects.All("invoice").ShouldHaveSingleItem()["subtotal"]!).ShouldBe(13);
    }

    [Fact]
    public async Task An_invoice_that_Stripe_adds_up_differently_is_not_sent()
    {
        stripe.Fail("/finalize", StripeFault.Before);
        var invoice = await BilledAsync();
        stripe.Objects[invoice.StripeInvoice!]["subtotal"] = 14;
        gate.Time.Pass(TimeSpan.FromMinutes(6));
        await RoundAsync();
        invoice = await PostpaidTests.OneAsync(gate);
        invoice.Status.ShouldBe(InvoiceStatus.Draft);
        invoice.Error.ShouldNotBeNull().ShouldContain("adds up 14 where we have 13");
    }

    [Fact]
    public async Task A_credit_note_reaches_Stripe_once_and_of_a_paid_invoice_the_money_goes_back()
    {
        var invoice = await BilledAsync();
        stripe.Objects.PayInvoice(invoice.StripeInvoice!);
        await gate.Of<StripeInvoicer>().LookAsync(invoice, default);
        Money.TryParse("0.05 USD", out var amount);
        (await gate.Of<InvoiceDesk>().WriteNoteAsync(invoice.Id, amount, "slow", "k", default)).ShouldNotBeNull();
        stripe.Fail("/credit_notes", StripeFault.After);
        await RoundAsync();
        await RoundAsync();
        ((long)stripe.Objects.All("credit_note").ShouldHaveSingleItem()["amount"]!).ShouldBe(5);
        ((long)stripe.Objects.All("refund").ShouldHaveSingleItem()["amount"]!).ShouldBe(5);
        (await gate.Of<InvoiceStore>().UntoldNotesAsync(default)).ShouldBeEmpty();
        (await PostpaidTests.SumAsync(gate, "external")).ShouldBe(-100_000_000);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task What_an_operator_decides_reaches_Stripe_and_what_is_decided_there_comes_back()
    {
        var invoice = await BilledAsync();
        (await gate.Of<StripeInvoicer>().OrderAsync(invoice, "mark_uncollectible", default)).ShouldBeNull();
        ((string)stripe.Objects[invoice.StripeInvoice!]["status"]!).ShouldBe("uncollectible");
        (await PostpaidTests.OneAsync(gate)).Status.ShouldBe(InvoiceStatus.Uncollectible);
        (await PostpaidTests.SumAsync(gate, "loss")).ShouldBe(-130_000_000);
        stripe.Objects.PayInvoice(invoice.StripeInvoice!);
        await gate.Of<StripeInvoicer>().LookAsync(invoice, default);
        (await PostpaidTests.OneAsync(gate)).Status.ShouldBe(InvoiceStatus.Paid);
        (await PostpaidTests.SumAsync(gate, "loss")).ShouldBe(0);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_webhook_that_never_came_is_made_up_for_by_asking()
    {
        var invoice = await BilledAsync();
        stripe.Objects.PayInvoice(invoice.StripeInvoice!);
        gate.Time.Pass(TimeSpan.FromHours(7));
        await RoundAsync();
        (await PostpaidTests.OneAsync(gate)).Status.ShouldBe(InvoiceStatus.Paid);
    }

    [Fact]
    public async Task The_portal_is_a_page_of_the_callers_own_customer()
    {
        await BilledAsync();
        var (url, _) = await gate.Of<StripeInvoicer>().PortalAsync("acme", "https://api.example", default);
        url.ShouldNotBeNull().ShouldContain("/portal/");
        ((string)stripe.Objects.All("billing_portal.session").Single()["customer"]!).ShouldBe((string)stripe.Objects.All("customer").Single()["id"]!);
    }

    [Fact]
    public void Lines_in_whole_coins_add_up_to_what_is_charged_whatever_was_carried()
    {
        for (var carried = -25_000_000L; carried <= 9_999_999; carried += 3_333_331)
        {
            var lines = Enumerable.Range(1, 150).Select(i => new InvoiceLine("usage", $"op{i}", 1, [], i * 7_654_321L)).ToList();
            var (total, before) = (new Money(lines.Sum(l => l.Amount), "USD"), new Money(carried, "USD"));
            var invoice = new Invoice("inv_1", "a", "USD", default, default) { Lines = lines, Total = total, Carried = before, Charged = InvoiceMaker.Coins(total + before), Tax = Money.Zero("USD"), Credited = Money.Zero("USD") };
            var parts = StripeInvoicer.Parts(invoice).ToList();
            parts.Sum(p => p.Minor).ShouldBe(invoice.Charged.Units / 10_000_000);
            parts.Count.ShouldBeLessThanOrEqualTo(91);
        }
    }
}
