using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Turnpike.Catalog;

namespace Turnpike.Billing.Export;

/// <summary>One message an event, signed as Standard Webhooks 1.0 has it: HMAC-SHA256 over id, time and body. The id stays the same when it is sent again.</summary>
internal sealed class WebhookSink(ExportTarget.Webhook target, HttpClients clients, TimeSpan timeout, TimeProvider time) : HttpSink(clients, target.Url, timeout)
{
    private const string Prefix = "whsec_";

    public override int Most => 1;

    public override async ValueTask<Sent> SendAsync(IReadOnlyList<OutboxRow> batch, CancellationToken ct)
    {
        foreach (var row in batch)
        {
            var body = UsageJson.Write(json =>
            {
                json.WriteStartObject();
                json.WriteString("type", row.Record.IsCorrection ? "usage.corrected" : "usage.recorded");
                json.WriteString("timestamp", UsageJson.Text(row.Record.Happened));
                json.WriteString("subject", row.Subject);
                json.WriteString("source", row.Record.Source);
                json.WriteString("id", row.Record.Id);
                json.WritePropertyName("data");
                UsageJson.WriteData(json, row.Record);
                json.WriteEndObject();
            });
            if (await PostAsync(target.Url, body, "application/json", request => Sign(request, row, body), null, ct) is var sent and not Sent.Accepted) return sent;
        }
        return new Sent.Accepted();
    }

    private void Sign(HttpRequestMessage request, OutboxRow row, byte[] body)
    {
        // No dot in it: the signed text is id.timestamp.body, and an id with dots could be read in two ways.
        var id = $"{row.Record.Source}:{row.Record.Id}".Replace('.', '_');
        var at = time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        request.Headers.TryAddWithoutValidation("webhook-id", id);
        request.Headers.TryAddWithoutValidation("webhook-timestamp", at);
        request.Headers.TryAddWithoutValidation("webhook-signature", string.Join(' ', target.Secrets.Select(secret => SignatureOf(KeyOf(secret.Reveal())!, id, at, body))));
    }

    public static string SignatureOf(byte[] key, string id, string at, byte[] body) => "v1," + Convert.ToBase64String(HMACSHA256.HashData(key, (byte[])[.. Encoding.UTF8.GetBytes($"{id}.{at}."), .. body]));

    /// <summary>The key in a secret; null when it is none.</summary>
    public static byte[]? KeyOf(string secret)
    {
        var text = secret.StartsWith(Prefix, StringComparison.Ordinal) ? secret[Prefix.Length..] : secret;
        var buffer = new byte[text.Length];
        return Convert.TryFromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '='), buffer, out var length) ? buffer[..length] : null;
    }
}
