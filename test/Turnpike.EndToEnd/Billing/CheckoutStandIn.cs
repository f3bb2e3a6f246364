using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Billing;

/// <summary>A session of the stand-in, as Stripe would keep it.</summary>
internal sealed record StandInSession(string Id, IReadOnlyDictionary<string, string> Form, string Account)
{
    public string Status { get; set; } = "open";

    public string PaymentStatus { get; set; } = "unpaid";

    public string? Intent { get; set; }

    public long Amount => long.Parse(Form["line_items[0][price_data][unit_amount]"], CultureInfo.InvariantCulture);

    public long Fee => Form.TryGetValue("payment_intent_data[application_fee_amount]", out var fee) ? long.Parse(fee, CultureInfo.InvariantCulture) : 0;
}

/// <summary>
/// Stripe Checkout on loopback: sessions with their idempotency, the hosted page a buyer pays on, and signed webhooks, delivered
/// when and as often as a test says.
/// </summary>
internal sealed class CheckoutStandIn : IAsyncDisposable
{
    private static readonly string[] Known =
    [
        "mode", "line_items[0][quantity]", "line_items[0][price_data][currency]", "line_items[0][price_data][unit_amount]", "line_items[0][price_data][product_data][name]",
        "client_reference_id", "success_url", "cancel_url", "payment_intent_data[application_fee_amount]", "expires_at", "customer_email",
    ];

    private readonly Lock gate = new();
    private readonly Dictionary<string, StandInSession> sessions = [];
    private readonly Dictionary<string, (string Body, string Session)> replays = [];
    private readonly HttpClient http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { Timeout = TimeSpan.FromSeconds(20) };
    private readonly string secretKey;
    private readonly string webhookSecret;
    private LoopbackHost? host;
    private int serial;

    private CheckoutStandIn(string secretKey, string webhookSecret) => (this.secretKey, this.webhookSecret) = (secretKey, webhookSecret);

    public Uri Url => host!.Url;

    /// <summary>500 to everything, from now on.</summary>
    public bool Down { get; set; }

    public IReadOnlyList<StandInSession> Sessions
    {
        get { lock (gate) return [.. sessions.Values]; }
    }

    public static async Task<CheckoutStandIn> StartAsync()
    {
        var variables = Checkout.Variables();
        var stripe = new CheckoutStandIn(variables["STRIPE_SECRET_KEY"], variables["STRIPE_WEBHOOK_SECRET"]);
        stripe.host = await LoopbackHost.StartAsync(app =>
        {
            app.MapPost("/v1/checkout/sessions", stripe.CreateAsync);
            app.MapGet("/v1/checkout/sessions/{id}", stripe.GetAsync);
            app.MapGet("/pay/{id}", (string id) => Results.Content($"<!doctype html><html lang=\"en\"><title>Pay</title><link rel=\"icon\" href=\"data:,\"><h1>Pay</h1><form method=\"post\"><button type=\"submit\">Pay {stripe.Of(id).Amount}</button></form>", "text/html"));
            app.MapPost("/pay/{id}", (string id) => Results.Redirect(stripe.Pay(id)));
            app.MapFallback(context => Problem(context, 404, "unknown_url", "Unrecognized request URL."));
        });
        return stripe;
    }

    /// <summary>The buyer pays on the hosted page; returns where the page then sends the browser.</summary>
    public string Pay(string id)
    {
        var session = Of(id);
        lock (gate)
        {
            session.Intent ??= $"pi_{++serial:d24}";
            (session.Status, session.PaymentStatus) = ("complete", "paid");
        }
        return session.Form["success_url"].Replace("{CHECKOUT_SESSION_ID}", id, StringComparison.Ordinal);
    }

    public void Expire(string id) => Of(id).Status = "expired";

