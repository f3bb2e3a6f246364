using System.Net;
using Turnpike.Payments;
using Turnpike.Catalog;

namespace Turnpike.Tests.Payments.Stripe;

/// <summary>Stripe's PaymentIntents with Shared Payment Tokens: refuses what Stripe refuses, keeps idempotency keys, charges a token once.</summary>
internal sealed class FakeStripe
{
    private readonly Dictionary<string, (string Body, HttpStatusCode Status, string Answer)> keys = [];
    private readonly HashSet<string> spent = [];
    private readonly List<(long Amount, string Name)> refunds = [];

    public FakeStripe() => Internet = new Internet(Answer);

    public Internet Internet { get; }

    public static StripeSettings Settings { get; } = new(new Secret("sk_test_1"), "profile_1", new Uri("http://stripe.test"));

    public int Charged => spent.Count;

    /// <summary>What went back of the one charge of 100.</summary>
    public IReadOnlyList<long> Refunded => [.. refunds.Select(r => r.Amount)];

    public string RefundStatus { get; set; } = "succeeded";

    /// <summary>Answers instead of charging.</summary>
    public Func<HttpResponseMessage>? Instead { get; set; }

    /// <summary>Charges, and then the connection breaks.</summary>
    public bool LosesAnswers { get; set; }

    public static Dictionary<string, string> Form(Asked asked) =>
        asked.Body.Split('&').Select(p => p.Split('=')).ToDictionary(p => WebUtility.UrlDecode(p[0]), p => WebUtility.UrlDecode(p[1]));

    private HttpResponseMessage Answer(Asked asked)
    {
        if (asked.Headers.GetValueOrDefault("Authorization") != "Basic " + Convert.ToBase64String("sk_test_1:"u8)) return Error(HttpStatusCode.Unauthorized, "invalid_request_error", "api_key");
        if (asked.Url.AbsolutePath.EndsWith("/cancel", StringComparison.Ordinal)) return Internet.Json("""{"id":"pi_2","status":"canceled"}""");
        if (asked.Url.AbsolutePath.StartsWith("/v1/refunds", StringComparison.Ordinal) && asked.Method == "GET") return Refunds(asked.Url);
        if (asked.Method == "GET") return Internet.Json(spent.Count == 0 ? """{"data":[]}""" : """{"data":[{"id":"pi_1","status":"succeeded","amount":100,"currency":"usd"}]}""");
        if (Instead is not null) return Instead();
        var key = asked.Headers["Idempotency-Key"];
        if (keys.TryGetValue(key, out var kept))
        {
            if (kept.Body != asked.Body) return Error(HttpStatusCode.BadRequest, "idempotency_error", "idempotency_key_in_use");
            var again = Internet.Json(kept.Answer, kept.Status);
            again.Headers.Add("Idempotent-Replayed", "true");
            return again;
        }
        var (status, answer) = asked.Url.AbsolutePath == "/v1/refunds" ? Refund(Form(asked)) : Charge(Form(asked));
        keys[key] = (asked.Body, status, answer);
        return LosesAnswers ? Internet.Silence() : Internet.Json(answer, status);
    }

    private (HttpStatusCode, string) Charge(Dictionary<string, string> form)
    {
        var spt = form["shared_payment_granted_token"];
        if (spt == "spt_declined") return (HttpStatusCode.PaymentRequired, """{"error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds"}}""");
        if (spt == "spt_action") return (HttpStatusCode.OK, $$"""{"id":"pi_2","status":"requires_action","amount":{{form["amount"]}},"currency":"{{form["currency"]}}"}""");
        return spent.Add(spt)
            ? (HttpStatusCode.OK, $$"""{"id":"pi_1","status":"succeeded","amount":{{form["amount"]}},"currency":"{{form["currency"]}}"}""")
            : (HttpStatusCode.PaymentRequired, """{"error":{"type":"card_error","code":"shared_payment_token_used"}}""");
    }

    private (HttpStatusCode, string) Refund(Dictionary<string, string> form)
    {
        if (form["payment_intent"] != "pi_1") return (HttpStatusCode.BadRequest, """{"error":{"type":"invalid_request_error","code":"resource_missing"}}""");
        var amount = long.Parse(form["amount"], System.Globalization.CultureInfo.InvariantCulture);
        if (refunds.Sum(r => r.Amount) + amount > 100) return (HttpStatusCode.BadRequest, """{"error":{"type":"invalid_request_error","code":"charge_already_refunded"}}""");
        refunds.Add((amount, form["metadata[turnpike_refund]"]));
        return (HttpStatusCode.OK, Json(refunds.Count));
    }

    private HttpResponseMessage Refunds(Uri url) => url.AbsolutePath == "/v1/refunds"
        ? Internet.Json($$"""{"data":[{{string.Join(',', Enumerable.Range(1, refunds.Count).Select(Json))}}]}""")
        : Internet.Json(Json(int.Parse(url.AbsolutePath.Split('_')[1], System.Globalization.CultureInfo.InvariantCulture)));

    private string Json(int refund) =>
        $$"""{"id":"re_{{refund}}","status":"{{RefundStatus}}","amount":{{refunds[refund - 1].Amount}},"currency":"usd","metadata":{"turnpike_refund":"{{refunds[refund - 1].Name}}"} }""";

    private static HttpResponseMessage Error(HttpStatusCode status, string type, string code) => Internet.Json($$""" {"error":{"type":"{{type}}","code":"{{code}}"} } """, status);
}
