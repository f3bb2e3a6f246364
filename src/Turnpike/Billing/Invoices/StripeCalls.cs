using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Payments;
using Turnpike.Protocols.Http;

namespace Turnpike.Billing.Invoices;

/// <summary>Who Stripe is asked as: the key, and the account it is for.</summary>
internal sealed record StripeAccess(Secret SecretKey, Uri Api, string? Account)
{
    public static StripeAccess Of(StripeCheckoutSettings settings) => new(settings.SecretKey, settings.Api, settings.Account);
}

/// <summary>What Stripe said. Status 0: nothing.</summary>
internal sealed record StripeSaid(int Status, JsonElement? Body)
{
    /// <summary>It broke when this key was first used, and will say so for as long as it keeps the key. What it did by then nobody knows.</summary>
    public bool IsBrokenForGood { get; init; }

    public bool IsGood => Status is >= 200 and < 300 && Body is not null;

    public string? this[string name] => Body is { } json && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    public long? Number(string name) => Body is { } json && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : null;

    /// <summary>The members of a list.</summary>
    public IEnumerable<StripeSaid> Data => Body is { } json && json.TryGetProperty("data", out var data) && data.ValueKind == JsonValueKind.Array ? data.EnumerateArray().Select(one => new StripeSaid(Status, one)) : [];

    public string? Metadata(string name) => Body is { } json && json.TryGetProperty("metadata", out var metadata) && metadata.ValueKind == JsonValueKind.Object ? new StripeSaid(Status, metadata)[name] : null;

    /// <summary>An object inside this one; null where there is none.</summary>
    public StripeSaid? Inner(string name) => Body is { } json && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object ? new StripeSaid(Status, value) : null;

    /// <summary>What went wrong, for an operator: never a credential.</summary>
    public string Why => Status == 0 ? "Stripe does not answer." : Body is { } json && json.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.Object
        ? $"Stripe answered {Status}: {new StripeSaid(Status, error)["message"] ?? new StripeSaid(Status, error)["code"]}" : $"Stripe answered {Status}.";
}

/// <summary>The part of Stripe's API that billing needs: forms in, JSON out, one version, an idempotency key on everything that creates.</summary>
internal sealed class StripeCalls(HttpClients clients)
{
    /// <summary>Stripe keeps keys for a day at least; after that a repetition could create anew.</summary>
    public static readonly TimeSpan KeyKept = TimeSpan.FromHours(23);

    private const long MostBytes = 1024 * 1024;
    /// <summary>Of requests and answers; Stripe keeps every version.</summary>
    public const string Version = "2023-08-16";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    public async ValueTask<StripeSaid> PostAsync(StripeAccess access, string path, string idempotencyKey, IEnumerable<KeyValuePair<string, string>> form, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, At(access, path)) { Content = new FormUrlEncodedContent(form) };
        request.Headers.Add("Idempotency-Key", idempotencyKey);
        return await SendAsync(access, request, ct);
    }

    /// <summary>The same, where the key may have been spent on a failure of Stripe's own: then it is looked for, and made under a new key if it is not there.</summary>
    /// <param name="look">What has been made before; null: nothing.</param>
    public async ValueTask<StripeSaid> PostAsync(StripeAccess access, string path, string idempotencyKey, IReadOnlyList<KeyValuePair<string, string>> form, Func<ValueTask<StripeSaid?>> look, CancellationToken ct)
    {
        var said = await PostAsync(access, path, idempotencyKey, form, ct);
        return said.IsBrokenForGood ? await look() ?? await PostAsync(access, path, $"{idempotencyKey}-{Ids.New("k")}", form, ct) : said;
    }

    /// <summary>The member of a list that we have given this name.</summary>
    public async ValueTask<StripeSaid?> FindAsync(StripeAccess access, string path, string name, string value, CancellationToken ct)
    {
        var all = await GetAsync(access, path, ct);
        return all.IsGood ? all.Data.FirstOrDefault(one => one.Metadata(name) == value) : all;
    }

    public async ValueTask<StripeSaid> GetAsync(StripeAccess access, string path, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, At(access, path));
        return await SendAsync(access, request, ct);
    }

    private async ValueTask<StripeSaid> SendAsync(StripeAccess access, HttpRequestMessage request, CancellationToken ct)
    {
        using var http = clients(access.Api, Timeout, MostBytes);
        return await SendAsync(http, access, Version, request, ct);
    }

    /// <summary>Sends it as whom we are; what is no answer is status 0.</summary>
    public static async ValueTask<StripeSaid> SendAsync(HttpClient http, StripeAccess access, string version, HttpRequestMessage request, CancellationToken ct)
    {
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes(access.SecretKey.Reveal() + ":")));
        request.Headers.Add("Stripe-Version", version);
        if (access.Account is { } account) request.Headers.Add("Stripe-Account", account);
        try
        {
            using var response = await http.SendAsync(request, ct);
            var replayed = response.Headers.TryGetValues("Idempotent-Replayed", out var values) && values.Contains("true", StringComparer.OrdinalIgnoreCase);
            return new StripeSaid((int)response.StatusCode, StrictJson.Parse(await response.Content.ReadAsByteArrayAsync(ct)) is { ValueKind: JsonValueKind.Object } json ? json : null) { IsBrokenForGood = replayed && (int)response.StatusCode >= 500 };
        }
        catch (Exception e) when (e is HttpRequestException or InvalidOperationException) { return new StripeSaid(0, null); }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested) { return new StripeSaid(0, null); }
    }

    public static Uri At(StripeAccess access, string path) => new(access.Api.AbsoluteUri.TrimEnd('/') + "/" + path);
}
