using System.Net;
using Turnpike.Tests.Billing.Stripe;
using Turnpike.Tests.Payments;

namespace Turnpike.Tests.Simulation;

/// <summary>The Stripe double in this world's weather: its answers get lost, and requests arrive late.</summary>
internal sealed class SimulatedStripe(World world) : HttpMessageHandler
{
    private readonly StripeDouble stripe = new("sk_test_hush", "whsec_hush", world.Scheduler.Outside.Time);

    /// <summary>What was given back, by our name for it.</summary>
    public IReadOnlyList<StripeRefunded> Refunded => [.. stripe.Objects.All("refund").Select(r => new StripeRefunded((string)r["metadata"]!["turnpike_refund"]!, ChallengeOf((string)r["payment_intent"]!), StripeObjects.Long(r["amount"])))];

    /// <summary>What was charged, by challenge.</summary>
    public IReadOnlyDictionary<string, long> Charged => stripe.Objects.All("payment_intent").Where(i => (string?)i["status"] == "succeeded" && i["metadata"]?["mpp_challenge_id"] is not null).ToDictionary(i => (string)i["metadata"]!["mpp_challenge_id"]!, i => StripeObjects.Long(i["amount"]));

    /// <summary>What a saved card was charged, by order.</summary>
    public IReadOnlyList<(string Order, long Cents)> ToppedUp => [.. stripe.Objects.All("payment_intent").Where(i => (string?)i["status"] == "succeeded" && ((string?)i["metadata"]?["turnpike_purchase"])?.StartsWith("auto_", StringComparison.Ordinal) == true).Select(i => ((string)i["metadata"]!["turnpike_purchase"]!, StripeObjects.Long(i["amount"])))];

    /// <summary>The intent of a challenge.</summary>
    public string IntentOf(string challenge) => (string)stripe.Objects.All("payment_intent").Single(i => (string?)i["metadata"]?["mpp_challenge_id"] == challenge && (string?)i["status"] == "succeeded")["id"]!;

    /// <summary>A wallet lets a seller charge a card.</summary>
    public void Grant(string token, bool pays) => stripe.Objects.Payments.Grant(token, pays ? StripeCards.Good : "pm_card_chargeDeclined");

    /// <summary>A buyer pays at Stripe's own page.</summary>
    public void PayCheckout(string session) => stripe.Objects.Pay(session);

    /// <summary>The bank's word to the next charge of a saved card.</summary>
    public void Refuse(string why) => stripe.Objects.Saved.Answers.Enqueue(why);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
        var headers = request.Headers.ToDictionary(h => h.Key, h => string.Join(',', h.Value), StringComparer.OrdinalIgnoreCase);
        HttpResponseMessage Answer()
        {
            var (before, topUps) = ((Charged.Count, Refunded.Count), stripe.Objects.Saved.Taken);
            var reply = stripe.Answer(request.Method.Method, request.RequestUri!.PathAndQuery, headers.GetValueOrDefault, body);
            if (stripe.Objects.Saved.Taken > topUps)
            {
                world.Say("Stripe charges a saved card");
                world.Consent!.Charged();
            }
            if (Charged.Count > before.Item1) world.Say("Stripe charges a card");
            if (Refunded.Count > before.Item2) world.Say("Stripe gives back");
            var response = Internet.Json(reply.Body, (HttpStatusCode)reply.Status);
            if (reply.Replayed) response.Headers.Add("Idempotent-Replayed", "true");
            return response;
        }
        return world.Scheduler.Chance(world.Weather.Stripe) ? Trouble(Answer) : Answer();
    }

    private HttpResponseMessage Trouble(Func<HttpResponseMessage> answer)
    {
        var kind = world.Scheduler.Random.Next(5);
        world.Say($"Stripe: {(kind switch { 0 => "the request is lost", 1 => "the answer is lost", 2 => "the request arrives late", 3 => "too many requests", _ => "an inner error after its effect" })}");
        switch (kind)
        {
            case 1 or 4: answer(); break;
            case 2: world.Later(world.Scheduler.Between(1000, 120_000), "a request reaches Stripe late", () => answer()); break;
            case 3: return Internet.Json("{}", HttpStatusCode.TooManyRequests);
        }
        return kind == 4 ? Internet.Json("{}", HttpStatusCode.InternalServerError) : throw new HttpRequestException(HttpRequestError.ConnectionError, "silence");
    }

    private string ChallengeOf(string intent) => (string)stripe.Objects[intent]["metadata"]!["mpp_challenge_id"]!;
}

/// <summary>A refund Stripe carried out, in cents.</summary>
internal sealed record StripeRefunded(string Name, string Challenge, long Amount);
