using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Payments;
using Turnpike.Payments.Stripe;
using Turnpike.Protocols.Http;

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
    private const string Version = "2025-03-31.basil";
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    /// <summary>Begins a sale; null when Stripe did not say yes. Asked again for the same order, Stripe repeats its answer.</summary>
    /// <param name="back">The page of the operation's bundles, absolute.</param>
    public async ValueTask<CheckoutSession?> BeginAsync(StripeCheckoutSettings settings, Purchase order, string back, CancellationToken ct)
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
        var fee = (long)((Int128)minor * settings.Fee / 10_000);
        if (fee > 0) form.Add(new("payment_intent_data[application_fee_amount]", fee.ToString(CultureInfo.InvariantCulture)));
        using var request = new HttpRequestMessage(HttpMethod.Post, At(settings, "v1/checkout/sessions")) { Content = new FormUrlEncodedContent(form) };
        request.Headers.Add("Idempotency-Key", "turnpike-" + order.Id);
        return await SendAsync(settings, request, ct);
    }

    /// <summary>What became of it; null when Stripe does not know it or says nothing.</summary>
    public async ValueTask<CheckoutSession?> FindAsync(StripeCheckoutSettings settings, string session, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, At(settings, "v1/checkout/sessions/" + Uri.EscapeDataString(session)));
        return await SendAsync(settings, request, ct);
    }

    private async ValueTask<CheckoutSession?> SendAsync(StripeCheckoutSettings settings, HttpRequestMessage request, CancellationToken ct)
    {
        using var http = clients(settings.Api, Timeout, MostBytes);
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes(settings.SecretKey.Reveal() + ":")));
        request.Headers.Add("Stripe-Version", Version);
        if (settings.Account is { } account) request.Headers.Add("Stripe-Account", account);
        try
        {
            using var response = await http.SendAsync(request, ct);
            return response.IsSuccessStatusCode && StrictJson.Parse(await response.Content.ReadAsByteArrayAsync(ct)) is { ValueKind: JsonValueKind.Object } json ? Read(json) : null;
        }
        catch (Exception e) when (e is HttpRequestException or InvalidOperationException) { return null; }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested) { return null; }
    }

    private static CheckoutSession? Read(JsonElement json) => Text(json, "id") is { } id && Text(json, "payment_status") is { } paid
        ? new CheckoutSession(id, Text(json, "url"), Text(json, "status") ?? "", paid, Text(json, "payment_intent"),
            json.TryGetProperty("metadata", out var metadata) && metadata.ValueKind == JsonValueKind.Object ? Text(metadata, "turnpike_purchase") : null,
            json.TryGetProperty("amount_total", out var total) && total.ValueKind == JsonValueKind.Number && total.TryGetInt64(out var amount) ? amount : null, Text(json, "currency"))
        : null;

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static Uri At(StripeCheckoutSettings settings, string path) => new(settings.Api.AbsoluteUri.TrimEnd('/') + "/" + path);
}
