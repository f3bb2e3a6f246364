using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Plans;

namespace Turnpike.Billing.Invoices;

/// <summary>
/// What becomes of an invoice: sent, paid, void, given up, credited. The row is changed first and its money is posted under the
/// invoice's own id, so that whoever comes again, or after a crash, posts what is missing and nothing twice.
/// </summary>
internal sealed class InvoiceDesk(InvoiceStore store, ILedger ledger, IAuditTrail audit, Arrears arrears, TimeProvider time)
{
    /// <summary>Sent to its customer. One without anything to pay is paid by that.</summary>
    public async ValueTask OpenAsync(Invoice invoice, Money tax, string? url, DateTimeOffset? due, CancellationToken ct)
    {
        if (await store.OpenAsync(invoice.Id, tax, url, due ?? time.GetUtcNow() + invoice.DueAfter, ct)) await SayAsync(AuditKinds.InvoiceSent, invoice, invoice.Charged + tax, null, ct);
        if (invoice.Charged.IsZero) await PaidAsync(invoice.Id, "nothing", null, ct);
    }

    /// <summary>Paid by this rail; false when there is no such invoice, or it cannot be paid any more.</summary>
    /// <param name="rail">Who gave the money: <c>stripe</c>, or what the operator says, <c>bank</c>.</param>
    public async ValueTask<bool> PaidAsync(string id, string rail, string? reference, CancellationToken ct)
    {
        if (await store.FindAsync(id, ct) is not { } invoice || invoice.Status is InvoiceStatus.Draft) return false;
        if (await store.EndAsync(id, InvoiceStatus.Paid, reference is null ? rail : $"{rail}:{reference}", ct)) await SayAsync(AuditKinds.InvoicePaid, invoice, invoice.Charged - invoice.Credited + invoice.Tax, reference, ct);
        else if (invoice.Status != InvoiceStatus.Paid) return false;
        var paid = (await store.FindAsync(id, ct))!;
        await PostPaidAsync(paid, ct);
        await RememberAsync(ct);
        return true;
    }

    /// <summary>What the state of an invoice says must be in the books; safe to repeat.</summary>
    public async ValueTask PostAsync(Invoice invoice, CancellationToken ct)
    {
        if (invoice.Status == InvoiceStatus.Paid)
        {
            await PostPaidAsync(invoice, ct);
            return;
        }
        if (invoice.Status == InvoiceStatus.Void) await PostAsync(invoice, $"void:{invoice.Id}", "refunded:invoices", Postpaid.Invoiced(invoice.Caller), invoice.Charged - invoice.Credited, "void", ct);
        if (invoice.Status == InvoiceStatus.Uncollectible) await PostAsync(invoice, $"uncollectible:{invoice.Id}", "loss:uncollectible", Postpaid.Invoiced(invoice.Caller), invoice.Charged - invoice.Credited, "uncollectible", ct);
        await store.BookedAsync(invoice.Id, ct);
    }

    /// <summary>It was sent by mistake: nobody owes it any more. False when it cannot be.</summary>
    public ValueTask<bool> VoidAsync(string id, string reason, CancellationToken ct) => EndAsync(id, InvoiceStatus.Void, AuditKinds.InvoiceVoided, reason, ct);

    /// <summary>It will not be paid: our loss, unless it is paid after all.</summary>
    public ValueTask<bool> GiveUpAsync(string id, string reason, CancellationToken ct) => EndAsync(id, InvoiceStatus.Uncollectible, AuditKinds.InvoiceGivenUp, reason, ct);

    /// <summary>Invoices whose day has passed.</summary>
    public async ValueTask AgeAsync(CancellationToken ct)
    {
        foreach (var id in await store.AgeAsync(time.GetUtcNow(), ct))
            if (await store.FindAsync(id, ct) is { } late) await SayAsync(AuditKinds.InvoicePastDue, late, late.Owed, null, ct);
    }

    /// <summary>This node's copy of who is in arrears, as the books of invoices have it now: whoever pays is served again at once.</summary>
    public async ValueTask RememberAsync(CancellationToken ct) => arrears.Replace(await store.InArrearsAsync(time.GetUtcNow(), ct));

