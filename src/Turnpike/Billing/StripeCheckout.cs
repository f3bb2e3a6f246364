using System.Globalization;
using Turnpike.Billing.Invoices;
using Turnpike.Catalog;
using Turnpike.Payments;
using Turnpike.Payments.Stripe;

namespace Turnpike.Billing;

/// <summary>A checkout session as Stripe has it. <paramref name="Amount"/> is in the currency's minor unit.</summary>
internal sealed record CheckoutSession(string Id, string? Url, string Status, string PaymentStatus, string? Intent, string? Purchase, long? Amount, string? Currency)
{
    public bool IsPaid => PaymentStatus == "paid";
}

/// <summary>
/// The corner of Stripe's API that selling bundles needs: sessions are made and looked at. On a connected account it is a direct
/// charge (<c>Stripe-Account</c>): the provider is paid, and the platform's fee is taken from the payment, once.
/// </summary>
internal sealed class StripeCheckout(HttpClients clients)
{
    private const long MostBytes = 256 * 1024;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    /// <summary>Begins a sale; null when Stripe did not say yes. Asked again for the same order, Stripe repeats its answer.</summary>
    /// <param name="back">The page of the operation's bundles, absolute.</param>
    /// <param name="consent">What the buyer agrees to with this payment, so that the card is kept for it; null: nothing.</param>
    public async ValueTask<CheckoutSession?> BeginAsync(StripeCheckoutSettings settings, Purchase order, string back, string? consent, CancellationToken ct)
    {
        var minor = StripeCurrencies.MinorOf(order.Price)!.Value;
        List<KeyValuePair<string, string>> form =
        [
            new("mode", "payment"),
            new("line_items[0][quantity]", "1"),
            new("line_items[0][price_data][currency]", order.Price.Currency.ToLowerInvariant()),
            new("line_items[0][price_data][unit_amount]", minor.ToString(CultureInfo.InvariantCulture)),
            new("line_items[0][price_data][product_data][name]", $"{order.Budget} of calls to {order.Operation}"),
            new("client_reference_id", order.Id),
            new("metadata[turnpike_purchase]", order.Id),
            new("payment_intent_data[metadata][turnpike_purchase]", order.Id),
            new("success_url", back + "/done?session_id={CHECKOUT_SESSION_ID}"),
            new("cancel_url", back),
        ];
        if (consent is not null)
        {
            form.Add(new("customer_creation", "always"));
            form.Add(new("payment_intent_data[setup_future_usage]", "off_session"));
            form.Add(new("custom_text[submit][message]", consent));
        }
        if (FeeOf(settings, minor) is > 0 and var fee) form.Add(new("payment_intent_data[application_fee_amount]", fee.ToString(CultureInfo.InvariantCulture)));
        using var request = new HttpRequestMessage(HttpMethod.Post, StripeCalls.At(StripeAccess.Of(settings), "v1/checkout/sessions")) { Content = new FormUrlEncodedContent(form) };
        request.Headers.Add("Idempotency-Key", "turnpike-" + order.Id);
        return await SendAsync(settings, request, ct);
    }

    /// <summary>The platform's share, in minor units.</summary>
    public static long FeeOf(StripeCheckoutSettings settings, long minor) => (long)((Int128)minor * settings.Fee / 10_000);

    /// <summary>What became of it; null when Stripe does not know it or says nothing.</summary>
    public async ValueTask<CheckoutSession?> FindAsync(StripeCheckoutSettings settings, string session, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, StripeCalls.At(StripeAccess.Of(settings), "v1/checkout/sessions/" + Uri.EscapeDataString(session)));
        return await SendAsync(settings, request, ct);
    }

    private async ValueTask<CheckoutSession?> SendAsync(StripeCheckoutSettings settings, HttpRequestMessage request, CancellationToken ct)
    {
        using var http = clients(settings.Api, Timeout, MostBytes);
        return await StripeCalls.SendAsync(http, StripeAccess.Of(settings), StripeCalls.Version, request, ct) is { IsGood: true } said && said["id"] is { } id && said["payment_status"] is { } paid
            ? new CheckoutSession(id, said["url"], said["status"] ?? "", paid, said["payment_intent"], said.Metadata("turnpike_purchase"), said.Number("amount_total"), said["currency"]) : null;
    }
}
