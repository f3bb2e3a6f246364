using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Turnpike.Catalog;

namespace Turnpike.Payments.Stripe;

/// <summary>What Stripe said: its HTTP status, its object, and whether it repeats an earlier answer. Status 0: it said nothing.</summary>
internal sealed record StripeAnswer(int Status, StripeReply? Reply, bool Replayed);

/// <summary>The corner of Stripe's API that charges need: form-encoded, one version, one idempotency key per challenge.</summary>
internal sealed class StripeClient(HttpClient http, StripeSettings settings)
{
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);
    public const long MostBytes = 256 * 1024;

    /// <summary>The metadata that names a refund of ours.</summary>
    public const string RefundName = "turnpike_refund";

    private const string Version = "2026-07-29.preview";
    private readonly AuthenticationHeaderValue key = new("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes(settings.SecretKey.Reveal() + ":")));

    /// <summary>Charges a Shared Payment Token: creates and confirms a PaymentIntent. Asked again with the same terms, Stripe repeats its answer.</summary>
    public ValueTask<StripeAnswer> ChargeAsync(StripeTerms terms, CancellationToken ct) => PostAsync("v1/payment_intents", terms.IdempotencyKey,
    [
        new("amount", terms.Amount.ToString(CultureInfo.InvariantCulture)),
        new("currency", terms.Currency),
        new("confirm", "true"),
        new("automatic_payment_methods[enabled]", "true"),
        new("automatic_payment_methods[allow_redirects]", "never"),
        new("shared_payment_granted_token", terms.Spt),
        new("metadata[machine_payment]", "true"),
        new("metadata[mpp_sdk]", "turnpike"),
        new("metadata[mpp_intent]", "charge"),
        new("metadata[mpp_challenge_id]", terms.Challenge),
    ], ct);

    /// <summary>Ends an intent that waits for its payer, who will not come.</summary>
    public ValueTask<StripeAnswer> CancelAsync(string intent, string idempotencyKey, CancellationToken ct) =>
        PostAsync($"v1/payment_intents/{Uri.EscapeDataString(intent)}/cancel", idempotencyKey + "_cancel", [], ct);

    /// <summary>The intent of a challenge, for when its idempotency key is too old to be repeated; a reply without id means that there is none.</summary>
    public async ValueTask<StripeAnswer> FindAsync(string challenge, CancellationToken ct)
    {
        var query = Uri.EscapeDataString($"metadata['mpp_challenge_id']:'{challenge}'");
        using var request = new HttpRequestMessage(HttpMethod.Get, At("v1/payment_intents/search?limit=1&query=" + query));
        var (status, list, _) = await SendAsync(request, StripeJson.Default.StripeList, ct);
        return new StripeAnswer(status, list is null ? null : list.Data.FirstOrDefault() ?? new StripeReply(), Replayed: false);
    }

    /// <summary>Gives back of a charge; asked again for the same, Stripe repeats its answer.</summary>
    public ValueTask<StripeAnswer> RefundAsync(StripeRefund refund, CancellationToken ct) => PostAsync("v1/refunds", "turnpike_" + refund.Refund,
    [
        new("payment_intent", refund.Intent),
        new("amount", refund.Amount.ToString(CultureInfo.InvariantCulture)),
        new($"metadata[{RefundName}]", refund.Refund),
    ], ct);

    /// <summary>A refund as it stands.</summary>
    public async ValueTask<StripeAnswer> RefundAsync(string id, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, At("v1/refunds/" + Uri.EscapeDataString(id)));
        var (status, reply, _) = await SendAsync(request, StripeJson.Default.StripeReply, ct);
        return new StripeAnswer(status, reply, Replayed: false);
    }

    /// <summary>The refunds of an intent, a hundred at most; null when Stripe does not tell.</summary>
    public async ValueTask<IReadOnlyList<StripeReply>?> RefundsOfAsync(string intent, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, At("v1/refunds?limit=100&payment_intent=" + Uri.EscapeDataString(intent)));
        var (status, list, _) = await SendAsync(request, StripeJson.Default.StripeList, ct);
        return status is >= 200 and < 300 ? list?.Data : null;
    }

    private async ValueTask<StripeAnswer> PostAsync(string path, string idempotencyKey, KeyValuePair<string, string>[] form, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, At(path)) { Content = new FormUrlEncodedContent(form) };
        request.Headers.Add("Idempotency-Key", idempotencyKey);
        var (status, reply, replayed) = await SendAsync(request, StripeJson.Default.StripeReply, ct);
        return new StripeAnswer(status, reply, replayed);
    }

    private async ValueTask<(int Status, T? Body, bool Replayed)> SendAsync<T>(HttpRequestMessage request, JsonTypeInfo<T> type, CancellationToken ct) where T : class
    {
        request.Headers.Authorization = key;
        request.Headers.Add("Stripe-Version", Version);
        try
        {
            using var response = await http.SendAsync(request, ct);
            var body = JsonSerializer.Deserialize(await response.Content.ReadAsByteArrayAsync(ct), type);
            var replayed = response.Headers.TryGetValues("Idempotent-Replayed", out var values) && values.Contains("true", StringComparer.OrdinalIgnoreCase);
            return ((int)response.StatusCode, body, replayed);
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or InvalidOperationException) { return (0, null, false); }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested) { return (0, null, false); }
    }

    private Uri At(string path) => new(settings.Api.AbsoluteUri.TrimEnd('/') + "/" + path);
}
