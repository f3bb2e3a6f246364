using Turnpike.Billing.Invoices;
using Turnpike.Ledger;

namespace Turnpike.Admin.Accounts;

/// <summary>One thing on an invoice.</summary>
internal sealed record InvoiceLineView(string Kind, string Of, long Calls, IReadOnlyDictionary<string, long> Units, string Amount);

/// <summary>What was taken back of it.</summary>
internal sealed record CreditNoteView(string Id, MoneyView Amount, string Reason, bool PaidOut, string? Reference, DateTimeOffset Created)
{
    public static CreditNoteView Of(CreditNote n) => new(n.Id, MoneyView.Of(n.Amount), n.Reason, n.PaidOut, n.Reference, n.Created);
}

/// <summary>What a caller owes for a period. Total is exact; charged is it with what was carried, in whole coins; forward is what the next begins with.</summary>
internal sealed record InvoiceView(string Id, string? Number, string Caller, string Status, DateTimeOffset Start, DateTimeOffset End, MoneyView Total, MoneyView Carried, MoneyView Charged, MoneyView Forward, MoneyView Tax, MoneyView Credited, MoneyView Owed,
    DateTimeOffset? Sent, DateTimeOffset? Due, DateTimeOffset? Ended, string? Reference, string? Url, string? StripeInvoice, string? Error, IReadOnlyList<InvoiceLineView> Lines, IReadOnlyList<CreditNoteView> CreditNotes)
{
    public static InvoiceView Of(Invoice i, IReadOnlyList<CreditNote> notes) => new(i.Id, i.Number is null ? null : i.Name, i.Caller, InvoiceStore.Text(i.Status), i.Start, i.End, MoneyView.Of(i.Total), MoneyView.Of(i.Carried), MoneyView.Of(i.Charged), MoneyView.Of(i.Forward), MoneyView.Of(i.Tax), MoneyView.Of(i.Credited), MoneyView.Of(i.ToPay),
        i.Opened, i.Due, i.Ended, i.Reference, i.Url, i.StripeInvoice, i.Error, [.. i.Lines.Select(l => new InvoiceLineView(l.Kind, l.Of, l.Calls, l.Units, new Money(l.Amount, i.Currency).ToDecimal()))], [.. notes.Select(CreditNoteView.Of)]);
}

/// <summary>Invoices, newest periods first.</summary>
internal sealed record InvoiceList(IReadOnlyList<InvoiceView> Invoices);

/// <summary>How it was paid.</summary>
/// <param name="Rail">Who brought the money, <c>bank</c> unless said.</param>
internal sealed record PaidBody(string? Rail = null, string? Reference = null);

/// <summary>What is to be taken back of an invoice.</summary>
internal sealed record CreditNoteBody(string Amount, string Reason);

/// <summary>Who pays a caller's invoices, as it stands on them.</summary>
/// <param name="Customer">A customer of Stripe's to bill, <c>cus_…</c>; left out: one is made.</param>
internal sealed record BillingBody(string? Name = null, string? Email = null, string? Line1 = null, string? City = null, string? PostalCode = null, string? Country = null, string? TaxId = null, string? Customer = null);

/// <summary>Where the customer may go back to.</summary>
internal sealed record PortalBody(string? ReturnUrl = null);

/// <summary>A page of Stripe's, for its customer alone; it is good for a short time.</summary>
internal sealed record PortalView(string Url);
