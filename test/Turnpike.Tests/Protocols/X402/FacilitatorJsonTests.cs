using System.Text.Json;
using Turnpike.Protocols.X402;

namespace Turnpike.Tests.Protocols.X402;

public sealed class FacilitatorJsonTests
{
    [Fact]
    public void A_supported_answer_is_read_with_nulls_and_unknown_members()
    {
        const string json = """
            {"kinds":[{"x402Version":2,"scheme":"exact","network":"eip155:84532","extra":null,"later":1}],
             "extensions":["bazaar"],"signers":{"eip155:*":["0x00"]},"unknown":{}}
            """;
        var supported = JsonSerializer.Deserialize(json, X402Json.Wire.SupportedResponse).ShouldNotBeNull();
        supported.Kinds[0].Network.ShouldBe("eip155:84532");
        supported.Signers!["eip155:*"].ShouldBe(["0x00"]);
    }

    [Fact]
    public void A_verify_request_carries_the_payment_as_it_came()
    {
        var request = new VerifyRequest { PaymentPayload = Payments.Payment, PaymentRequirements = Payments.Ours };
        var json = JsonSerializer.SerializeToElement(request, X402Json.Wire.VerifyRequest);
        json.GetProperty("x402Version").GetInt32().ShouldBe(2);
        JsonElement.DeepEquals(json.GetProperty("paymentPayload"), Payments.Json(Payments.GoldenJson)).ShouldBeTrue();
        json.GetProperty("paymentRequirements").TryGetProperty("mimeType", out _).ShouldBeFalse();
    }

    [Fact]
    public void A_refusal_and_a_failed_settlement_are_read()
    {
        var verify = JsonSerializer.Deserialize("""{"isValid":false,"invalidReason":"insufficient_funds","payer":null}""", X402Json.Wire.VerifyResponse)!;
        (verify.IsValid, verify.InvalidReason, verify.Payer).ShouldBe((false, "insufficient_funds", null));
        var settle = JsonSerializer.Deserialize("""{"success":false,"transaction":"","network":"eip155:1","errorReason":"settlement_pending"}""", X402Json.Wire.SettleResponse)!;
        settle.ErrorReason.ShouldBe(ErrorCodes.SettlementPending);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"isValid":"yes"}""")]
    [InlineData("""{"isValid":true,"isValid":false}""")]
    public void An_answer_that_does_not_say_is_not_taken_for_a_yes(string json) =>
        Should.Throw<JsonException>(() => JsonSerializer.Deserialize(json, X402Json.Wire.VerifyResponse));

    [Fact]
    public void Version_1_terms_carry_what_v1_clients_insist_on()
    {
        var json = JsonSerializer.SerializeToElement(new PaymentRequiredV1 { Accepts = [Payments.OursV1] }, X402Json.Wire.PaymentRequiredV1);
        json.GetProperty("x402Version").GetInt32().ShouldBe(1);
        json.GetProperty("accepts")[0].GetProperty("description").GetString().ShouldBe("");
        json.GetProperty("accepts")[0].GetProperty("maxAmountRequired").GetString().ShouldBe("1000");
    }
}
