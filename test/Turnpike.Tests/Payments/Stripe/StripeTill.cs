using System.Net;
using Turnpike.Catalog;
using Turnpike.Payments;
using Turnpike.Tests.Billing.Stripe;

namespace Turnpike.Tests.Payments.Stripe;

/// <summary>The Stripe double behind the payment rails, with four tokens a wallet has granted: two that pay, one without funds, one whose owner is asked.</summary>
internal sealed class StripeTill
{
    public StripeTill()
    {
        Internet = new Internet(asked => Instead?.Invoke() ?? Answer(asked));
        foreach (var (token, card) in ((string, string)[])[("spt_1", StripeCards.Good), ("spt_2", StripeCards.Good), ("spt_declined", "pm_card_chargeDeclinedInsufficientFunds"), ("spt_action", StripeCards.AsksItsOwner)])
            Stripe.Objects.Payments.Grant(token, card);
    }

    public static StripeSettings Settings { get; } = new(new Secret("sk_test_1"), "profile_1", new Uri("http://stripe.test"));

    public StripeDouble Stripe { get; } = new("sk_test_1", "whsec_1");

    public Internet Internet { get; }

    /// <summary>Answers instead of Stripe.</summary>
    public Func<HttpResponseMessage>? Instead { get; set; }

    /// <summary>What it does, and then the connection breaks.</summary>
    public bool LosesAnswers { set => Stripe.Always = value ? StripeFault.After : null; }

    public string Intent => (string)Stripe.Objects.All("payment_intent")[0]["id"]!;

    public int Charged => Stripe.Objects.All("charge").Count(c => (string?)c["status"] == "succeeded");

    public IReadOnlyList<long> Refunded => [.. Stripe.Objects.All("refund").Select(r => StripeObjects.Long(r["amount"]))];

    public static Dictionary<string, string> Form(Asked asked) => StripeForm.Pairs(asked.Body).ToDictionary();

    /// <summary>A charge of a hundred that was made before; its intent.</summary>
    public string Charge() => (string)Stripe.Objects.Payments.Charged("", 100, "usd", StripeCards.Good, null, null)["id"]!;

    private HttpResponseMessage Answer(Asked asked)
    {
        var reply = Stripe.Answer(asked.Method, asked.Url.PathAndQuery, asked.Headers.GetValueOrDefault, asked.Body);
        if (reply.Status == 0) return Internet.Silence();
        var response = Internet.Json(reply.Body, (HttpStatusCode)reply.Status);
        if (reply.Replayed) response.Headers.Add("Idempotent-Replayed", "true");
        return response;
    }
}
