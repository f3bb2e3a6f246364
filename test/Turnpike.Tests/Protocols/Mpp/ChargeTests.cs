using System.Text;
using System.Text.Json;
using Turnpike.Protocols.Evm;
using Turnpike.Protocols.Http;
using Turnpike.Protocols.Mpp;

namespace Turnpike.Tests.Protocols.Mpp;

/// <summary>Terms and payloads of the charge methods.</summary>
public sealed class ChargeTests
{
    private const string Token = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";
    private const string Payee = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";
    private const string Permit2 = "0x000000000022D473030F116dDEE9F6B43aC78BA3";

    [Fact]
    public void Evm_terms_are_canonical_and_complete()
    {
        var request = ChargeRequest.Evm(10_000, Address.Parse(Token.ToLowerInvariant()), Address.Parse(Payee), 84532, 6, Address.Parse(Permit2));

        Text(request).ShouldBe(
            $$"""{"amount":"10000","currency":"{{Token}}","methodDetails":{"chainId":84532,"credentialTypes":["authorization"],"decimals":6,"permit2Address":"{{Permit2}}"},"recipient":"{{Payee}}"}""");
        Text(ChargeRequest.Evm(1, Address.Parse(Token), Address.Parse(Payee), 1, 6, externalId: "o1")).ShouldBe(
            $$"""{"amount":"1","currency":"{{Token}}","externalId":"o1","methodDetails":{"chainId":1,"credentialTypes":["authorization"],"decimals":6},"recipient":"{{Payee}}"}""");
    }

    [Fact]
    public void Stripe_terms_are_canonical_and_complete()
    {
        Text(ChargeRequest.Stripe(150, "USD", "profile_1", ["card", "link"])).ShouldBe(
            """{"amount":"150","currency":"usd","methodDetails":{"networkId":"profile_1","paymentMethodTypes":["card","link"]}}""");
        Text(ChargeRequest.Stripe(150, "eur", "profile_1", ["card"], new Dictionary<string, string> { ["b"] = "é", ["a"] = "1" }, "o1")).ShouldBe(
            """{"amount":"150","currency":"eur","externalId":"o1","methodDetails":{"metadata":{"a":"1","b":"é"},"networkId":"profile_1","paymentMethodTypes":["card"]}}""");
    }

    [Fact]
    public void Stripe_terms_no_client_would_pay_are_not_built()
    {
        Should.Throw<ArgumentException>(() => ChargeRequest.Stripe(150, "usd", "profile_1", []));
        Should.Throw<ArgumentException>(() => ChargeRequest.Stripe(150, "usd", "p", ["card"], new Dictionary<string, string> { ["externalId"] = "x" }));
    }

    [Fact]
    public void The_challenge_hash_is_keccak_of_id_and_realm()
    {
        // The hash of "abc" is Keccak's own well-known vector.
        const string abc = "0x4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45";

        Hex.Encode(EvmCharge.ChallengeHash("a", "bc")).ShouldBe(abc);
        Hex.Encode(EvmCharge.ChallengeHash("ab", "c")).ShouldBe(abc);
        EvmCharge.ChallengeHash("x", "bc").ShouldNotBe(EvmCharge.ChallengeHash("a", "bc"));
    }

    [Fact]
    public void A_source_names_one_payer_on_one_chain()
    {
        var payer = Address.Parse(Payee);

        EvmCharge.Source(payer, 8453).ShouldBe($"did:pkh:eip155:8453:{Payee}");
        EvmCharge.IsSource($"did:pkh:eip155:8453:{Payee.ToLowerInvariant()}", payer, 8453).ShouldBeTrue();
        EvmCharge.IsSource($"did:pkh:eip155:1:{Payee}", payer, 8453).ShouldBeFalse();
        EvmCharge.IsSource($"did:pkh:eip155:8453:{Token}", payer, 8453).ShouldBeFalse();
        EvmCharge.IsSource($"did:pkh:eip155:8453:{Payee}0", payer, 8453).ShouldBeFalse();
    }

    [Fact]
    public void An_evm_payload_is_read_into_an_authorization()
    {
        var payload = EvmAuthorizationPayload.Parse(Json(EvmPayload()), out var error).ShouldNotBeNull();

        error.ShouldBeNull();
        var authorization = payload.ToAuthorization().ShouldNotBeNull();
        authorization.From.ShouldBe(Address.Parse(Payee));
        authorization.Value.ToString().ShouldBe("10000");
        authorization.Nonce.Length.ShouldBe(32);
        payload.SignatureBytes().ShouldNotBeNull().Length.ShouldBe(65);
        EvmAuthorizationPayload.Parse(Json(EvmPayload().Replace("\"type\":\"authorization\",", "", StringComparison.Ordinal)), out _).ShouldNotBeNull();
    }

