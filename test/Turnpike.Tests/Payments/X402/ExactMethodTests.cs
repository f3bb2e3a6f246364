using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Payments.X402;
using Turnpike.Protocols.Evm;
using Turnpike.Protocols.X402;
using Turnpike.Tests.Payments.Evm;

namespace Turnpike.Tests.Payments.X402;

/// <summary>x402 exact: what is offered, what is believed, and what each wrong proof is told at whose cost.</summary>
public sealed class ExactMethodTests
{
    private static readonly Address Stranger = Address.Parse("0x90F79bf6EB2c4f870365E785982E1f101E93b906");
    private readonly Rails rails = new();

    [Fact]
    public void An_offer_names_amount_asset_payee_and_domain()
    {
        var offer = rails.Exact.Offer(rails.Call()).Single();
        var terms = offer.Terms.ShouldBeOfType<PaymentRequirements>();
        (offer.Network, offer.Amount, offer.Protocol, offer.Method).ShouldBe(("eip155:84532", "10000", "x402", "x402.exact"));
        (terms.Scheme, terms.MaxTimeoutSeconds).ShouldBe(("exact", 300));
        terms.Asset.ShouldBe("0x036CbD53842c5426634e7929541eC2318f3dCF7e");
        terms.Extra!.Value.GetRawText().ShouldBe("""{"name":"USDC","version":"2"}""");
    }

    [Fact]
    public void A_second_402_of_the_same_price_reuses_the_same_offers() => rails.Exact.Offer(rails.Call()).ShouldBeSameAs(rails.Exact.Offer(rails.Call()));

    [Fact]
    public void A_price_below_the_assets_smallest_unit_is_rounded_up() => rails.Terms("0.0000001 USD").Amount.ShouldBe("1");

    [Theory]
    [InlineData("1.00 EUR")]
    [InlineData("5 calls")]
    public void A_price_in_another_currency_is_not_offered(string price) => rails.Exact.Offer(rails.Call(price)).ShouldBeEmpty();

    [Fact]
    public async Task A_sound_payment_names_its_payer_its_money_and_what_settling_needs()
    {
        var authorization = rails.Authorize();
        var payment = rails.Pay(authorization);
        (await rails.Check(payment)).ShouldBeNull();
        payment.HoldId.ShouldBe($"eip3009:84532:0x036cbd53842c5426634e7929541ec2318f3dcf7e:{Rails.Payer.ToLowerHex()}:{Hex.Encode(authorization.Nonce)}");
        payment.Payer.ShouldBe($"eip155:84532:{Rails.Payer.ToLowerHex()}");
        payment.Legs.Single().ShouldBe(new Leg($"external:evm:{payment.Payer}", "revenue:forecast", new Money(10_000_000, "USD"), Limited: false));
        payment.Expires.ShouldBe(rails.Time.GetUtcNow().AddSeconds(300));
        payment.PriceVersion.ShouldBe("v1");
    }

    public static TheoryData<string, string> WrongTerms => new()
    {
        { "scheme", ErrorCodes.Scheme },
        { "network", ErrorCodes.NetworkMismatch },
        { "asset", ErrorCodes.InvalidPaymentRequirements },
        { "payTo", ErrorCodes.RecipientMismatch },
        { "less", ErrorCodes.ValueMismatch },
        { "more", ErrorCodes.ValueMismatch },
        { "domain", ErrorCodes.MissingDomain },
        { "timeout", ErrorCodes.InvalidPaymentRequirements },
    };

    [Theory]
    [MemberData(nameof(WrongTerms))]
    public async Task Terms_that_are_not_ours_get_their_own_code_and_cost_no_outside_call(string wrong, string code)
    {
        var ours = rails.Terms();
        var theirs = wrong switch
        {
            "scheme" => ours with { Scheme = "upto" },
            "network" => ours with { Network = "eip155:8453" },
            "asset" => ours with { Asset = Stranger.ToString() },
            "payTo" => ours with { PayTo = Stranger.ToString() },
            "less" => ours with { Amount = "9999" },
            "more" => ours with { Amount = "10001" },
            "domain" => ours with { Extra = JsonDocument.Parse("""{"name":"Other","version":"2"}""").RootElement },
            _ => ours with { MaxTimeoutSeconds = 301 },
        };
        (await rails.Check(rails.Pay(accepted: theirs))).ShouldNotBeNull().Code.ShouldBe(code);
        rails.Node.Asked.ShouldBeEmpty();
    }

    public static TheoryData<string, string, string> WrongProofs => new()
    {
        { "other recipient", ErrorCodes.RecipientMismatch, "invalid-challenge" },
        { "less", ErrorCodes.ValueMismatch, "payment-insufficient" },
        { "more", ErrorCodes.ValueMismatch, "payment-insufficient" },
        { "expired", ErrorCodes.ValidBefore, "payment-expired" },
        { "about to expire", ErrorCodes.ValidBefore, "payment-expired" },
        { "not yet valid", ErrorCodes.ValidAfter, "verification-failed" },
        { "somebody else's signature", ErrorCodes.Signature, "verification-failed" },
        { "high s", ErrorCodes.Signature, "verification-failed" },
        { "v of 0", ErrorCodes.Signature, "verification-failed" },
        { "truncated payload", ErrorCodes.InvalidPayload, "malformed-credential" },
        { "signature of no hex", ErrorCodes.FailedToParseSignature, "malformed-credential" },
    };

