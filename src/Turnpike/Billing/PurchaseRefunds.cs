using System.Globalization;
using Turnpike.Billing.Invoices;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Payments.Stripe;
using Turnpike.Tokens;

namespace Turnpike.Billing;

/// <summary>
/// Gives the money for a bought token back the way it came, the platform's fee with it. Stripe is asked under one key, then how much
/// has gone back in all; that is booked as if Stripe had told it, so that its own word of it later changes nothing.
/// </summary>
internal sealed class PurchaseRefunds(PurchaseStore store, TokenSale sale, TokenDesk tokens, StripeCalls stripe, CatalogSource catalog)
{
    /// <summary>Null: done; else why not.</summary>
    /// <param name="amount">How much; null: what the token has left, and no more than its price.</param>
    public async ValueTask<string?> RefundAsync(Purchase order, Money? amount, string reason, string key, CancellationToken ct)
    {
        if (order is not { Status: PurchaseStatus.Paid, Intent: { } intent } || catalog.Current.Settings.Get<PaymentSettings>()?.Prepaid?.Checkout is not { } settings) return "It was not paid by Stripe, or Stripe is not configured any more.";
        if (await AmountAsync(order, amount, ct) is not { } minor) return "There is nothing left of it, or it is no whole number of the currency's coins.";
        var access = StripeAccess.Of(settings);
        List<KeyValuePair<string, string>> form = [new("payment_intent", intent), new("amount", minor.ToString(CultureInfo.InvariantCulture)), new("reason", "requested_by_customer"), new("metadata[turnpike_refund]", key), new("metadata[turnpike_reason]", reason.Length <= 500 ? reason : reason[..500])];
        if (settings is { Account: not null, Fee: > 0 }) form.Add(new("refund_application_fee", "true"));
        var all = await stripe.GetAsync(access, $"v1/refunds?limit=100&payment_intent={Uri.EscapeDataString(intent)}", ct);
        if (!all.IsGood) return all.Why;
        // Found by its name: the key of an order of yesterday is not known to Stripe any more.
        if (!all.Data.Any(r => r.Metadata("turnpike_refund") == key))
        {
            var said = await stripe.PostAsync(access, "v1/refunds", $"turnpike-refund-{order.Id}-{key}", form, ct);
            if (!said.IsGood) return said.Why;
            all = await stripe.GetAsync(access, $"v1/refunds?limit=100&payment_intent={Uri.EscapeDataString(intent)}", ct);
            if (!all.IsGood) return all.Why;
        }
        var back = all.Data.Where(r => r["status"] is not ("failed" or "canceled")).Sum(r => r.Number("amount") ?? 0);
        return await sale.ToldAsync(settings, new StripeEvent($"refund:{order.Id}:{key}", "charge.refunded") { Intent = intent, Amount = back }, ct) ? null : "Another word of the same payment is being booked; order it again.";
    }

    /// <summary>The order of a token, also of one that took another's place: both spend the same account.</summary>
    public async ValueTask<Purchase?> OfAsync(string token, CancellationToken ct) =>
        await tokens.FindAsync(token, ct) is { } known ? await store.FindByTokenAsync(known.Account["token:".Length..], ct) : null;

    private async ValueTask<long?> AmountAsync(Purchase order, Money? amount, CancellationToken ct)
    {
        if (amount is { } wanted) return StripeCurrencies.ExactlyOf(wanted);
        if (await tokens.FindAsync(order.Token, ct) is not { } token) return null;
        var (left, _) = await tokens.LeftAsync(token, ct);
        var most = InvoiceMaker.Coins(left < order.Price ? left : order.Price);
        return most.IsZero ? null : StripeCurrencies.ExactlyOf(most);
    }
}
