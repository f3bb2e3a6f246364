using System.Net;
using System.Text.Json;
using Turnpike.Tests.Payments;

namespace Turnpike.Tests.Simulation;

/// <summary>Stripe as its documentation tells: an idempotency key repeats its answer, a Shared Payment Token is charged once. Its answers get lost, and requests arrive late.</summary>
internal sealed class SimulatedStripe(World world) : HttpMessageHandler
{
    private readonly Dictionary<string, (HttpStatusCode Status, string Body)> keys = [];
    private readonly HashSet<string> spent = [];

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
        if (method == HttpMethod.Get) return Search(url?.Query ?? "");
        if (path.EndsWith("/cancel", StringComparison.Ordinal)) return Internet.Json("{}");
        if (keys.TryGetValue(key, out var kept))
        {
            var again = Internet.Json(kept.Body, kept.Status);
            again.Headers.Add("Idempotent-Replayed", "true");
            return again;
        }
        keys[key] = Charge(form);
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

    private HttpResponseMessage Search(string query)
    {
        var challenge = Uri.UnescapeDataString(query).Split('\'')[3];
        return Internet.Json(Charged.ContainsKey(challenge) ? $$"""{"data":[{{Intent(challenge)}}]}""" : """{"data":[]}""");
    }

    private string Intent(string challenge) => JsonSerializer.Serialize(new { id = "pi_" + challenge, status = "succeeded", amount = Charged[challenge], currency = "usd" });

    private static Dictionary<string, string> Form(string body) =>
        body.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(p => p.Split('=')).ToDictionary(p => WebUtility.UrlDecode(p[0]), p => WebUtility.UrlDecode(p[1]));
}
