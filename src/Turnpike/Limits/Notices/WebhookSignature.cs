using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Turnpike.Catalog;

namespace Turnpike.Limits.Notices;

/// <summary>Signs what we post elsewhere, as Standard Webhooks do: <c>webhook-id</c>, <c>webhook-timestamp</c>, <c>webhook-signature: v1,…</c>.</summary>
internal static class WebhookSignature
{
    /// <summary>A signed POST of this JSON.</summary>
    public static HttpRequestMessage Sign(Uri url, byte[] body, Secret secret, string id, DateTimeOffset now)
    {
        var at = now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        byte[] signed = [.. Encoding.UTF8.GetBytes($"{id}.{at}."), .. body];
        var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.TryAddWithoutValidation("webhook-id", id);
        request.Headers.TryAddWithoutValidation("webhook-timestamp", at);
        request.Headers.TryAddWithoutValidation("webhook-signature", "v1," + Convert.ToBase64String(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret.Reveal()), signed)));
        return request;
    }
}
