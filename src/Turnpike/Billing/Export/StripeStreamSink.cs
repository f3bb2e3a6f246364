using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Catalog.Webhooks;

namespace Turnpike.Billing.Export;

/// <summary>
/// Stripe's meter event stream (API v2): a hundred events at once under the token of a session, which lasts a quarter of an hour. The
/// events bear the names they have one by one, so that a copy within a day counts once there too; Stripe checks them afterwards.
/// </summary>
internal sealed class StripeStreamSink(ExportTarget.Stripe target, HttpClients clients, TimeSpan timeout, TimeProvider time) : HttpSink(clients, target.Stream!, timeout)
{
    public const int MostEvents = 100;
    private const int MostAnswer = 16 * 1024;
    private static readonly TimeSpan Early = TimeSpan.FromSeconds(30);

    private readonly HttpClient api = clients(target.Api, timeout, MostAnswer);
    private readonly Uri sessions = new(target.Api.AbsoluteUri.TrimEnd('/') + "/v2/billing/meter_event_session"), events = new(target.Stream!.AbsoluteUri.TrimEnd('/') + "/v2/billing/meter_event_stream");
    private (string Token, DateTimeOffset Until)? session;

    public override int Most => MostEvents / target.Events.Count;

    public override async ValueTask<Sent> SendAsync(IReadOnlyList<OutboxRow> batch, CancellationToken ct)
    {
        var told = batch.SelectMany(row => target.Events.Select(e => (Row: row, e.Key, e.Value, Count: row.Record.QuantityOf(e.Key)))).Where(e => e.Count != 0).ToList();
        if (told.Count == 0) return new Sent.Accepted();
        if (session is not { } open || open.Until <= time.GetUtcNow() + Early)
        {
            if (await OpenAsync(ct) is { } refused) return refused;
            open = session!.Value;
        }
        var body = UsageJson.Write(json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("events");
            foreach (var (row, unit, name, count) in told) StripeMeterSink.WriteEvent(json, row, unit, name, count);
            json.WriteEndArray();
            json.WriteEndObject();
        });
        var sent = await PostAsync(events, body, "application/json", request => Sign(request, open.Token), null, ct);
        // Whatever it was, the next try has a session of its own: this one may have been ended.
        if (sent is Sent.Later) session = null;
        return sent;
    }

    public override void Dispose()
    {
        api.Dispose();
        base.Dispose();
    }

    /// <summary>Null when there is a session now.</summary>
    private async ValueTask<Sent?> OpenAsync(CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, sessions) { Content = new ByteArrayContent([]) };
        request.Content.Headers.ContentType = new("application/json");
        Sign(request, target.Key.Reveal());
        try
        {
            using var response = await api.SendAsync(request, ct);
            if (!response.IsSuccessStatusCode) return new Sent.Later($"{(int)response.StatusCode}: no session");
            using var told = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(ct));
            session = (told.RootElement.GetProperty("authentication_token").GetString()!, DateTimeOffset.Parse(told.RootElement.GetProperty("expires_at").GetString()!, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal));
            return null;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or InvalidOperationException or JsonException or KeyNotFoundException or FormatException) { return new Sent.Later($"{target.Api.Authority} opens no session: {e.Message}"); }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested) { return new Sent.Later($"{target.Api.Authority} did not answer in time."); }
    }

    private static void Sign(HttpRequestMessage request, string token)
    {
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        request.Headers.Add("Stripe-Version", StripeMeterSink.Version);
    }
}
