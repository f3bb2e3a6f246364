using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Turnpike.EndToEnd.Harness;

/// <summary>What goes wrong at Stripe from now on.</summary>
internal enum StripeTrouble
{
    None,

    /// <summary>500 before anything happened.</summary>
    Failing,

    /// <summary>The intent or refund succeeds, but its answer never arrives.</summary>
    SilentAfterEffect,

    /// <summary>Nothing happens, and nothing is said.</summary>
    SilentBeforeEffect,
}

/// <summary>
/// Stripe on loopback, as strict as Stripe where it matters here: keys, API version, parameters it knows, tokens it granted and
/// their limits, minimum amounts, refunds within a charge, and idempotency. The calls are those of MPP's stripe charge and of refunds.
/// </summary>
internal sealed class StripeStandIn : IAsyncDisposable
{
    private static readonly string[] KnownParameters =
    [
        "amount", "currency", "confirm", "automatic_payment_methods[enabled]", "automatic_payment_methods[allow_redirects]", "shared_payment_granted_token",
        "description", "customer", "receipt_email", "capture_method", "statement_descriptor_suffix", "transfer_group", "application_fee_amount", "on_behalf_of",
    ];

    private static readonly Dictionary<string, long> Minimums = new() { ["usd"] = 50, ["eur"] = 50, ["gbp"] = 30, ["jpy"] = 50 };

    private readonly Lock gate = new();
    private readonly Dictionary<string, StripeToken> tokens = [];
    private readonly Dictionary<string, StripeIntent> intents = [];
    private readonly Dictionary<string, StripeRefundMade> refunds = [];
    private readonly Dictionary<string, (string Body, int Status, string Answer)> replays = [];
    private readonly CancellationTokenSource closing = new();
    private readonly SemaphoreSlim silent = new(0);
    private readonly string secretKey;
    private readonly string profile;
    private LoopbackHost? host;
    private int serial;

    private StripeStandIn(string secretKey, string profile) => (this.secretKey, this.profile) = (secretKey, profile);

    public Uri Url => host!.Url;

    public StripeTrouble Trouble { get; set; }

    /// <summary>How often an intent was asked for, replays included.</summary>
    public int Requests { get; private set; }

    public IReadOnlyList<StripeIntent> Intents
    {
        get { lock (gate) return [.. intents.Values]; }
    }

    public IReadOnlyList<StripeRefundMade> Refunds
    {
        get { lock (gate) return [.. refunds.Values]; }
    }

    /// <summary>No intent of the past is known any more.</summary>
    public void Forget()
    {
        lock (gate) intents.Clear();
    }

    /// <summary>Waits, at most ten seconds, until somebody asked what will not be answered.</summary>
    public async Task SilenceAsync() => (await silent.WaitAsync(TimeSpan.FromSeconds(10))).ShouldBeTrue("nobody asked in ten seconds");

