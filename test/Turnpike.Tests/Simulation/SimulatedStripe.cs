using System.Net;
using System.Text.Json;
using Turnpike.Tests.Payments;

namespace Turnpike.Tests.Simulation;

/// <summary>Stripe as its documentation tells: an idempotency key repeats its answer, a Shared Payment Token is charged once. Its answers get lost, and requests arrive late.</summary>
internal sealed class SimulatedStripe(World world) : HttpMessageHandler
{
    private readonly Dictionary<string, (HttpStatusCode Status, string Body)> keys = [];
    private readonly HashSet<string> spent = [];

    /// <summary>What was given back, by our name for it.</summary>
    public List<StripeRefunded> Refunded { get; } = [];

    /// <summary>What was charged, by challenge.</summary>
    public Dictionary<string, long> Charged { get; } = [];

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var form = Form(request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken));
        var key = request.Headers.TryGetValues("Idempotency-Key", out var values) ? values.Single() : "";
        var path = request.RequestUri!.AbsolutePath;
        if (world.Scheduler.Chance(world.Weather.Stripe)) return Trouble(request.Method, path, key, form);
        return Answer(request.Method, request.RequestUri, path, key, form);
    }

    private HttpResponseMessage Trouble(HttpMethod method, string path, string key, Dictionary<string, string> form)
    {
        var kind = world.Scheduler.Random.Next(5);
        world.Say($"Stripe: {(kind switch { 0 => "the request is lost", 1 => "the answer is lost", 2 => "the request arrives late", 3 => "too many requests", _ => "an inner error after its effect" })}");
        switch (kind)
        {
            case 1 or 4: Answer(method, null, path, key, form); break;
            case 2: world.Later(world.Scheduler.Between(1000, 120_000), "a request reaches Stripe late", () => Answer(method, null, path, key, form)); break;
            case 3: return Internet.Json("{}", HttpStatusCode.TooManyRequests);
        }
        return kind == 4 ? Internet.Json("{}", HttpStatusCode.InternalServerError) : throw new HttpRequestException(HttpRequestError.ConnectionError, "silence");
    }

    private HttpResponseMessage Answer(HttpMethod method, Uri? url, string path, string key, Dictionary<string, string> form)
    {
        if (path.StartsWith("/v1/refunds", StringComparison.Ordinal) && method == HttpMethod.Get) return Refunds(path, url?.Query ?? "");
        if (method == HttpMethod.Get) return Search(url?.Query ?? "");
        if (path.EndsWith("/cancel", StringComparison.Ordinal)) return Internet.Json("{}");
        if (keys.TryGetValue(key, out var kept))
        {
            var again = Internet.Json(kept.Body, kept.Status);
            again.Headers.Add("Idempotent-Replayed", "true");
            return again;
        }
        keys[key] = path == "/v1/refunds" ? Refund(form) : Charge(form);
        return Internet.Json(keys[key].Body, keys[key].Status);
    }

    private (HttpStatusCode, string) Charge(Dictionary<string, string> form)
    {
        var (token, challenge) = (form["shared_payment_granted_token"], form["metadata[mpp_challenge_id]"]);
        if (token.Contains("declined", StringComparison.Ordinal)) return (HttpStatusCode.PaymentRequired, """{"error":{"type":"card_error","code":"card_declined"}}""");
        if (!spent.Add(token)) return (HttpStatusCode.PaymentRequired, """{"error":{"type":"card_error","code":"shared_payment_token_used"}}""");
        Charged.ContainsKey(challenge).ShouldBeFalse("Stripe charged one challenge twice");
        Charged[challenge] = long.Parse(form["amount"], System.Globalization.CultureInfo.InvariantCulture);
        world.Say("Stripe charges a card");
        return (HttpStatusCode.OK, Intent(challenge));
    }

    private (HttpStatusCode, string) Refund(Dictionary<string, string> form)
    {
        var (challenge, amount) = (form["payment_intent"]["pi_".Length..], long.Parse(form["amount"], System.Globalization.CultureInfo.InvariantCulture));
        if (amount > Charged[challenge] - Refunded.Where(r => r.Challenge == challenge).Sum(r => r.Amount)) return (HttpStatusCode.BadRequest, """{"error":{"type":"invalid_request_error","code":"charge_already_refunded"}}""");
        Refunded.Add(new StripeRefunded(form["metadata[turnpike_refund]"], challenge, amount));
        world.Say("Stripe gives back");
        return (HttpStatusCode.OK, Text(Refunded[^1]));
    }

    private HttpResponseMessage Refunds(string path, string query) => path == "/v1/refunds"
        ? Internet.Json($$"""{"data":[{{string.Join(',', Refunded.Where(r => query.Contains("pi_" + r.Challenge, StringComparison.Ordinal)).Select(Text))}}]}""")
        : Internet.Json(Text(Refunded.Single(r => "re_" + r.Name == path.Split('/')[^1])));

    private static string Text(StripeRefunded refund) =>
        JsonSerializer.Serialize(new { id = "re_" + refund.Name, status = "succeeded", amount = refund.Amount, currency = "usd", metadata = new Dictionary<string, string> { ["turnpike_refund"] = refund.Name } });

    private HttpResponseMessage Search(string query)
    {
        var challenge = Uri.UnescapeDataString(query).Split('\'')[3];
        return Internet.Json(Charged.ContainsKey(challenge) ? $$"""{"data":[{{Intent(challenge)}}]}""" : """{"data":[]}""");
    }

    private string Intent(string challenge) => JsonSerializer.Serialize(new { id = "pi_" + challenge, status = "succeeded", amount = Charged[challenge], currency = "usd" });

    private static Dictionary<string, string> Form(string body) =>
        body.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(p => p.Split('=')).ToDictionary(p => WebUtility.UrlDecode(p[0]), p => WebUtility.UrlDecode(p[1]));
}

/// <summary>A refund Stripe carried out, in cents.</summary>
internal sealed record StripeRefunded(string Name, string Challenge, long Amount);
