using Turnpike.Billing;
using Turnpike.Billing.Disputes;
using Turnpike.Billing.Invoices;
using Turnpike.Billing.Statements;
using Turnpike.Ledger;
using Turnpike.Plans;
using Turnpike.Tests.Storage;

namespace Turnpike.Tests.Billing;

/// <summary>Every statement of billing, on each database there is: this file is part of both suites.</summary>
public sealed class BillingStoreTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

    private static Money Usd(long units) => new(units, "USD");

    [Fact]
    public async Task An_invoice_goes_through_its_life_and_every_step_is_taken_once()
    {
        using var folder = new TemporaryFolder();
        using var database = folder.Open(TimeProvider.System);
        var store = new InvoiceStore(database, TimeProvider.System);
        var draft = new Invoice(InvoiceMaker.IdOf("acme", "USD", Now), "acme", "USD", Now.AddMonths(-1), Now)
        {
            Lines = [new InvoiceLine("usage", "data", 2, new() { ["total_tokens"] = 7 }, 1_239_000_000)],
            Moves = new Dictionary<string, long> { [Postpaid.Account("acme", Now)] = 1_239_000_000 },
            Total = Usd(1_239_000_000), Carried = Usd(0), Charged = Usd(1_230_000_000), Tax = Usd(0), Credited = Usd(0), DueAfter = TimeSpan.FromDays(14), Grace = TimeSpan.FromDays(3),
        };
        await store.AddAsync(draft, default);
        await store.AddAsync(draft with { Total = Usd(1) }, default);
        (await store.WaitingAsync(default)).ShouldHaveSingleItem().Total.ShouldBe(draft.Total);
        (await store.OpenAsync(draft.Id, Usd(0), null, Now, default)).ShouldBeFalse("it is not in the books yet");
        await store.BookedAsync(draft.Id, default);
        var opened = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => store.OpenAsync(draft.Id, Usd(230_000_000), "https://stripe.test/i", Now, default).AsTask()));
        opened.Count(o => o).ShouldBe(1);
        (await store.FindAsync(draft.Id, default))!.Name.ShouldBe("INV-000001");
        await store.SetStripeAsync(draft.Id, "in_1", "acct_1", default);
        (await store.FindByStripeAsync("in_1", default)).ShouldNotBeNull();
        (await store.NotLookedAtAsync(DateTimeOffset.UnixEpoch.AddYears(200), default)).ShouldHaveSingleItem();
        (await store.AgeAsync(Now.AddDays(1), default)).ShouldBe([draft.Id]);
        (await store.InArrearsAsync(Now.AddDays(2), default)).ShouldBeEmpty();
        (await store.InArrearsAsync(Now.AddDays(3), default)).ShouldBe(["acme"]);
        var note = new CreditNote("cn_1", draft.Id, Usd(30_000_000), "late", false, false, null, Now);
        (await store.AddNoteAsync(note, default)).ShouldBeTrue();
        (await store.AddNoteAsync(note, default)).ShouldBeFalse();
        (await store.AddNoteAsync(note with { Id = "cn_2", Amount = Usd(1_210_000_000) }, default)).ShouldBeFalse("more than was charged");
        (await store.UntoldNotesAsync(default)).ShouldHaveSingleItem();
        await store.CreditedAsync("cn_1", "cn_stripe", default);
        (await store.EndAsync(draft.Id, InvoiceStatus.Uncollectible, null, default)).ShouldBeTrue();
        (await store.EndAsync(draft.Id, InvoiceStatus.Paid, "stripe:pi_1", default)).ShouldBeTrue();
        (await store.EndAsync(draft.Id, InvoiceStatus.Void, null, default)).ShouldBeFalse("paid stays paid");
        (await store.FindByReferenceAsync("stripe:pi_1", default))!.Credited.ShouldBe(Usd(30_000_000));
        (await store.BeforeAsync("acme", "USD", Now.AddMonths(1), default))!.Forward.ShouldBe(Usd(9_000_000));
        (await store.ListAsync("acme", InvoiceStatus.Paid, 5, default)).ShouldHaveSingleItem();
        (await store.ListAsync(null, null, 5, default)).ShouldHaveSingleItem();
        (await store.BilledAsync(default)).ShouldContain(("acme", "USD", Now));
        (await store.IsPostedAsync("nothing", default)).ShouldBeFalse();
        (await store.NotesAsync(draft.Id, default)).ShouldHaveSingleItem().Reference.ShouldBe("cn_stripe");
    }

    [Fact]
    public async Task Disputes_spans_customers_and_empty_books()
    {
        using var folder = new TemporaryFolder();
        using var database = folder.Open(TimeProvider.System);
        var disputes = new DisputeStore(database, TimeProvider.System);
        var told = new StripeEvent("evt_1", "charge.dispute.created") { Dispute = "dp_1", Intent = "pi_1", Amount = 500, Currency = "usd", Status = "needs_response" };
        (await disputes.NoteAsync(told with { Status = "won" }, default))!.IsClosed.ShouldBeTrue();
        (await disputes.NoteAsync(told, default))!.Status.ShouldBe("won", "an outcome is final");
        await disputes.SubmittedAsync("dp_1", "under_review", default);
        (await disputes.ListAsync(5, default)).ShouldHaveSingleItem().Status.ShouldBe("won");

        var spans = new PlanSpanStore(database);
        await spans.ObserveAsync("acme", "large", Usd(90_000_000_000), Now, null, default);
        await spans.ObserveAsync("acme", "large", Usd(90_000_000_000), Now.AddDays(1), null, default);
        await spans.ObserveAsync("acme", null, null, Now.AddDays(3), Now.AddDays(2), default);
        (await spans.AllAsync(default)).ShouldHaveSingleItem().Until.ShouldBe(Now.AddDays(2), "when it ended, not when somebody looked");

        var customers = new CustomerStore(database, TimeProvider.System);
        await customers.SetStripeAsync("acme", "cus_1", "acct_1", default);
        await customers.PutAsync("acme", new BillingFacts("Acme"), default);
        (await customers.FindAsync("acme", default))!.Value.ShouldBe((new BillingFacts("Acme"), "cus_1", "acct_1"));

        var unbilled = new UnbilledStore(database);
        (await unbilled.AccountsAsync(null, default)).ShouldBeEmpty();
        (await unbilled.AccountsAsync("acme", default)).ShouldBeEmpty();
        (await unbilled.OwedAsync("unbilled:acme:2026-03-01T00:00:00Z", default)).ShouldBeEmpty();
        (await unbilled.LinesAsync("unbilled:acme:2026-03-01T00:00:00Z", "USD", default)).ShouldBeEmpty();
        (await unbilled.IsBusyAsync("unbilled:acme:2026-03-01T00:00:00Z", default)).ShouldBeFalse();

        var books = new BookStore(database);
        (await books.FlowsAsync(Now, Now.AddDays(1), default)).ShouldBeEmpty();
        (await books.ExpensesAsync(Now, Now.AddDays(1), default)).ShouldBeEmpty();
        (await books.ExpiredAsync(Now, default)).ShouldBeEmpty();
        await books.ScanAsync(Now, Now.AddDays(1), _ => { }, default);
        (await new PurchaseStore(database, TimeProvider.System).WaitingAsync("pi_x", default)).ShouldBeEmpty();
    }
}