    /// <summary>Takes something back of an invoice, once per key; of one that was paid it goes back to its customer. Null: it is more than was charged, or there is no such invoice.</summary>
    public async ValueTask<CreditNote?> WriteNoteAsync(string id, Money amount, string reason, string key, CancellationToken ct)
    {
        if (await store.FindAsync(id, ct) is not { } invoice || invoice.Currency != amount.Currency) return null;
        var note = new CreditNote($"cn_{id["inv_".Length..]}_{key}", id, amount, reason, invoice.Status == InvoiceStatus.Paid, Done: false, null, time.GetUtcNow());
        if (await store.AddNoteAsync(note, ct)) await SayAsync(AuditKinds.InvoiceCredited, invoice, amount, note.Id, ct);
        else if (await store.FindNoteAsync(note.Id, ct) is { } existed && existed.Amount == amount) note = existed;
        else return null;
        await PostAsync(invoice, note, ct);
        if (invoice.StripeInvoice is null) await store.CreditedAsync(note.Id, null, ct);
        return note;
    }

    /// <summary>The money of a credit note; safe to repeat.</summary>
    public async ValueTask PostAsync(Invoice invoice, CreditNote note, CancellationToken ct)
    {
        // What was given up and is credited now was our loss already.
        var owed = invoice.Status == InvoiceStatus.Uncollectible ? "loss:uncollectible" : Postpaid.Invoiced(invoice.Caller);
        await PostAsync(invoice, $"credit:{note.Id}", "refunded:invoices", owed, note.Amount, "credit-note", ct);
        if (note.PaidOut) await PostAsync(invoice, $"payout:{note.Id}", owed, $"external:{RailOf(invoice)}", note.Amount, "credit-note", ct);
    }

    private async ValueTask<bool> EndAsync(string id, InvoiceStatus status, string kind, string reason, CancellationToken ct)
    {
        if (await store.FindAsync(id, ct) is not { Booked: true } invoice) return false;
        if (await store.EndAsync(id, status, null, ct)) await SayAsync(kind, invoice, invoice.Owed, reason, ct);
        else if (invoice.Status != status) return false;
        await PostAsync((await store.FindAsync(id, ct))!, ct);
        await RememberAsync(ct);
        return true;
    }

    private async ValueTask PostPaidAsync(Invoice paid, CancellationToken ct)
    {
        var (rail, owed) = ($"external:{RailOf(paid)}", paid.Charged - paid.Credited);
        var notes = await store.NotesAsync(paid.Id, ct);
        foreach (var later in notes.Where(n => n.PaidOut)) owed += later.Amount; // given back after it was paid
        await PostAsync(paid, $"paid:{paid.Id}", rail, Postpaid.Invoiced(paid.Caller), owed, "invoice", ct);
        await PostAsync(paid, $"tax:{paid.Id}", rail, "tax:stripe", paid.Tax, "tax", ct);
        // It had been given up: what was our loss is money after all.
        if (await store.IsPostedAsync($"uncollectible:{paid.Id}", ct)) await PostAsync(paid, $"recovered:{paid.Id}", Postpaid.Invoiced(paid.Caller), "loss:uncollectible", owed, "recovered", ct);
        await store.BookedAsync(paid.Id, ct);
    }

    private async ValueTask PostAsync(Invoice invoice, string id, string from, string to, Money amount, string reason, CancellationToken ct)
    {
        if (!amount.IsZero) await ledger.PostAsync(new Transfer(id, from, to, amount, reason, LimitedFrom: false, LimitedTo: false) { Correlation = invoice.Id }, ct);
    }

    private static string RailOf(Invoice invoice) => invoice.Reference is { } reference ? reference.Split(':')[0] : "invoice";

    private ValueTask SayAsync(string kind, Invoice invoice, Money amount, string? detail, CancellationToken ct) => new(audit.RecordAsync(new AuditEvent
    {
        Kind = kind,
        Correlation = invoice.Id,
        Caller = invoice.Caller,
        Amount = amount.ToString(),
        Reference = invoice.Id,
        Detail = detail,
    }, ct).AsTask());
}
