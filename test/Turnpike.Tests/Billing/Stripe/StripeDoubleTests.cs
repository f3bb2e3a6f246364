using System.Text;
using System.Text.Json.Nodes;

namespace Turnpike.Tests.Billing.Stripe;

/// <summary>The double refuses what Stripe would refuse, and goes wrong as Stripe does; a softer one would let our mistakes pass.</summary>
public sealed class StripeDoubleTests
{
    private const string Preview = "2026-07-29.preview";
    private readonly StripeDouble stripe = new("sk_test_seller", "whsec_hush") { Objects = { Payments = { Profile = "profile_x" } } };

    [Fact]
    public void A_good_request_succeeds_once_and_its_repetition_is_a_replay()
    {
        var form = Form(Grant());
        var (first, json, _) = Post(form, key: "k");
        (first, (string)json["status"]!, (string)json["metadata"]!["mpp_challenge_id"]!).ShouldBe((200, "succeeded", "c"));
        var (_, again, replayed) = Post(form, key: "k");
        ((string)again["id"]!, replayed).ShouldBe(((string)json["id"]!, true));
        CodeOf(form, key: "other").ShouldBe("shared_payment_token_used");
        form["amount"] = "101";
        var (status, other, _) = Post(form, key: "k");
        (status, (string)other["error"]!["type"]!).ShouldBe((400, "idempotency_error"));
        stripe.Objects.All("payment_intent").Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("amount", "49", "amount_too_small")]
    [InlineData("amount", "101", "amount_too_large")]
    [InlineData("amount", "1.00", "parameter_invalid_integer")]
    [InlineData("currency", "eur", "currency_mismatch")]
    [InlineData("shared_payment_granted_token", "spt_none", "resource_missing")]
    [InlineData("surprise", "1", "parameter_unknown")]
    [InlineData("confirm", "false", "parameter_missing")]
    [InlineData("automatic_payment_methods[allow_redirects]", "always", "parameter_missing")]
    public void A_wrong_parameter_is_refused_with_Stripes_code(string name, string value, string code)
    {
        var form = Form(Grant());
        form[name] = value;
        CodeOf(form).ShouldBe(code);
        stripe.Objects.All("payment_intent").ShouldBeEmpty();
    }

    [Fact]
    public void A_wrong_key_a_missing_version_and_an_expired_token_are_refused()
    {
        var form = Form(Grant());
        Post(form, secret: "sk_test_other").Status.ShouldBe(401);
        CodeOf(form, version: "2023-08-16").ShouldBe("parameter_unknown", "the preview alone has it");
        CodeOf(form, version: "2024-06-20").ShouldBe("parameter_invalid", "there is no document of that version");
        CodeOf(Form(Grant(expires: 1))).ShouldBe("shared_payment_token_expired");
        CodeOf(Form(Grant(seller: "profile_other"))).ShouldBe("resource_missing");
    }

    [Theory]
    [InlineData("pm_card_chargeDeclined", "card_declined", "generic_decline")]
    [InlineData("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds")]
    [InlineData("pm_card_chargeDeclinedExpiredCard", "expired_card", null)]
    public void A_declined_card_is_402_with_the_payment_that_failed(string card, string code, string? decline)
    {
        var (status, json, _) = Post(Form(Grant(card)));
        var error = json["error"]!;
        (status, (string)error["type"]!, (string)error["code"]!, (string?)error["decline_code"]).ShouldBe((402, "card_error", code, decline));
        ((string)error["payment_intent"]!["status"]!, (string)error["payment_intent"]!["last_payment_error"]!["code"]!).ShouldBe(("requires_payment_method", code));
        stripe.Objects.Events.ShouldHaveSingleItem().Type.ShouldBe("payment_intent.payment_failed");
    }

    [Fact]
    public void A_card_that_asks_its_owner_waits_when_the_owner_is_there_and_is_declined_when_not()
    {
        ((string)Post(Form(Grant(StripeCards.AsksItsOwner))).Json["status"]!).ShouldBe("requires_action");
        StripeCards.Refuses(StripeCards.AsksItsOwner, offSession: true).ShouldNotBeNull().Code.ShouldBe("authentication_required");
    }

    [Fact]
    public void Before_its_effect_nothing_has_happened_after_it_everything_has_and_late_its_key_is_in_use()
    {
        var form = Form(Grant());
        stripe.Fail("payment_intents", StripeFault.Before);
        Status(form).ShouldBe(0);
        stripe.Objects.All("payment_intent").ShouldBeEmpty();
        stripe.Fail("payment_intents", StripeFault.Late);
        Status(form).ShouldBe(0);
        Status(form).ShouldBe(409);
        stripe.Objects.All("payment_intent").ShouldBeEmpty();
        stripe.Arrive();
        Post(form, key: "k").Replayed.ShouldBeTrue();
        stripe.Fail("payment_intents", StripeFault.After);
        Post(Form(Grant()), key: "k2").Status.ShouldBe(0);
        stripe.Objects.All("payment_intent").Count.ShouldBe(2);
        int Status(Dictionary<string, string> of) => Post(of, key: "k").Status;
    }

    [Fact]
    public void What_broke_is_repeated_under_its_key_and_what_was_turned_away_is_not()
    {
        var form = Form(Grant());
        foreach (var (fault, status) in ((StripeFault, int)[])[(StripeFault.RateLimit, 429), (StripeFault.Error, 500)])
        {
            stripe.Fail("payment_intents", fault);
            Post(form, key: "k").Status.ShouldBe(status);
        }
        stripe.Fail("payment_intents", StripeFault.Broken);
        Post(form, key: "k").Status.ShouldBe(500);
        Post(form, key: "k").ShouldSatisfyAllConditions(a => a.Status.ShouldBe(500), a => a.Replayed.ShouldBeTrue());
        Post(form, key: "k2").Status.ShouldBe(200);
    }

