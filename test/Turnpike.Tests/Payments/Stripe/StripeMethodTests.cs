using System.Net;
using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Payments.Mpp;
using Turnpike.Payments.Stripe;
using Turnpike.Protocols.Mpp;
using Turnpike.Tests.Billing.Stripe;
using Turnpike.Tests.Payments.X402;

namespace Turnpike.Tests.Payments.Stripe;

/// <summary>MPP's stripe charge: one challenge charges once, whatever is repeated, and what Stripe leaves open stays open.</summary>
public sealed class StripeMethodTests
{
    private readonly StripeTill stripe = new();
    private readonly Rails rails;

    public StripeMethodTests() => rails = new Rails(stripe.Internet, stripe: StripeTill.Settings);

    [Theory]
    [InlineData("1.00 USD", "100")]
    [InlineData("0.501 USD", "51")]
    [InlineData("50 JPY", "50")]
    [InlineData("0.30 GBP", "30")]
    public void A_price_is_asked_in_minor_units_rounded_up(string price, string minor) => rails.Stripe.Offer(rails.Call(price)).Single().Amount.ShouldBe(minor);

    [Theory]
    [InlineData("0.49 USD")]
    [InlineData("0.29 GBP")]
    [InlineData("49 JPY")]
    [InlineData("5.00 XAU")]
    [InlineData("1000000.00 USD")]
    public void What_Stripe_would_refuse_is_not_offered(string price) => rails.Stripe.Offer(rails.Call(price)).ShouldBeEmpty();

    [Fact]
    public void The_money_is_always_collected_before_forwarding() => rails.Stripe.SettlesBefore.ShouldBeTrue();

    [Fact]
    public async Task A_charge_says_what_Stripe_wants_to_hear_and_its_key_is_the_challenges_alone()
    {
        var captured = await rails.Capture(rails.Stripe, Pay());
        (await rails.Stripe.SettleAsync(captured, default)).ShouldBe(new Settlement.Settled(stripe.Intent, "100"));
        var asked = stripe.Internet.All.Single();
        (asked.Method, asked.Url.AbsolutePath, asked.Headers["Stripe-Version"], asked.Headers["Idempotency-Key"]).ShouldBe(("POST", "/v1/payment_intents", "2026-07-29.preview", "turnpike_ch_1"));
        var form = StripeTill.Form(asked);
        (form["amount"], form["currency"], form["confirm"], form["shared_payment_granted_token"]).ShouldBe(("100", "usd", "true", "spt_1"));
        (form["automatic_payment_methods[allow_redirects]"], form["metadata[mpp_challenge_id]"]).ShouldBe(("never", "ch_1"));
    }

    [Fact]
    public async Task A_payment_names_its_payer_without_its_token()
    {
        var payment = Pay();
        (await Rails.Check(rails.Stripe, payment)).ShouldBeNull();
        payment.HoldId.ShouldBe("stripe:ch_1");
        payment.Payer.ShouldNotBeNull().ShouldStartWith("stripe:");
        payment.Payer.ShouldNotContain("spt_");
        payment.Legs.Single().Amount.ShouldBe(new Money(Money.Nano, "USD"));
        StripeTerms.FromJson(payment.Terms)!.ToString().ShouldNotContain("spt_");
    }