    public static async Task<StripeStandIn> StartAsync(string secretKey, string profile)
    {
        var stripe = new StripeStandIn(secretKey, profile);
        stripe.host = await LoopbackHost.StartAsync(app =>
        {
            app.MapPost("/v1/test_helpers/shared_payment/granted_tokens", stripe.GrantAsync);
            app.MapPost("/v1/payment_intents", http => stripe.OnceAsync(http, form => stripe.Refuse(http, form), stripe.Charge));
            app.MapPost("/v1/refunds", http => stripe.OnceAsync(http, stripe.RefuseRefund, stripe.Refund));
            app.MapGet("/v1/refunds", stripe.ListRefundsAsync);
            app.MapGet("/v1/refunds/{id}", stripe.FindRefundAsync);
            app.MapGet("/v1/payment_intents/{id}", (HttpContext http, string id) => stripe.WithIntentAsync(http, id, intent => intent));
            app.MapPost("/v1/payment_intents/{id}/cancel", (HttpContext http, string id) => stripe.WithIntentAsync(http, id, intent => intent.Status == "succeeded" ? null : intent with { Status = "canceled" }));
            app.MapFallback(http => Error(http, 404, "invalid_request_error", "unknown_url", $"Unrecognized request URL ({http.Request.Method}: {http.Request.Path})."));
        });
        return stripe;
    }

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        await host!.DisposeAsync();
        closing.Dispose();
        silent.Dispose();
    }

    /// <summary>The buyer's side: a wallet grants a token to one seller, in one currency, up to an amount, until a moment.</summary>
    private async Task GrantAsync(HttpContext http)
    {
        var form = await ReadAsync(http);
        if (!HasKey(http, "sk_test_")) { await NoKey(http); return; }
        if (!long.TryParse(form.GetValueOrDefault("usage_limits[max_amount]"), out var most) || !long.TryParse(form.GetValueOrDefault("usage_limits[expires_at]"), out var expires)
            || form.GetValueOrDefault("usage_limits[currency]") is not { Length: 3 } currency || form.GetValueOrDefault("payment_method") is not { } method
            || form.GetValueOrDefault("seller_details[network_id]") is not { } seller)
        {
            await Error(http, 400, "invalid_request_error", "parameter_missing", "A token needs payment_method, usage_limits and seller_details.");
            return;
        }
        StripeToken token;
        lock (gate)
        {
            token = new StripeToken($"spt_{++serial:d24}", most, currency, DateTimeOffset.FromUnixTimeSeconds(expires), method, seller);
            tokens[token.Id] = token;
        }
        await Answer(http, 200, new JsonObject { ["id"] = token.Id, ["object"] = "shared_payment.granted_token" }.ToJsonString());
    }

    /// <summary>A request that does something: once under its key, and repeated by its kept answer.</summary>
    private async Task OnceAsync(HttpContext http, Func<IReadOnlyDictionary<string, string>, string?> refuse, Func<IReadOnlyDictionary<string, string>, (int, string)> act)
    {
        var form = await ReadAsync(http);
        var (key, body) = (http.Request.Headers["Idempotency-Key"].ToString(), http.Request.Path + string.Join('&', form.OrderBy(p => p.Key, StringComparer.Ordinal)));
        if (!HasKey(http, secretKey)) { await NoKey(http); return; }
        if (Trouble == StripeTrouble.Failing) { await Error(http, 500, "api_error", "internal", "Something went wrong on our end."); return; }
        if (Trouble == StripeTrouble.SilentBeforeEffect) { await SayNothingAsync(http); return; }
        (int Status, string Answer) outcome;
        var (replayed, saysNothing) = (false, Trouble == StripeTrouble.SilentAfterEffect);
        lock (gate)
        {
            Requests++;
            if (key.Length > 0 && replays.TryGetValue(key, out var earlier))
            {
                replayed = earlier.Body == body;
                outcome = replayed ? (earlier.Status, earlier.Answer) : (400, Problem("idempotency_error", null, "Keys for idempotent requests can only be used with the same parameters they were first used with."));
            }
            else if (refuse(form) is { } refusal)
            {
                outcome = (400, refusal);                       // Stripe keeps no answer for a request that was never carried out
            }
            else
            {
                outcome = act(form);
                if (key.Length > 0) replays[key] = (body, outcome.Status, outcome.Answer);
            }
        }
        if (saysNothing) { await SayNothingAsync(http); return; }
        if (replayed) http.Response.Headers["Idempotent-Replayed"] = "true";
        await Answer(http, outcome.Status, outcome.Answer);
    }

    private async Task SayNothingAsync(HttpContext http)
    {
        silent.Release();
        using var until = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, closing.Token);
        await Task.Delay(Timeout.Infinite, until.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        http.Abort();
    }

    private string? RefuseRefund(IReadOnlyDictionary<string, string> form)
    {
        static string Bad(string code, string message) => Problem("invalid_request_error", code, message);
        if (form.Keys.FirstOrDefault(k => k is not ("payment_intent" or "amount" or "reason") && !k.StartsWith("metadata[", StringComparison.Ordinal)) is { } unknown) return Bad("parameter_unknown", $"Received unknown parameter: {unknown}");
        if (!intents.TryGetValue(form.GetValueOrDefault("payment_intent") ?? "", out var intent)) return Bad("resource_missing", $"No such payment_intent: '{form.GetValueOrDefault("payment_intent")}'");
        if (intent.Status != "succeeded") return Bad("payment_intent_unexpected_state", "This PaymentIntent does not have a successful charge to refund.");
        if (!long.TryParse(form.GetValueOrDefault("amount"), out var amount) || amount < 1) return Bad("parameter_invalid_integer", $"Invalid integer: {form.GetValueOrDefault("amount")}");
        var left = intent.Amount - refunds.Values.Where(r => r.Intent == intent.Id).Sum(r => r.Amount);
        if (left == 0) return Bad("charge_already_refunded", "The charge has already been refunded.");
        return amount > left ? Problem("invalid_request_error", null, $"Refund amount ({amount}) is greater than unrefunded amount on charge ({left}).") : null;
    }

    private (int Status, string Answer) Refund(IReadOnlyDictionary<string, string> form)
    {
        var refund = new StripeRefundMade($"re_{++serial:d24}", form["payment_intent"], long.Parse(form["amount"]), form.GetValueOrDefault("metadata[turnpike_refund]"));
        refunds[refund.Id] = refund;
        return (200, Json(refund, intents[refund.Intent].Currency));
    }

    private Task ListRefundsAsync(HttpContext http)
    {
        if (!HasKey(http, secretKey)) return NoKey(http);
        var intent = http.Request.Query["payment_intent"].ToString();
        lock (gate) return Answer(http, 200, $$"""{"object":"list","data":[{{string.Join(',', refunds.Values.Where(r => r.Intent == intent).Select(r => Json(r, intents[intent].Currency)))}}]}""");
    }

    private Task FindRefundAsync(HttpContext http)
    {
        if (!HasKey(http, secretKey)) return NoKey(http);
        lock (gate)
            return refunds.TryGetValue((string)http.Request.RouteValues["id"]!, out var refund) ? Answer(http, 200, Json(refund, intents[refund.Intent].Currency)) : Error(http, 404, "invalid_request_error", "resource_missing", "No such refund.");
    }

    /// <summary>What Stripe refuses before it tries: each with the code Stripe uses.</summary>
    private string? Refuse(HttpContext http, IReadOnlyDictionary<string, string> form)
    {
        static string Bad(string code, string message) => Problem("invalid_request_error", code, message);
        if (!http.Request.Headers["Stripe-Version"].ToString().EndsWith(".preview", StringComparison.Ordinal)) return Bad("parameter_unknown", "shared_payment_granted_token needs a preview version in Stripe-Version.");
        if (form.Keys.FirstOrDefault(k => !KnownParameters.Contains(k) && !k.StartsWith("metadata[", StringComparison.Ordinal)) is { } unknown) return Bad("parameter_unknown", $"Received unknown parameter: {unknown}");
        if (!long.TryParse(form.GetValueOrDefault("amount"), out var amount)) return Bad("parameter_invalid_integer", $"Invalid integer: {form.GetValueOrDefault("amount")}");
        if (form.GetValueOrDefault("currency") is not { } currency || !Minimums.TryGetValue(currency, out var minimum)) return Bad("parameter_missing", "Missing or unknown currency.");
        if (amount < minimum) return Bad("amount_too_small", $"Amount must be at least {minimum} {currency}.");
        if (form.GetValueOrDefault("confirm") != "true") return Bad("parameter_missing", "A shared payment token is used by confirming.");
        if (form.GetValueOrDefault("automatic_payment_methods[allow_redirects]") != "never") return Bad("parameter_missing", "return_url is needed unless redirects are never allowed.");
        if (!tokens.TryGetValue(form.GetValueOrDefault("shared_payment_granted_token") ?? "", out var token)) return Bad("resource_missing", "No such shared payment token.");
        if (token.Seller != profile) return Bad("resource_missing", "This shared payment token was granted to another seller.");
        if (token.Used) return Bad("shared_payment_token_used", "This shared payment token was used before.");
        if (token.Expires <= TimeProvider.System.GetUtcNow()) return Bad("shared_payment_token_expired", "This shared payment token has expired.");
        if (amount > token.MaxAmount) return Bad("amount_too_large", "The amount is over the token's limit.");
        return currency != token.Currency ? Bad("currency_mismatch", "The token is for another currency.") : null;
    }

    private (int Status, string Answer) Charge(IReadOnlyDictionary<string, string> form)
    {
        var token = tokens[form["shared_payment_granted_token"]];
        if (token.PaymentMethod == "pm_card_chargeDeclined") return (402, Problem("card_error", "card_declined", "Your card was declined."));
        token.Used = true;
        var metadata = form.Where(p => p.Key.StartsWith("metadata[", StringComparison.Ordinal)).ToDictionary(p => p.Key[9..^1], p => p.Value);
        var intent = new StripeIntent($"pi_{++serial:d24}", long.Parse(form["amount"]), form["currency"], token.PaymentMethod == "pm_card_authenticationRequired" ? "requires_action" : "succeeded", metadata);
        intents[intent.Id] = intent;
        return (200, Json(intent));
    }

    private async Task WithIntentAsync(HttpContext http, string id, Func<StripeIntent, StripeIntent?> change)
    {
        if (!HasKey(http, secretKey)) { await NoKey(http); return; }
        (int Status, string Answer) outcome = (404, Problem("invalid_request_error", "resource_missing", $"No such payment_intent: '{id}'"));
        lock (gate)
        {
            if (intents.TryGetValue(id, out var intent))
                outcome = change(intent) is { } next ? (200, Json(intents[id] = next)) : (400, Problem("invalid_request_error", "payment_intent_unexpected_state", "A succeeded intent cannot be canceled."));
        }
        await Answer(http, outcome.Status, outcome.Answer);
    }

    private static string Json(StripeIntent intent) => new JsonObject
    {
        ["id"] = intent.Id, ["object"] = "payment_intent", ["amount"] = intent.Amount, ["currency"] = intent.Currency, ["status"] = intent.Status, ["latest_charge"] = intent.Id.Replace("pi_", "ch_", StringComparison.Ordinal),
        ["metadata"] = new JsonObject(intent.Metadata.Select(m => KeyValuePair.Create<string, JsonNode?>(m.Key, m.Value))),
    }.ToJsonString();

    private static string Json(StripeRefundMade refund, string currency) => new JsonObject
    {
        ["id"] = refund.Id, ["object"] = "refund", ["amount"] = refund.Amount, ["currency"] = currency, ["payment_intent"] = refund.Intent, ["status"] = "succeeded",
        ["metadata"] = refund.Name is null ? [] : new JsonObject { ["turnpike_refund"] = refund.Name },
    }.ToJsonString();

    private static bool HasKey(HttpContext http, string key)
    {
        var header = http.Request.Headers.Authorization.ToString();
        if (header.StartsWith("Bearer ", StringComparison.Ordinal)) return header[7..].StartsWith(key, StringComparison.Ordinal);
        var buffer = new byte[header.Length];
        return header.StartsWith("Basic ", StringComparison.Ordinal) && Convert.TryFromBase64String(header[6..], buffer, out var read)
            && Encoding.UTF8.GetString(buffer, 0, read) is var user && user.EndsWith(':') && user.StartsWith(key, StringComparison.Ordinal);
    }

    private static async Task<Dictionary<string, string>> ReadAsync(HttpContext http) => (await http.Request.ReadFormAsync()).ToDictionary(p => p.Key, p => p.Value.ToString());

    private static Task NoKey(HttpContext http) => Error(http, 401, "invalid_request_error", null, "Invalid API Key provided.");

    private static Task Error(HttpContext http, int status, string type, string? code, string message) => Answer(http, status, Problem(type, code, message));

    private static string Problem(string type, string? code, string message) => new JsonObject { ["error"] = new JsonObject { ["type"] = type, ["code"] = code, ["message"] = message } }.ToJsonString();

    private static Task Answer(HttpContext http, int status, string json)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        return http.Response.WriteAsync(json);
    }
}