    [Fact]
    public void A_charge_is_refunded_once_under_a_key_and_never_beyond_its_amount()
    {
        var intent = (string)Post(Form(Grant())).Json["id"]!;
        (int Status, JsonNode Json, bool Replayed) Refund(string amount, string key, string of) => Send("/v1/refunds", new() { ["payment_intent"] = of, ["amount"] = amount, ["metadata[turnpike_refund]"] = key }, "sk_test_seller", Preview, key);
        ((string)Refund("60", "a", intent).Json["status"]!).ShouldBe("succeeded");
        Refund("60", "a", intent).Replayed.ShouldBeTrue();
        ((string)Refund("60", "b", intent).Json["error"]!["message"]!).ShouldContain("greater than unrefunded amount");
        Refund("40", "c", intent).Status.ShouldBe(200);
        ((string)Refund("1", "d", intent).Json["error"]!["code"]!).ShouldBe("charge_already_refunded");
        ((string)Refund("1", "e", "pi_none").Json["error"]!["code"]!).ShouldBe("resource_missing");
    }

    [Fact]
    public void Meter_events_count_once_and_a_session_of_the_stream_ends()
    {
        var now = TimeProvider.System.GetUtcNow().ToString("O");
        string One(string id) => $$$"""{"event_name":"calls","identifier":"{{{id}}}","timestamp":"{{{now}}}","payload":{"stripe_customer_id":"cus_1","value":"2"}}""";
        (int Status, JsonNode Json) V2(string path, string body, string key) => stripe.Answer("POST", path, name => name switch { "Authorization" => "Bearer " + key, "Stripe-Version" => Turnpike.Billing.Export.StripeMeterSink.Version, _ => null }, body) is var r ? (r.Status, JsonNode.Parse(r.Body)!) : default;
        V2("/v2/billing/meter_events", One("a"), "sk_test_seller").Status.ShouldBe(200);
        ((string)V2("/v2/billing/meter_events", One("a"), "sk_test_seller").Json["error"]!["code"]!).ShouldBe("duplicate_meter_event");
        var token = (string)V2("/v2/billing/meter_event_session", "", "sk_test_seller").Json["authentication_token"]!;
        V2("/v2/billing/meter_event_stream", $$"""{"events":[{{One("a")}},{{One("b")}}]}""", token).Status.ShouldBe(200);
        stripe.Meters.Events.Values.Sum(e => e.Value).ShouldBe(4);
        V2("/v2/billing/meter_event_stream", $$"""{"events":[{{string.Join(',', Enumerable.Range(0, 101).Select(i => One($"{i}")))}}]}""", token).Status.ShouldBe(400);
        foreach (var wrong in (string[])[One("c").Replace("\"2\"", "2"), One("c").Replace("event_name", "name"), One("c").Replace("{\"event_name\"", "{\"surprise\":\"x\",\"event_name\""), "{}"])
            V2("/v2/billing/meter_events", wrong, "sk_test_seller").Status.ShouldBe(400, wrong);
        V2("/v2/billing/meter_event_stream", $$"""{"events":[{{One("c")}}]}""", "sk_test_seller").Status.ShouldBe(401, "the stream wants a session");
        stripe.Meters.End();
        ((string)V2("/v2/billing/meter_event_stream", $$"""{"events":[{{One("c")}}]}""", token).Json["error"]!["code"]!).ShouldBe("billing_meter_event_session_expired");
    }

    private static Dictionary<string, string> Form(string token) => new()
    {
        ["amount"] = "100", ["currency"] = "usd", ["confirm"] = "true", ["automatic_payment_methods[enabled]"] = "true", ["automatic_payment_methods[allow_redirects]"] = "never",
        ["shared_payment_granted_token"] = token, ["metadata[mpp_challenge_id]"] = "c",
    };

    private string Grant(string card = "pm_card_visa", long expires = 99_999_999_999, string seller = "profile_x")
    {
        var form = new Dictionary<string, string> { ["payment_method"] = card, ["usage_limits[currency]"] = "usd", ["usage_limits[max_amount]"] = "100", ["usage_limits[expires_at]"] = $"{expires}", ["seller_details[network_id]"] = seller };
        return (string)Send("/v1/test_helpers/shared_payment/granted_tokens", form, "sk_test_agent", Preview, null).Json["id"]!;
    }

    private string CodeOf(Dictionary<string, string> form, string? key = null, string version = Preview)
    {
        var (status, json, _) = Post(form, key: key, version: version);
        status.ShouldBe(400);
        return (string)json["error"]!["code"]!;
    }

    private (int Status, JsonNode Json, bool Replayed) Post(Dictionary<string, string> form, string secret = "sk_test_seller", string? key = null, string version = Preview) => Send("/v1/payment_intents", form, secret, version, key);

    private (int Status, JsonNode Json, bool Replayed) Send(string path, Dictionary<string, string> form, string secret, string version, string? key)
    {
        var body = string.Join('&', form.Select(p => $"{Uri.EscapeDataString(p.Key)}={Uri.EscapeDataString(p.Value)}"));
        var reply = stripe.Answer("POST", path, name => name switch { "Authorization" => "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(secret + ":")), "Stripe-Version" => version, "Idempotency-Key" => key, _ => null }, body);
        return (reply.Status, reply.Body.Length == 0 ? new JsonObject() : JsonNode.Parse(reply.Body)!, reply.Replayed);
    }
}