    [Theory]
    [InlineData("""{"spt":"tok_1"}""", "malformed-credential")]
    [InlineData("""{}""", "malformed-credential")]
    [InlineData("""{"spt":"spt_1","externalId":"other"}""", "invalid-challenge")]
    public async Task A_wrong_payload_costs_no_outside_call(string payload, string reason)
    {
        (await Rails.Check(rails.Stripe, Pay(payload: payload))).ShouldNotBeNull().Reason.Code.ShouldBe(reason);
        stripe.Internet.All.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_cheap_operations_challenge_does_not_open_a_dear_one()
    {
        var cheap = (string)rails.Stripe.Offer(rails.Call("0.50 USD")).Single().Terms!;
        (await Rails.Check(rails.Stripe, Pay(request: cheap))).ShouldNotBeNull().Reason.ShouldBe(Reasons.InvalidChallenge);
    }

    /// <summary>Its key is in use while the first try is still on its way: that says nothing of the money, nor may it be given up.</summary>
    [Fact]
    public async Task A_charge_that_is_still_being_made_is_unknown_until_it_arrives_and_charges_once()
    {
        var captured = await rails.Capture(rails.Stripe, Pay());
        stripe.Stripe.Fail("payment_intents", StripeFault.Late);
        (await rails.Stripe.SettleAsync(captured, default)).ShouldBeOfType<Settlement.Unknown>();
        (await rails.Stripe.SettleAsync(captured with { Status = HoldStatus.Unknown }, default)).ShouldBeOfType<Settlement.Unknown>("409: in use");
        stripe.Stripe.Arrive();
        (await rails.Stripe.SettleAsync(captured with { Status = HoldStatus.Unknown }, default)).ShouldBe(new Settlement.Settled(stripe.Intent, "100"));
        stripe.Charged.ShouldBe(1);
    }

    public static TheoryData<string> BadCards => [.. StripeCards.Bad];

    [Theory]
    [MemberData(nameof(BadCards))]
    public async Task No_card_that_Stripe_declines_pays(string card)
    {
        stripe.Stripe.Objects.Payments.Grant("spt_bad", card);
        var failed = (await rails.Stripe.SettleAsync(await rails.Capture(rails.Stripe, Pay("spt_bad")), default)).ShouldBeOfType<Settlement.Failed>();
        failed.Code.ShouldBe(StripeCards.Refuses(card) is var no && no!.Decline is { } decline ? decline : no.Code);
        stripe.Charged.ShouldBe(0);
    }

    [Fact]
    public async Task A_declined_card_is_refused_by_its_code()
    {
        var captured = await rails.Capture(rails.Stripe, Pay("spt_declined"));
        (await rails.Stripe.SettleAsync(captured, default)).ShouldBeOfType<Settlement.Failed>().Code.ShouldBe("insufficient_funds");
    }

    [Fact]
    public async Task A_payment_that_waits_for_its_payer_is_cancelled_and_says_so()
    {
        var captured = await rails.Capture(rails.Stripe, Pay("spt_action"));
        (await rails.Stripe.SettleAsync(captured, default)).ShouldBeOfType<Settlement.Failed>().As.ShouldBe(Reasons.PaymentActionRequired);
        stripe.Internet.All.Last().Url.AbsolutePath.ShouldBe($"/v1/payment_intents/{stripe.Intent}/cancel");
    }

    [Fact]
    public async Task A_lost_answer_is_unknown_and_recovered_under_the_same_key_without_a_second_charge()
    {
        var captured = await rails.Capture(rails.Stripe, Pay());
        stripe.LosesAnswers = true;
        (await rails.Stripe.SettleAsync(captured, default)).ShouldBeOfType<Settlement.Unknown>();
        stripe.LosesAnswers = false;
        (await rails.Stripe.SettleAsync(captured with { Status = HoldStatus.Unknown }, default)).ShouldBe(new Settlement.Settled(stripe.Intent, "100"));
        stripe.Charged.ShouldBe(1);
    }

    [Fact]
    public async Task An_answer_that_Stripe_repeats_is_not_the_first_trys()
    {
        await rails.Stripe.SettleAsync(await rails.Capture(rails.Stripe, Pay()), default);
        var again = await rails.Capture(rails.Stripe, Pay());
        (await rails.Stripe.SettleFirstAsync(again, default)).ShouldBeOfType<Settlement.Failed>().Code.ShouldBe("idempotent_replayed");
        (await rails.Stripe.SettleAsync(again, default)).ShouldBe(new Settlement.Settled(stripe.Intent, "100"), "whoever finishes what another began believes what is repeated");
    }

    [Fact]
    public async Task A_token_minted_anew_does_not_charge_the_same_challenge_twice()
    {
        await rails.Stripe.SettleAsync(await rails.Capture(rails.Stripe, Pay("spt_1")), default);
        (await rails.Stripe.SettleFirstAsync(await rails.Capture(rails.Stripe, Pay("spt_2")), default)).ShouldBeOfType<Settlement.Failed>();
        stripe.Charged.ShouldBe(1);
    }

    [Theory]
    [InlineData(HttpStatusCode.InternalServerError)]
    [InlineData(HttpStatusCode.Conflict)]
    [InlineData(HttpStatusCode.BadGateway)]
    public async Task Trouble_at_Stripe_is_unknown(HttpStatusCode status)
    {
        var captured = await rails.Capture(rails.Stripe, Pay());
        stripe.Instead = () => Internet.Json("{}", status);
        (await rails.Stripe.SettleAsync(captured, default)).ShouldBeOfType<Settlement.Unknown>();
    }

    [Theory]
    [InlineData(HttpStatusCode.TooManyRequests)]
    [InlineData(HttpStatusCode.Unauthorized)]
    public async Task A_refusal_to_answer_says_nothing_of_an_earlier_try_whose_answer_was_lost(HttpStatusCode status)
    {
        var captured = await rails.Capture(rails.Stripe, Pay());
        stripe.LosesAnswers = true;
        (await rails.Stripe.SettleAsync(captured, default)).ShouldBeOfType<Settlement.Unknown>();
        stripe.Instead = () => Internet.Json("{}", status);
        (await rails.Stripe.SettleAsync(captured with { Status = HoldStatus.Unknown }, default)).ShouldBeOfType<Settlement.Unknown>("the card has been charged");
    }

    [Fact]
    public async Task A_charge_of_another_amount_settles_nothing()
    {
        var captured = await rails.Capture(rails.Stripe, Pay());
        stripe.Instead = () => Internet.Json("""{"id":"pi_1","status":"succeeded","amount":1,"currency":"usd"}""");
        (await rails.Stripe.SettleAsync(captured, default)).ShouldBeOfType<Settlement.Unknown>();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task After_a_day_Stripe_is_asked_and_not_charged(bool charged)
    {
        var captured = await rails.Capture(rails.Stripe, Pay());
        if (charged) await rails.Stripe.SettleAsync(captured, default);
        rails.Time.Leap(TimeSpan.FromHours(24));
        var later = await rails.Stripe.SettleAsync(captured with { Status = HoldStatus.Unknown }, default);
        if (charged) later.ShouldBe(new Settlement.Settled(stripe.Intent, "100"));
        else later.ShouldBeOfType<Settlement.Failed>().Code.ShouldBe("never_charged");
        stripe.Internet.All.Last().Method.ShouldBe("GET");
    }

    private Payment Pay(string spt = "spt_1", string? payload = null, string? request = null) => new(rails.Call("1.00 USD"), static _ => default)
    {
        Credential = new MppPaymentCredential
        {
            Digest = "d",
            Method = "mpp.stripe",
            Terms = ExactMethodTests.Sealed(new Money(Money.Nano, "USD")),
            Wire = new MppCredential
            {
                Challenge = new Challenge { Id = "ch_1", Realm = "api.test", Method = "stripe", Intent = "charge", Request = request ?? (string)rails.Stripe.Offer(rails.Call("1.00 USD")).Single().Terms! },
                Payload = JsonDocument.Parse(payload ?? $$"""{"spt":"{{spt}}"}""").RootElement,
            },
        },
    };
}
