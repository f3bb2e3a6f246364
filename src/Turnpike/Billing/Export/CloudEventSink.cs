using System.Net.Http.Headers;
using Turnpike.Catalog;
using Turnpike.Catalog.Webhooks;

namespace Turnpike.Billing.Export;

/// <summary>CloudEvents 1.0 in batched mode (HTTP binding 3.3), which OpenMeter's ingest takes; it tells copies apart by source and id.</summary>
internal sealed class CloudEventSink(ExportTarget.CloudEvents target, HttpClients clients, TimeSpan timeout) : HttpSink(clients, target.Url, timeout)
{
    public override int Most => 100;

    public override ValueTask<Sent> SendAsync(IReadOnlyList<OutboxRow> batch, CancellationToken ct)
    {
        var body = UsageJson.Write(json =>
        {
            json.WriteStartArray();
            foreach (var row in batch) UsageJson.WriteEvent(json, row.Record, row.Subject, target.Type);
            json.WriteEndArray();
        });
        return PostAsync(target.Url, body, "application/cloudevents-batch+json", Sign, null, ct);
    }

    private void Sign(HttpRequestMessage request)
    {
        if (target.Token is { } token) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.Reveal());
    }
}
