using System.Globalization;
using System.Net.Http.Headers;
using Turnpike.Catalog;
using Turnpike.Catalog.Webhooks;
using Turnpike.Metering;

namespace Turnpike.Billing.Export;

/// <summary>Lago's events: one for each unit of a record, named by record and unit. It refuses a copy by its transaction_id, which is as good as taking it.</summary>
internal sealed class LagoSink(ExportTarget.Lago target, HttpClients clients, TimeSpan timeout) : HttpSink(clients, target.Api, timeout)
{
    private readonly Uri events = new(target.Api.AbsoluteUri.TrimEnd('/') + "/api/v1/events");

    public override int Most => 1;

    public override async ValueTask<Sent> SendAsync(IReadOnlyList<OutboxRow> batch, CancellationToken ct)
    {
        foreach (var row in batch)
            foreach (var (unit, code) in target.Codes)
            {
                if (row.Record.QuantityOf(unit) is var quantity && quantity == 0) continue;
                if (await PostAsync(events, Body(row, unit, code, quantity), "application/json", Sign, IsCopy, ct) is var sent and not Sent.Accepted) return sent;
            }
        return new Sent.Accepted();
    }

    private static byte[] Body(OutboxRow row, string unit, string code, long quantity) => UsageJson.Write(json =>
    {
        var record = row.Record;
        json.WriteStartObject();
        json.WriteStartObject("event");
        json.WriteString("transaction_id", $"{UsageJson.NameOf(record)}:{unit}");
        json.WriteString("external_subscription_id", row.Subject);
        json.WriteString("code", code);
        json.WriteString("timestamp", (record.Happened.ToUnixTimeMilliseconds() / 1000m).ToString("0.000", CultureInfo.InvariantCulture));
        json.WriteStartObject("properties");
        json.WriteString(unit, quantity.ToString(CultureInfo.InvariantCulture));
        json.WriteString("operation", record.Operation);
        if (record.Model is not null) json.WriteString("model", record.Model);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    });

    private void Sign(HttpRequestMessage request) => request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", target.Key.Reveal());

    private static bool IsCopy(string answer) => answer.Contains("transaction_id", StringComparison.Ordinal) && answer.Contains("value_already_exist", StringComparison.Ordinal);
}
