using Turnpike.Catalog;
using Turnpike.Catalog.Webhooks;

namespace Turnpike.Billing.Export;

/// <summary>One message an event, signed as Standard Webhooks 1.0 has it: HMAC-SHA256 over id, time and body. The id stays the same when it is sent again.</summary>
internal sealed class WebhookSink(ExportTarget.Webhook target, HttpClients clients, TimeSpan timeout, TimeProvider time) : HttpSink(clients, target.Url, timeout)
{
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

    private void Sign(HttpRequestMessage request, OutboxRow row, byte[] body) =>
        WebhookSignature.Sign(request, body, target.Secrets.Select(secret => WebhookSignature.KeyOf(secret.Reveal())!), UsageJson.HeaderNameOf(row.Record), time.GetUtcNow());
}
