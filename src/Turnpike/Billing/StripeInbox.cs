using Turnpike.Audit;
using Turnpike.Billing.Disputes;
using Turnpike.Billing.Invoices;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Payments.Stripe;
using Turnpike.Telemetry;

namespace Turnpike.Billing;

/// <summary>
/// What Stripe tells, to whom it concerns. An event counts once by its id, and changes nothing that its object's state does not say:
/// copies, late ones and ones out of order come to the same end. What nobody here knows is answered well and counted.
/// </summary>
internal sealed class StripeInbox(PurchaseStore events, TokenSale sale, InvoiceStore invoices, InvoiceDesk desk, StripeInvoicer invoicer, DisputeStore disputes, ChargeDesk charges, ILedger ledger)
{
    private static readonly string[] Kinds = ["checkout.session.", "charge.dispute.", "charge.refunded", "charge.refund.", "refund."];

    /// <summary>False: it could not be dealt with now, so Stripe shall tell it again.</summary>
    public async ValueTask<bool> ToldAsync(StripeCheckoutSettings? checkout, StripeBilling? billing, StripeEvent told, CancellationToken ct)
    {
        var dealt = await DealAsync(checkout, billing, told, ct);
        Instruments.Webhook(dealt switch { true => "taken", false => "later", null => "ignored" });
        return dealt ?? true;
    }

    /// <summary>Null: it is about nothing here.</summary>
    private async ValueTask<bool?> DealAsync(StripeCheckoutSettings? checkout, StripeBilling? billing, StripeEvent told, CancellationToken ct)
    {
        if (told.Type.StartsWith("invoice.", StringComparison.Ordinal)) return billing is null || told.Account is { } other && other != billing.Account ? null : await InvoiceAsync(told, ct);
        if (!Kinds.Any(kind => told.Type.StartsWith(kind, StringComparison.Ordinal))) return null;
        if (told.Account is { } account && account != checkout?.Account && account != billing?.Account) return null; // another account of the platform's: not ours to book
        var (dispute, call) = (await disputes.NoteAsync(told, ct), await charges.FindAsync(told.Intent, ct));
        if (told.Type == "charge.dispute.created" && dispute is not null) await OpenedAsync(dispute, call?.Hold, ct);
        if (told.Intent is { } intent && await invoices.FindByReferenceAsync("stripe:" + intent, ct) is { } invoice) return IsOfRefund(told) ? true : await OfInvoiceAsync(invoice, told, dispute, ct);
        if (call is not null) return await charges.ToldAsync(call, told, ct);
        // Its outcome was told before: it must not be frozen for good by what happened earlier.
        if (told.Type != "charge.dispute.closed" && dispute is { IsClosed: true }) return true;
        if (checkout is not null && !IsOfRefund(told)) return await sale.ToldAsync(checkout, told, ct);
        if (told.Intent is null || !charges.Listens) return null;
        await events.NoteAsync(told, ct); // of a call that is not known to be paid yet, maybe: kept until it is
        return true;
    }

    /// <summary>The trail hears of it once, of however many nodes Stripe tells and however often: nothing moves, under the dispute's own name.</summary>
    private async ValueTask OpenedAsync(Dispute dispute, Hold? paid, CancellationToken ct)
    {
        var happened = new AuditEvent { Kind = AuditKinds.DisputeOpened, Correlation = paid?.Correlation ?? Ids.New("c"), Operation = paid?.Operation, Payer = paid?.Payer, Request = paid?.Request, Amount = dispute.Amount.ToString(), Reference = dispute.Id, Reason = dispute.Reason };
        await ledger.PostAsync(new Transfer($"disputed:{dispute.Id}", "external:stripe", "loss:disputed", Money.Zero(dispute.Amount.Currency), "disputed", LimitedFrom: false, LimitedTo: false) { Correlation = happened.Correlation, Events = [happened] }, ct);
    }

    /// <summary>About one refund, which <c>charge.refunded</c> says in all.</summary>
    private static bool IsOfRefund(StripeEvent told) => told.Type.StartsWith("refund.", StringComparison.Ordinal) || told.Type.StartsWith("charge.refund.", StringComparison.Ordinal);

    private async ValueTask<bool?> InvoiceAsync(StripeEvent told, CancellationToken ct)
    {
        if (told.Invoice is not { } id || await invoices.FindByStripeAsync(id, ct) is not { } invoice) return null;
        if (!await events.NoteAsync(told, ct)) return true;
        if (!await invoicer.LookAsync(invoice, ct)) return false;
        await events.DoneAsync(told.Id, ct);
        return true;
    }

    /// <summary>A payment of an invoice went back to its customer, in Stripe's dashboard or through a bank.</summary>
    private async ValueTask<bool?> OfInvoiceAsync(Invoice invoice, StripeEvent told, Dispute? dispute, CancellationToken ct)
    {
        if (!await events.NoteAsync(told, ct)) return true;
        if (told is { Type: "charge.refunded", Amount: { } minor }) await RefundedAsync(invoice, minor, ct);
        if (told.Type == "charge.dispute.closed" && dispute is { Status: "lost" })
            await ledger.PostAsync(new Transfer($"dispute:{dispute.Id}", "loss:disputed", "external:stripe", dispute.Amount, "lost in a dispute", LimitedFrom: false, LimitedTo: false)
            {
                Correlation = invoice.Id,
                Events = [new AuditEvent { Kind = AuditKinds.PurchaseReversed, Correlation = invoice.Id, Caller = invoice.Caller, Amount = dispute.Amount.ToString(), Reference = invoice.Id, Detail = "lost in a dispute" }],
            }, ct);
        await events.DoneAsync(told.Id, ct);
        return true;
    }

    /// <summary>So much has gone back in all, by our credit notes or without us: what is not known here yet becomes a credit note.</summary>
    private async ValueTask RefundedAsync(Invoice invoice, long minor, CancellationToken ct)
    {
        var known = Money.Zero(invoice.Currency);
        foreach (var note in (await invoices.NotesAsync(invoice.Id, ct)).Where(n => n.PaidOut)) known += note.Amount;
        var (all, left) = (StripeCurrencies.OfMinor(minor, invoice.Currency), invoice.Charged - invoice.Credited);
        if (all <= known || left.IsZero) return;
        var more = all - known < left ? all - known : left; // beyond that it is tax
        if (await desk.WriteNoteAsync(invoice.Id, more, "refunded at Stripe", $"stripe-{minor}", ct) is { } made) await invoices.CreditedAsync(made.Id, "stripe", ct);
        if (all - known > more) await ledger.PostAsync(new Transfer($"taxback:{invoice.Id}:{minor}", "tax:stripe", "external:stripe", all - known - more, "tax", LimitedFrom: false, LimitedTo: false) { Correlation = invoice.Id }, ct);
    }
}