    [Theory]
    [InlineData("\"type\":\"authorization\"", "\"type\":\"hash\"")]
    [InlineData("\"type\":\"authorization\"", "\"type\":7")]
    [InlineData("\"value\":\"10000\"", "\"value\":10000")]
    [InlineData("\"value\":\"10000\"", "\"value\":\"-1\"")]
    [InlineData("\"value\":\"10000\"", "\"value\":\"1e4\"")]
    [InlineData("\"value\":\"10000\"", "\"value\":\"010000\"")]
    [InlineData("\"value\":\"10000\"", "\"value\":null")]
    [InlineData("\"value\":\"10000\"", "\"value\":\"115792089237316195423570985008687907853269984665640564039457584007913129639936\"")]
    [InlineData("\"value\":\"10000\",", "")]
    [InlineData("\"validAfter\":\"0\"", "\"validAfter\":\" 0\"")]
    [InlineData("\"nonce\":\"0x11", "\"nonce\":\"0x")]
    [InlineData("\"signature\":\"0x22", "\"signature\":\"0xg2")]
    [InlineData("\"signature\":\"0x22", "\"signature\":\"0x2")]
    [InlineData("\"from\":\"0x20", "\"from\":\"20")]
    public void A_malformed_evm_payload_is_refused_with_a_reason(string sound, string broken)
    {
        EvmPayload().ShouldContain(sound);
        EvmAuthorizationPayload.Parse(Json(EvmPayload().Replace(sound, broken, StringComparison.Ordinal)), out var error).ShouldBeNull();
        error.ShouldNotBeNull();
    }

    [Theory]
    [InlineData("""{"spt":"spt_1"}""", true)]
    [InlineData("""{"spt":"spt_1","externalId":"o1","extra":1}""", true)]
    [InlineData("""{"spt":"pm_1"}""", false)]
    [InlineData("""{"spt":"spt_"}""", false)]
    [InlineData("""{"spt":"spt_1&amount=1"}""", false)]
    [InlineData("""{"spt":1}""", false)]
    [InlineData("""{"spt":"spt_1","externalId":1}""", false)]
    [InlineData("{}", false)]
    [InlineData("[]", false)]
    public void A_stripe_payload_holds_a_shared_payment_token(string json, bool sound)
    {
        (StripePayload.Parse(Json(json), out var error) is not null).ShouldBe(sound);
        (error is null).ShouldBe(sound);
    }

    [Fact]
    public void A_receipt_survives_encoding_and_decoding()
    {
        var receipt = new MppReceipt { Method = "evm", Reference = "0xabc", Timestamp = "2026-11-21T03:05:47.933Z", ChallengeId = "c1", ChainId = 8453 };

        Text(receipt.Encode()).ShouldBe("""{"method":"evm","reference":"0xabc","status":"success","timestamp":"2026-11-21T03:05:47.933Z","challengeId":"c1","chainId":8453}""");
        MppReceipt.Decode(receipt.Encode()).ShouldBe(receipt);
        MppReceipt.Decode(Base64Url.Encode("""{"method":"evm","reference":"0xabc","status":"failed","timestamp":"x"}"""u8)).ShouldBeNull();
        MppReceipt.Decode(Base64Url.Encode("""{"method":"evm","status":"success","timestamp":"x"}"""u8)).ShouldBeNull();
        MppReceipt.Decode("e30").ShouldBeNull();
    }

    [Theory]
    [InlineData(null, 1000, 1000, 1000)]
    [InlineData("", 1000, 1000, 1000)]
    [InlineData("nonsense", 1000, 1000, 1000)]
    [InlineData("tempo/charge, stripe/charge;q=0.5, */session;q=0", 500, 0, 0)]
    [InlineData("*/*;q=0.1, stripe/*;q=0.7, stripe/charge;q=0", 0, 700, 100)]
    [InlineData("stripe/charge;q=0.125, */*", 125, 1000, 1000)]
    [InlineData("stripe/charge;q=2, */*;q=0.3", 300, 300, 300)]
    [InlineData("stripe/charge;q=0.2, stripe/charge;q=0.9", 900, 0, 0)]
    public void The_most_specific_range_ranks_an_offer(string? header, int stripeCharge, int stripeSession, int evmCharge)
    {
        var accepted = AcceptPayment.Parse(header);

        accepted.Rank("stripe", "charge").ShouldBe(stripeCharge);
        accepted.Rank("stripe", "session").ShouldBe(stripeSession);
        accepted.Rank("evm", "charge").ShouldBe(evmCharge);
    }

    [Fact]
    public void Problems_have_the_published_uris_and_statuses()
    {
        Problems.PaymentRequired.ShouldBe(new Problem("https://paymentauth.org/problems/payment-required", "Payment Required", 402));
        Problems.MethodUnsupported.Status.ShouldBe(400);
        Problems.SessionChannelFinalized.ShouldBe(new Problem("https://paymentauth.org/problems/session/channel-finalized", "Channel Closed", 410));
    }

    private static string EvmPayload() =>
        $$"""{"type":"authorization","from":"{{Payee}}","to":"{{Token}}","value":"10000","validAfter":"0","validBefore":"1795230347","nonce":"0x{{new string('1', 64)}}","signature":"0x{{new string('2', 130)}}"}""";

    private static JsonElement Json(string json) => StrictJson.Parse(Encoding.UTF8.GetBytes(json)).ShouldNotBeNull();

    private static string Text(string base64) => Encoding.UTF8.GetString(Base64Url.Decode(base64).ShouldNotBeNull());
}