    /// <summary>Tells the gateway something about a session or its payment; the same id again is the same event again.</summary>
    public async Task<HttpStatusCode> TellAsync(Uri gateway, string type, StandInSession session, string? id = null, long? amount = null, string? status = null, string? secret = null, DateTimeOffset? at = null)
    {
        JsonObject about = type.StartsWith("checkout.session.", StringComparison.Ordinal) ? Json(session)
            : new JsonObject { ["id"] = "ch_1", ["object"] = type.StartsWith("charge.dispute.", StringComparison.Ordinal) ? "dispute" : "charge", ["payment_intent"] = session.Intent, ["amount"] = amount ?? session.Amount, ["amount_refunded"] = amount, ["status"] = status };
        var told = new JsonObject { ["id"] = id ?? $"evt_{Interlocked.Increment(ref serial)}", ["object"] = "event", ["type"] = type, ["account"] = session.Account, ["data"] = new JsonObject { ["object"] = about } };
        var body = told.ToJsonString();
        var time = (at ?? TimeProvider.System.GetUtcNow()).ToUnixTimeSeconds();
        var signature = Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret ?? webhookSecret), Encoding.UTF8.GetBytes($"{time}.{body}")));
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(gateway, "/webhooks/stripe")) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Add("Stripe-Signature", $"t={time},v1={signature}");
        using var response = await http.SendAsync(request);
        return response.StatusCode;
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await host!.DisposeAsync();
    }

    private StandInSession Of(string id)
    {
        lock (gate) return sessions[id];
    }

    private async Task CreateAsync(HttpContext context)
    {
        var form = (await context.Request.ReadFormAsync()).ToDictionary(p => p.Key, p => p.Value.ToString());
        if (await RefusedAsync(context)) return;
        var account = context.Request.Headers["Stripe-Account"].ToString();
        if (form.Keys.FirstOrDefault(k => !Known.Contains(k) && !k.StartsWith("metadata[", StringComparison.Ordinal) && !k.StartsWith("payment_intent_data[metadata][", StringComparison.Ordinal)) is { } unknown) { await Problem(context, 400, "parameter_unknown", $"Received unknown parameter: {unknown}"); return; }
        if (form.GetValueOrDefault("mode") != "payment" || !form.ContainsKey("success_url")) { await Problem(context, 400, "parameter_missing", "mode and success_url are needed."); return; }
        if (!long.TryParse(form.GetValueOrDefault("line_items[0][price_data][unit_amount]"), out var amount) || amount < 50) { await Problem(context, 400, "amount_too_small", "The amount is too small."); return; }
        if (form.ContainsKey("payment_intent_data[application_fee_amount]") && account.Length == 0) { await Problem(context, 400, "parameter_invalid", "application_fee_amount needs a connected account."); return; }
        var (key, body) = (context.Request.Headers["Idempotency-Key"].ToString(), string.Join('&', form.OrderBy(p => p.Key, StringComparer.Ordinal)));
        StandInSession session;
        lock (gate)
        {
            if (key.Length > 0 && replays.TryGetValue(key, out var earlier)) session = sessions[earlier.Session];
            else
            {
                session = new StandInSession($"cs_test_{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(20))}", form, account);
                sessions[session.Id] = session;
                if (key.Length > 0) replays[key] = (body, session.Id);
            }
        }
        await Answer(context, 200, Json(session).ToJsonString());
    }

    private async Task GetAsync(HttpContext context, string id)
    {
        if (await RefusedAsync(context)) return;
        StandInSession? session;
        lock (gate) session = sessions.GetValueOrDefault(id);
        if (session is null || session.Account != context.Request.Headers["Stripe-Account"].ToString()) await Problem(context, 404, "resource_missing", $"No such checkout.session: {id}");
        else await Answer(context, 200, Json(session).ToJsonString());
    }

    private async Task<bool> RefusedAsync(HttpContext context)
    {
        if (Down) { await Problem(context, 500, "internal", "Something went wrong on our end."); return true; }
        if (context.Request.Headers.Authorization.ToString() == "Basic " + Convert.ToBase64String(Encoding.ASCII.GetBytes(secretKey + ":"))) return false;
        await Problem(context, 401, "invalid_api_key", "Invalid API Key provided.");
        return true;
    }

    private JsonObject Json(StandInSession session) => new()
    {
        ["id"] = session.Id, ["object"] = "checkout.session", ["status"] = session.Status, ["payment_status"] = session.PaymentStatus, ["payment_intent"] = session.Intent,
        ["amount_total"] = session.Amount, ["currency"] = session.Form["line_items[0][price_data][currency]"], ["client_reference_id"] = session.Form.GetValueOrDefault("client_reference_id"),
        ["metadata"] = new JsonObject(session.Form.Where(p => p.Key.StartsWith("metadata[", StringComparison.Ordinal)).Select(p => KeyValuePair.Create<string, JsonNode?>(p.Key[9..^1], p.Value))),
        ["url"] = session.Status == "open" ? $"{Url.GetLeftPart(UriPartial.Authority)}/pay/{session.Id}" : null,
    };

    private static Task Problem(HttpContext context, int status, string code, string message) => Answer(context, status, new JsonObject { ["error"] = new JsonObject { ["type"] = "invalid_request_error", ["code"] = code, ["message"] = message } }.ToJsonString());

    private static Task Answer(HttpContext context, int status, string json)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(json);
    }
}
