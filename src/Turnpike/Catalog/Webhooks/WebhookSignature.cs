using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;

namespace Turnpike.Catalog.Webhooks;

/// <summary>
/// Signs what we post elsewhere, as Standard Webhooks 1.0 has it: HMAC-SHA256 over id, time and body in <c>webhook-id</c>,
/// <c>webhook-timestamp</c>, <c>webhook-signature: v1,…</c>. The id stays the same when it is sent again.
/// </summary>
internal static class WebhookSignature
{
    private const string Prefix = "whsec_";

    /// <summary>A signed POST of this JSON.</summary>
    public static HttpRequestMessage Sign(Uri url, byte[] body, Secret secret, string id, DateTimeOffset now)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        Sign(request, body, [OfAnyText(secret.Reveal())], id, now);
        return request;
    }

    /// <summary>By each key: while a secret changes, the receiver knows one of them.</summary>
    public static void Sign(HttpRequestMessage request, byte[] body, IEnumerable<byte[]> keys, string id, DateTimeOffset now)
    {
        // No dot in it: the signed text is id.timestamp.body, and an id with dots could be read in two ways.
        id = id.Replace('.', '_');
        var at = now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        request.Headers.TryAddWithoutValidation("webhook-id", id);
        request.Headers.TryAddWithoutValidation("webhook-timestamp", at);
        request.Headers.TryAddWithoutValidation("webhook-signature", string.Join(' ', keys.Select(key => Of(key, id, at, body))));
    }

    public static string Of(byte[] key, string id, string at, byte[] body) => "v1," + Convert.ToBase64String(HMACSHA256.HashData(key, (byte[])[.. Encoding.UTF8.GetBytes($"{id}.{at}."), .. body]));

    /// <summary>The key in a secret as the specification writes it, base64 with or without <c>whsec_</c>; null when it is none.</summary>
    public static byte[]? KeyOf(string secret)
    {
        var text = secret.StartsWith(Prefix, StringComparison.Ordinal) ? secret[Prefix.Length..] : secret;
        var buffer = new byte[text.Length];
        return Convert.TryFromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '='), buffer, out var length) ? buffer[..length] : null;
    }

    /// <summary>Where any text may be a secret: with <c>whsec_</c> as the specification writes it, else its bytes.</summary>
    private static byte[] OfAnyText(string secret) => secret.StartsWith(Prefix, StringComparison.Ordinal) && KeyOf(secret) is { } key ? key : Encoding.UTF8.GetBytes(secret);
}
