using Turnpike.Billing.Invoices;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Payments;

namespace Turnpike.Billing;

/// <summary><c>POST /webhooks/stripe</c>: what Stripe tells. A signed word only makes us look; the same one twice changes nothing.</summary>
internal static class WebhooksApi
{
    private const int MostBody = 512 * 1024;

    public static void MapWebhooks(this WebApplication app) => app.MapPost("/webhooks/stripe", async (HttpRequest request, CatalogSource catalog, StripeInbox inbox, TimeProvider time, CancellationToken ct) =>
    {
        var payments = catalog.Current.Settings.Get<PaymentSettings>();
        var (checkout, billing) = (payments?.Prepaid?.Checkout, catalog.Current.Settings.Get<BillingSettings>()?.Stripe);
        IReadOnlyList<Secret> secrets = [.. checkout?.WebhookSecrets ?? [], .. billing?.WebhookSecrets ?? [], .. payments?.Mpp?.StripeWebhookSecrets ?? []];
        if (secrets.Count == 0) return BuyAnswers.Problem(Reasons.NotFound, "Stripe tells us nothing here.");
        if (await ReadAsync(request, MostBody, ct) is not { } body) return BuyAnswers.Problem(Reasons.MalformedRequest, $"An event has at most {MostBody / 1024} KiB.");
        // Before anything of the body is looked at: whoever cannot sign is not listened to.
        if (!StripeSignature.Holds(request.Headers["Stripe-Signature"].ToString(), body, secrets.Select(s => s.Reveal()), time.GetUtcNow()))
            return BuyAnswers.Problem(Reasons.MalformedRequest, "Stripe-Signature does not fit the body, or is too old.");
        if (StripeEvent.Parse(body) is not { } told) return BuyAnswers.Problem(Reasons.MalformedRequest, "The body is no event.");
        return await inbox.ToldAsync(checkout, billing, told, ct) ? Results.Ok() : BuyAnswers.Problem(Reasons.VerifierDown, "Stripe could not be asked; tell it again.");
    });

    /// <summary>The raw bytes, as they were signed; null when there are more.</summary>
    public static async ValueTask<byte[]?> ReadAsync(HttpRequest request, int most, CancellationToken ct)
    {
        if (request.ContentLength > most) return null;
        using var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        int read;
        while ((read = await request.Body.ReadAsync(buffer, ct)) > 0)
        {
            if (body.Length + read > most) return null;
            body.Write(buffer, 0, read);
        }
        return body.ToArray();
    }
}