    [Theory]
    [MemberData(nameof(WrongProofs))]
    public async Task A_wrong_proof_gets_its_own_code_and_costs_no_outside_call(string wrong, string code, string reason)
    {
        var refusal = (await rails.Check(Wrong(wrong))).ShouldNotBeNull();
        refusal.Code.ShouldBe(code);
        refusal.Reason.Code.ShouldBe(reason);
        rails.Node.Asked.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_amount_sealed_into_the_terms_is_honoured_after_the_price_has_changed()
    {
        var sealed_ = Sealed(new Money(10_000_000, "USD"));
        var payment = rails.Pay(rails.Authorize("10000"), accepted: rails.Terms("0.01 USD"), price: "0.05 USD", terms: sealed_);
        (await rails.Check(payment)).ShouldBeNull();
        (payment.Ceiling.ToString(), payment.PriceVersion).ShouldBe(("0.01 USD", "v0"));
    }

    [Fact]
    public async Task A_v1_payment_is_believed_by_its_short_network_name()
    {
        var authorization = rails.Authorize(after: (ulong)rails.Now - 600);
        var proof = new PaymentPayloadV1 { X402Version = 1, Scheme = "exact", Network = "base-sepolia", Payload = new ExactEvmPayload(authorization, rails.Sign(authorization)).ToJson() };
        var payment = rails.PayV1(proof);
        (await rails.Check(payment)).ShouldBeNull();
        rails.Exact.NetworkOf(payment).ShouldBe("eip155:84532");
        (await rails.Check(rails.PayV1(proof with { Network = "base" }))).ShouldNotBeNull().Code.ShouldBe(ErrorCodes.NetworkMismatch);
        (await rails.Check(rails.PayV1(proof with { Scheme = "upto" }))).ShouldNotBeNull().Code.ShouldBe(ErrorCodes.Scheme);
        var cheap = rails.Authorize("9999");
        (await rails.Check(rails.PayV1(proof with { Payload = new ExactEvmPayload(cheap, rails.Sign(cheap)).ToJson() }))).ShouldNotBeNull().Code.ShouldBe(ErrorCodes.ValueMismatchV1);
    }

    [Fact]
    public async Task When_outside_verifiers_are_asked_too_often_the_proof_is_not_looked_at()
    {
        rails.Busy = true;
        var refusal = (await rails.Check(rails.Pay())).ShouldNotBeNull();
        refusal.Reason.ShouldBe(Reasons.VerifierBusy);
        refusal.RetryAfter.ShouldBe(TimeSpan.FromSeconds(1));
        rails.Node.Asked.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_silent_node_believes_nobody()
    {
        rails.Node.Interrupt = FakeChain.Down;
        var payment = rails.Pay();
        (await rails.Check(payment)).ShouldNotBeNull().Reason.ShouldBe(Reasons.VerifierDown);
        (payment.Payer, payment.Legs.Count).ShouldBe((null, 0));
    }

    [Theory]
    [InlineData(-32005, "limit exceeded")]
    [InlineData(-32603, "internal error")]
    public async Task A_node_in_trouble_is_no_verdict(int code, string message)
    {
        rails.Node.Interrupt = _ => FakeChain.Error(code, message);
        (await rails.Check(rails.Pay())).ShouldNotBeNull().Reason.ShouldBe(Reasons.VerifierDown);
    }

    private Payment Wrong(string wrong)
    {
        var sound = rails.Authorize();
        var signature = rails.Sign(sound);
        return wrong switch
        {
            "other recipient" => rails.Pay(rails.Authorize(to: Stranger)),
            "less" => rails.Pay(rails.Authorize("9999")),
            "more" => rails.Pay(rails.Authorize("10001")),
            "expired" => rails.Pay(rails.Authorize(lives: -1)),
            "about to expire" => rails.Pay(rails.Authorize(lives: 5)),
            "not yet valid" => rails.Pay(rails.Authorize(after: (ulong)rails.Now + 60)),
            "somebody else's signature" => rails.Pay(sound with { From = Stranger }, signature),
            "high s" => rails.Pay(sound, HighS(signature)),
            "v of 0" => rails.Pay(sound, [.. signature[..64], (byte)(signature[64] - 27)]),
            "truncated payload" => rails.Pay(new PaymentPayload { X402Version = 2, Accepted = rails.Terms(), Payload = JsonDocument.Parse("""{"signature":"0x00"}""").RootElement }),
            _ => rails.Pay(new PaymentPayload { X402Version = 2, Accepted = rails.Terms(), Payload = JsonDocument.Parse(new ExactEvmPayload(sound, signature).ToJson().GetRawText().Replace(Hex.Encode(signature), "0xzz")).RootElement }),
        };
    }

    /// <summary>The malleable twin: n - s, and the other parity.</summary>
    private static byte[] HighS(byte[] signature)
    {
        var order = System.Numerics.BigInteger.Parse("0FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141", System.Globalization.NumberStyles.HexNumber, System.Globalization.CultureInfo.InvariantCulture);
        var s = order - new System.Numerics.BigInteger(signature.AsSpan(32, 32), isUnsigned: true, isBigEndian: true);
        var bytes = s.ToByteArray(isUnsigned: true, isBigEndian: true);
        return [.. signature[..32], .. new byte[32 - bytes.Length], .. bytes, (byte)(signature[64] ^ 7)];
    }

    internal static SealedTerms Sealed(Money amount) => new()
    {
        Operation = "forecast", PriceVersion = "v0", Amount = amount, Correlation = "c_0", Nonce = "n", Expires = DateTimeOffset.UnixEpoch.AddYears(100), HttpMethod = "GET", TargetDigest = "t",
    };
}
