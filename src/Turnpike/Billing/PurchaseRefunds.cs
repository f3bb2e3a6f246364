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
    /// <param name="amount">How much; null: what the token has left, and no more than is left of its price.</param>
    public async ValueTask<string?> RefundAsync(Purchase order, Money? amount, string reason, string key, CancellationToken ct)
    {
        if (order is { Status: PurchaseStatus.Paid, ByTestMoney: true }) return await ReturnAsync(order, amount, key, ct);
        if (order is not { Status: PurchaseStatus.Paid, Intent: { } intent } || catalog.Current.Settings.Get<PaymentSettings>()?.Prepaid?.Checkout is not { } settings) return "It was not paid by Stripe, or Stripe is not configured any more.";
        var access = StripeAccess.Of(settings);
        var all = await stripe.GetAsync(access, $"v1/refunds?limit=100&payment_intent={Uri.EscapeDataString(intent)}", ct);
        if (!all.IsGood) return all.Why;
        // Found by its name: the key of an order of yesterday is not known to Stripe any more.
        if (!all.Data.Any(r => r.Metadata("turnpike_refund") == key))
        {
            var wanted = amount ?? InvoiceMaker.Coins(await LeftAsync(order, ct));
            if (wanted.IsZero || StripeCurrencies.ExactlyOf(wanted) is not { } minor) return "There is nothing left of it, or it is no whole number of the currency's coins.";
            List<KeyValuePair<string, string>> form = [new("payment_intent", intent), new("amount", minor.ToString(CultureInfo.InvariantCulture)), new("reason", "requested_by_customer"), new("metadata[turnpike_refund]", key), new("metadata[turnpike_reason]", reason.Length <= 500 ? reason : reason[..500])];
            if (settings is { Account: not null, Fee: > 0 }) form.Add(new("refund_application_fee", "true"));
            var said = await stripe.PostAsync(access, "v1/refunds", $"turnpike-refund-{order.Id}-{key}", form, ct);
            if (!said.IsGood) return said.Why;
            all = await stripe.GetAsync(access, $"v1/refunds?limit=100&payment_intent={Uri.EscapeDataString(intent)}", ct);
            if (!all.IsGood) return all.Why;
        }
        var back = all.Data.Where(r => r["status"] is not ("failed" or "canceled")).Sum(r => r.Number("amount") ?? 0);
        return await sale.ToldAsync(settings, new StripeEvent($"refund:{order.Id}:{key}", "charge.refunded") { Intent = intent, Amount = back }, ct) ? null : "Another word of the same payment is being booked; order it again.";
    }

    /// <summary>The orders of a token, the one that made it first; also of one that took another's place: both spend the same account.</summary>
    public async ValueTask<IReadOnlyList<Purchase>> OfAsync(string token, CancellationToken ct) =>
        await tokens.FindAsync(token, ct) is { } known ? await store.OfAccountAsync(known.Account, ct) : [];

    /// <summary>What of its price went back.</summary>
    public async ValueTask<Money> RefundedAsync(Purchase order, CancellationToken ct) => await sale.RefundedAsync(order, ct) ?? Money.Zero(order.Price.Currency);

    /// <summary>No rail has to be asked: what was paid at our own till goes back by a word of ours.</summary>
    private async ValueTask<string?> ReturnAsync(Purchase order, Money? amount, string key, CancellationToken ct)
    {
        if (await store.IsReturnedAsync(order, key, ct)) return null;
        var wanted = amount ?? await LeftAsync(order, ct);
        return !wanted.IsZero && await sale.ReturnTestMoneyAsync(order, wanted, key, ct) ? null : "There is nothing left of it, or less than that.";
    }

    private async ValueTask<Money> LeftAsync(Purchase order, CancellationToken ct)
    {
        var rest = order.Price - await RefundedAsync(order, ct);
        // By the account: what took the token's place spends what it had.
        if (await tokens.CurrentAsync(order.Token, ct) is not { } token) return Money.Zero(rest.Currency);
        var (left, _) = await tokens.LeftAsync(token, ct);
        return left < rest ? left : rest;
    }
}
