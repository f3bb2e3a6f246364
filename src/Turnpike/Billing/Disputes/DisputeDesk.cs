using System.Globalization;
using System.Text;
using Turnpike.Audit;
using Turnpike.Billing.Invoices;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Tokens;

namespace Turnpike.Billing.Disputes;

/// <summary>Answers disputes with what the books know: what was sold, when it was shown, and every call it paid for with its receipt.</summary>
internal sealed class DisputeDesk(DisputeStore disputes, PurchaseStore purchases, InvoiceStore invoices, ChargeDesk charges, StripeCalls stripe, ILedger ledger, TokenDesk tokens, IAuditTrail audit, CatalogSource catalog)
{
    private const int MostText = 20_000, MostCalls = 500;

    /// <summary>The evidence as Stripe takes it; null when the disputed payment is none of ours.</summary>
    public async ValueTask<IReadOnlyList<KeyValuePair<string, string>>?> EvidenceAsync(Dispute dispute, CancellationToken ct)
    {
        if (await purchases.FindByIntentAsync(dispute.Intent, ct) is { } order)
        {
            var token = await tokens.FindAsync(order.Token, ct);
            var calls = await ledger.ListAsync(new HoldFilter(Payer: token?.Account ?? Token.AccountOf(order.Token), Most: MostCalls), ct);
            return Form($"Prepaid access to the API operation {order.Operation}: a token with a budget of {order.Budget}, sold as {order.Id}.", order.Created, calls,
                (order.Session is { } page ? $"The token was created when the payment arrived, and its text was shown to the buyer {order.Shown} time(s) on the page of the checkout session {page}." : "The buyer had agreed in the checkout that the token is topped up by this charge whenever it runs low, and could end that at any time.") + $" It is {token?.Status.ToString().ToLowerInvariant() ?? "gone"} now. Each call below was made with it, and each was answered before it was charged.");
        }
        if (await charges.FindAsync(dispute.Intent, ct) is { } call)
            return Form($"One call of the API operation {call.Hold.Operation}, paid for in the request itself by a payment token the buyer had granted, receipt {call.Hold.Receipt}.", call.Created, [call],
                $"The request was {call.Hold.Request}. Its answer was {call.Outcome.ToString().ToLowerInvariant()}. The buyer was shown the price of {call.Captured} before the payment token was presented for it.");
        if (await invoices.FindByReferenceAsync("stripe:" + dispute.Intent, ct) is not { } invoice) return null;
        var billed = (await ledger.ListAsync(new HoldFilter(Payer: "caller:" + invoice.Caller, Most: MostCalls), ct)).Where(h => h.Created >= invoice.Start && h.Created < invoice.End && h.Hold.Method == "postpaid").ToList();
        return Form($"Calls on account to an API by {invoice.Caller} from {invoice.Start:yyyy-MM-dd} to {invoice.End:yyyy-MM-dd}, invoice {invoice.Name} over {invoice.Charged}.", invoice.Start, billed,
            $"The calls were authenticated as this customer and answered before they were charged. The invoice has {invoice.Lines.Count} line(s): {string.Join("; ", invoice.Lines.Select(l => l.Text(invoice.Currency)))}.");
    }

    /// <summary>Sends it to Stripe, once: what is submitted cannot be changed. Null: done; else why not.</summary>
    public async ValueTask<string?> SubmitAsync(Dispute dispute, string? words, CancellationToken ct)
    {
        if (dispute.IsClosed || dispute.Submitted is not null) return "It is closed, or its evidence has been submitted.";
        if (await AccessAsync(dispute, ct) is not { } access) return "Stripe is not configured any more.";
        if (await EvidenceAsync(dispute, ct) is not { } evidence) return "The disputed payment is none of ours.";
        List<KeyValuePair<string, string>> form = [.. evidence.Select(e => KeyValuePair.Create($"evidence[{e.Key}]", e.Value)), new("submit", "true")];
        if (words is not null) form.Add(new("evidence[refund_refusal_explanation]", words));
        var said = await stripe.PostAsync(access, "v1/disputes/" + Uri.EscapeDataString(dispute.Id), "turnpike-evidence-" + dispute.Id, form, ct);
        if (!said.IsGood) return said.Why;
        await disputes.SubmittedAsync(dispute.Id, said["status"] ?? "under_review", ct);
        await audit.RecordAsync(new AuditEvent { Kind = AuditKinds.DisputeAnswered, Correlation = Ids.New("c"), Amount = dispute.Amount.ToString(), Reference = dispute.Id, Detail = words }, ct);
        return null;
    }

    private static List<KeyValuePair<string, string>> Form(string what, DateTimeOffset since, IReadOnlyList<HoldState> calls, string words)
    {
        var log = new StringBuilder("time (UTC), request, amount, status, receipt\n");
        foreach (var call in calls.Where(c => c.Captured.Units > 0 && !c.Hold.IsRefund).OrderBy(c => c.Sequence))
        {
            var line = string.Create(CultureInfo.InvariantCulture, $"{call.Created.UtcDateTime:u}, {call.Hold.Request}, {call.Captured}, {call.Outcome.ToString().ToLowerInvariant()}, {call.Hold.Receipt}\n");
            if (log.Length + line.Length > MostText) break;
            log.Append(line);
        }
        return [new("product_description", Cut(what)), new("service_date", since.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)), new("access_activity_log", log.ToString()), new("uncategorized_text", Cut(words))];
    }

    private static string Cut(string text) => text.Length <= MostText ? text : text[..MostText];

    /// <summary>The account that took the payment: the one that sends invoices, the checkout's, or the one that calls are charged by.</summary>
    private async ValueTask<StripeAccess?> AccessAsync(Dispute dispute, CancellationToken ct)
    {
        var (payments, billing) = (catalog.Current.Settings.Get<PaymentSettings>(), catalog.Current.Settings.Get<BillingSettings>()?.Stripe);
        if (billing is not null && await invoices.FindByReferenceAsync("stripe:" + dispute.Intent, ct) is not null) return StripeInvoicer.AccessOf(billing);
        if (payments?.Mpp?.Stripe is { } charged && await charges.FindAsync(dispute.Intent, ct) is not null) return new StripeAccess(charged.SecretKey, charged.Api, null);
        return payments?.Prepaid?.Checkout is { } checkout ? StripeAccess.Of(checkout) : null;
    }
}
