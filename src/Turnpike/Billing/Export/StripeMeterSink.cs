using System.Globalization;
using System.Net.Http.Headers;
using Turnpike.Catalog;
using Turnpike.Catalog.Webhooks;

namespace Turnpike.Billing.Export;

/// <summary>
/// Stripe's meter events (API v2): one for each unit of a record, named by record and unit, so that a copy within a day counts once.
/// </summary>
internal sealed class StripeMeterSink(ExportTarget.Stripe target, HttpClients clients, TimeSpan timeout) : HttpSink(clients, target.Api, timeout)
{
    public const string Version = "2025-12-15.clover";
    private readonly Uri events = new(target.Api.AbsoluteUri.TrimEnd('/') + "/v2/billing/meter_events");

    public override int Most => 1;

    public override async ValueTask<Sent> SendAsync(IReadOnlyList<OutboxRow> batch, CancellationToken ct)
    {
        foreach (var row in batch)
            foreach (var (unit, name) in target.Events)
            {
                if (row.Record.QuantityOf(unit) is var quantity && quantity == 0) continue;
                if (await PostAsync(events, Body(row, unit, name, quantity), "application/json", Sign, IsCopy, ct) is var sent and not Sent.Accepted) return sent;
            }
        return new Sent.Accepted();
    }

    private static byte[] Body(OutboxRow row, string unit, string name, long quantity) => UsageJson.Write(json => WriteEvent(json, row, unit, name, quantity));

    public static void WriteEvent(System.Text.Json.Utf8JsonWriter json, OutboxRow row, string unit, string name, long quantity)
    {
        json.WriteStartObject();
        json.WriteString("event_name", name);
        json.WriteString("identifier", IdentifierOf(row, unit));
        json.WriteString("timestamp", UsageJson.Text(row.Record.Happened));
        json.WriteStartObject("payload");
        json.WriteString("stripe_customer_id", row.Subject);
        json.WriteString("value", quantity.ToString(CultureInfo.InvariantCulture));
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>At most 100 characters; what is longer is named by its digest.</summary>
    private static string IdentifierOf(OutboxRow row, string unit)
    {
        var plain = $"{UsageJson.NameOf(row.Record)}:{unit}";
        return plain.Length <= 100 ? plain : Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(plain)));
    }

    private void Sign(HttpRequestMessage request)
    {
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", target.Key.Reveal());
        request.Headers.Add("Stripe-Version", Version);
    }

    private static bool IsCopy(string answer) => answer.Contains("duplicate_meter_event", StringComparison.Ordinal) || answer.Contains("already exists with identifier", StringComparison.Ordinal);
}
