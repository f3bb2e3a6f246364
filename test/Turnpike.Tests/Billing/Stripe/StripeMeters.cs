using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Turnpike.Tests.Billing.Stripe;

/// <summary>
/// Stripe's meter events, version 2 of its API: JSON in, one at a time, or a hundred at once under a session of fifteen minutes
/// (docs.stripe.com/api/v2/billing-meter-stream). An identifier counts once.
/// </summary>
internal sealed class StripeMeters(string secretKey, TimeProvider time)
{
    private const int MostEvents = 100;
    private static readonly TimeSpan Lasting = TimeSpan.FromMinutes(15);
    private readonly Dictionary<string, DateTimeOffset> sessions = [];

    /// <summary>What was counted: meter, customer and value, by identifier.</summary>
    public Dictionary<string, (string Meter, string Customer, long Value)> Events { get; } = [];

    public int Sessions => sessions.Count;

    /// <summary>Every session has ended.</summary>
    public void End()
    {
        foreach (var token in sessions.Keys.ToList()) sessions[token] = DateTimeOffset.MinValue;
    }

    public StripeReplied Answer(string method, string path, string? authorization, string body) => (method, path) switch
    {
        ("POST", "/v2/billing/meter_event_stream") => !sessions.TryGetValue(authorization?.Replace("Bearer ", "", StringComparison.Ordinal) ?? "", out var until) ? Wrong(401, "invalid_api_key")
            : until <= time.GetUtcNow() ? Wrong(401, "billing_meter_event_session_expired") : Take(body, stream: true),
        _ when authorization != "Bearer " + secretKey => Wrong(401, "invalid_api_key"),
        ("POST", "/v2/billing/meter_event_session") => Open(),
        ("POST", "/v2/billing/meter_events") => Take(body, stream: false),
        _ => Wrong(404, "not_found"),
    };

    private StripeReplied Open()
    {
        var (token, until) = ($"token_{sessions.Count + 1}", time.GetUtcNow() + Lasting);
        sessions[token] = until;
        return new StripeReplied(200, new JsonObject { ["id"] = $"mes_{sessions.Count}", ["object"] = "v2.billing.meter_event_session", ["authentication_token"] = token, ["created"] = Text(time.GetUtcNow()), ["expires_at"] = Text(until), ["livemode"] = false }.ToJsonString());
    }

    private StripeReplied Take(string body, bool stream)
    {
        var json = JsonDocument.Parse(body).RootElement;
        var events = stream ? [.. json.GetProperty("events").EnumerateArray()] : new[] { json };
        if (events.Length is 0 or > MostEvents || !events.All(Fits)) return Wrong(400, "invalid_fields");
        foreach (var one in events)
        {
            var id = one.GetProperty("identifier").GetString()!;
            if (Events.ContainsKey(id) && !stream) return Wrong(400, "duplicate_meter_event");
            var payload = one.GetProperty("payload");
            Events.TryAdd(id, (one.GetProperty("event_name").GetString()!, payload.GetProperty("stripe_customer_id").GetString()!, long.Parse(payload.GetProperty("value").GetString()!, CultureInfo.InvariantCulture)));
        }
        return new StripeReplied(200, stream ? "{}" : new JsonObject { ["object"] = "v2.billing.meter_event" }.ToJsonString());
    }

    /// <summary>What the published document does not say: lengths, that no event is older than 35 days or more than five minutes ahead, and whose it is.</summary>
    private bool Fits(JsonElement one) =>
        one.GetProperty("event_name").GetString() is { Length: > 0 and <= 100 } && one.GetProperty("identifier").GetString() is { Length: > 0 and <= 100 }
        && one.GetProperty("timestamp").TryGetDateTimeOffset(out var at) && at <= time.GetUtcNow().AddMinutes(5) && at >= time.GetUtcNow().AddDays(-35)
        && one.GetProperty("payload").TryGetProperty("stripe_customer_id", out _);

    private static StripeReplied Wrong(int status, string code) => new(status, new JsonObject { ["error"] = new JsonObject { ["code"] = code, ["message"] = code } }.ToJsonString());

    private static string Text(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
