using Turnpike.Protocols.Evm;
using Turnpike.Protocols.X402;
using Turnpike.Tests.Protocols.Evm;

namespace Turnpike.Tests.Protocols.X402;

public sealed class ExactEvmTests
{
    [Fact]
    public void The_golden_payment_is_valid_and_says_who_pays()
    {
        var check = ExactEvm.VerifyLocally(Payments.Payment, Payments.Ours, Payments.Now);
        check.Code.ShouldBeNull();
        check.ChainMustDecide.ShouldBeFalse();
        check.Payer.ShouldBe(EvmVectors.AddressAt("accounts", "payer", "address"));
    }

    [Fact]
    public void The_same_authorization_is_valid_under_version_1()
    {
        var payment = new PaymentPayloadV1 { X402Version = 1, Scheme = "exact", Network = "base-sepolia", Payload = Payments.Payment.Payload };
        ExactEvm.VerifyLocally(payment, Payments.OursV1, Payments.Now).IsValid.ShouldBeTrue();
        ExactEvmTerms.Create(Payments.OursV1, out _)!.ChainId.ShouldBe(84532UL);
        ExactEvm.VerifyLocally(payment with { Network = "base" }, Payments.OursV1, Payments.Now).Code.ShouldBe(ErrorCodes.NetworkMismatch);
        ExactEvm.VerifyLocally(payment with { Scheme = "upto" }, Payments.OursV1, Payments.Now).Code.ShouldBe(ErrorCodes.Scheme);
        ExactEvm.VerifyLocally(payment, Payments.OursV1 with { MaxAmountRequired = "999" }, Payments.Now).Code.ShouldBe("invalid_exact_evm_authorization_value");
    }

    [Fact]
    public void Another_scheme_is_refused()
    {
        var payment = Payments.Payment;
        Code(payment with { Accepted = payment.Accepted with { Scheme = "upto" } }).ShouldBe("invalid_exact_evm_scheme");
        ExactEvm.VerifyLocally(payment, Payments.Ours with { Scheme = "upto" }, Payments.Now).Code.ShouldBe("invalid_exact_evm_scheme");
        var permit2 = Payments.Json("""{"name":"USDC","version":"2","assetTransferMethod":"permit2"}""");
        ExactEvm.VerifyLocally(payment, Payments.Ours with { Extra = permit2 }, Payments.Now).Code.ShouldBe("invalid_exact_evm_scheme");
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"name":"USDC"}""")]
    [InlineData("""{"version":"2"}""")]
    [InlineData("""{"name":"USDC","version":2}""")]
    [InlineData("""{"name":"\ud800","version":"2"}""")]
    [InlineData("[]")]
    public void Terms_without_a_domain_are_refused(string extra) =>
        ExactEvm.VerifyLocally(Payments.Payment, Payments.Ours with { Extra = Payments.Json(extra) }, Payments.Now).Code
            .ShouldBe("invalid_exact_evm_missing_eip712_domain");

    [Fact]
    public void A_proof_for_another_network_is_refused()
    {
        var payment = Payments.Payment;
        Code(payment with { Accepted = payment.Accepted with { Network = "eip155:8453" } }).ShouldBe("invalid_exact_evm_network_mismatch");
    }

    [Fact]
    public void A_proof_for_another_asset_chain_or_domain_does_not_verify()
    {
        foreach (var terms in new[]
        {
            Payments.Ours with { Asset = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913" },
            Payments.Ours with { Extra = Payments.Json("""{"name":"USD Coin","version":"2"}""") },
            Payments.Ours with { Extra = Payments.Json("""{"name":"USDC","version":"1"}""") },
        }) ExactEvm.VerifyLocally(Payments.Payment, terms, Payments.Now).Code.ShouldBe("invalid_exact_evm_signature");

        var moved = Payments.Payment with { Accepted = Payments.Payment.Accepted with { Network = "eip155:8453" } };
        ExactEvm.VerifyLocally(moved, Payments.Ours with { Network = "eip155:8453" }, Payments.Now).Code.ShouldBe("invalid_exact_evm_signature");
    }

    [Fact]
    public void A_proof_for_another_recipient_is_refused() =>
        Code(Payments.Signed(a => a with { To = a.From })).ShouldBe("invalid_exact_evm_recipient_mismatch");

    [Theory]
    [InlineData(6, null)]
    [InlineData(5, "invalid_exact_evm_payload_authorization_valid_before")]
    [InlineData(-1, "invalid_exact_evm_payload_authorization_valid_before")]
    public void A_proof_must_live_six_more_seconds(int left, string? code) =>
        Code(Payments.Signed(a => a with { ValidBefore = (ulong)(Payments.Now + left) })).ShouldBe(code);

    [Theory]
    [InlineData(0, null)]
    [InlineData(1, "invalid_exact_evm_payload_authorization_valid_after")]
    [InlineData(-600, null)]
    public void A_proof_that_is_not_yet_valid_is_refused(int ahead, string? code) =>
        Code(Payments.Signed(a => a with { ValidAfter = (ulong)(Payments.Now + ahead) })).ShouldBe(code);

    [Fact]
    public void Times_beyond_any_clock_are_compared_and_not_cut()
    {
        Code(Payments.Signed(a => a with { ValidBefore = UInt256.MaxValue, ValidAfter = 0UL })).ShouldBeNull();
        Code(Payments.Signed(a => a with { ValidAfter = new UInt256(1, 0) })).ShouldBe("invalid_exact_evm_payload_authorization_valid_after");
    }

    [Theory]
    [InlineData(999)]
    [InlineData(1001)]
    [InlineData(0)]
    public void An_amount_that_is_not_the_price_is_refused(int amount) =>
        Code(Payments.Signed(a => a with { Value = (ulong)amount })).ShouldBe("invalid_exact_evm_payload_authorization_value_mismatch");

    [Fact]
    public void An_amount_that_equals_the_price_only_in_its_lower_half_is_refused() =>
        Code(Payments.Signed(a => a with { Value = new UInt256(1, 1000) })).ShouldBe("invalid_exact_evm_payload_authorization_value_mismatch");

    [Theory]
    [InlineData("highS_flippedV")]
    [InlineData("v0or1")]
    public void A_signature_that_only_recovers_off_chain_is_refused(string vector) =>
        Code(Payments.WithSignature(EvmVectors.Bytes("negative", vector))).ShouldBe("invalid_exact_evm_signature");

    [Fact]
    public void A_signature_by_somebody_else_is_refused_unless_any_contract_wallet_is_served()
    {
        var domain = EvmVectors.Bytes("eip712", "TransferWithAuthorization_USDC_BaseSepolia", "domainSeparator");
        var forged = Payments.Payment with { Payload = ExactEvm.Sign(EvmVectors.Authorization(), domain, EvmVectors.FacilitatorKey).ToJson() };
        Code(forged).ShouldBe("invalid_exact_evm_signature");
        var check = ExactEvm.VerifyLocally(forged, Payments.Ours, Payments.Now, ContractWallets.Any);
        (check.Code, check.ChainMustDecide).ShouldBe((null, true));
    }

    [Fact]
    public void A_contract_wallets_signature_is_left_to_the_chain_after_every_other_check()
    {
        foreach (var signature in new[] { EvmVectors.Bytes("erc6492", "wrapped"), new byte[130], EvmVectors.Bytes("negative", "compactEip2098") })
        {
            var check = ExactEvm.VerifyLocally(Payments.WithSignature(signature), Payments.Ours, Payments.Now);
            (check.Code, check.ChainMustDecide).ShouldBe((null, true));
            ExactEvm.VerifyLocally(Payments.WithSignature(signature), Payments.Ours, Payments.Now, ContractWallets.Refused).Code.ShouldBe("invalid_exact_evm_signature");
            var late = ExactEvm.VerifyLocally(Payments.WithSignature(signature), Payments.Ours, Payments.Now + 3600);
            (late.Code, late.ChainMustDecide).ShouldBe((ErrorCodes.ValidBefore, false));
        }
    }

    [Fact]
    public void A_broken_wrapper_is_not_worth_a_call()
    {
        var wrapped = EvmVectors.Bytes("erc6492", "wrapped");
        Code(Payments.WithSignature([.. wrapped[..64], .. wrapped[^32..]])).ShouldBe("invalid_exact_evm_signature");
    }

    [Theory]
    [InlineData("from", "0x12")]
    [InlineData("to", "nobody")]
    [InlineData("value", "-1000")]
    [InlineData("value", "1e3")]
    [InlineData("value", "0x3e8")]
    [InlineData("value", "01000")]
    [InlineData("value", "")]
    [InlineData("value", "115792089237316195423570985008687907853269984665640564039457584007913129639936")]
    [InlineData("validAfter", " 0")]
    [InlineData("validBefore", "1740672389.5")]
    [InlineData("nonce", "0x7ab1")]
    [InlineData("nonce", "\\ud800")]
    public void A_malformed_authorization_is_an_invalid_payload(string member, string text) =>
        Code(Bent($"\"{member}\":\"", text)).ShouldBe("invalid_payload");

    [Theory]
    [InlineData("0x")]
    [InlineData("0x1")]
    [InlineData("623f")]
    [InlineData("0xzz")]
    public void A_signature_that_is_not_hexadecimal_cannot_be_parsed(string text) =>
        Code(Bent("\"signature\":\"", text)).ShouldBe("invalid_exact_evm_failed_to_parse_signature");

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("7")]
    [InlineData("""{"signature":"0x00"}""")]
    [InlineData("""{"signature":null,"authorization":null}""")]
    [InlineData("""{"signature":"0x00","authorization":{"from":1}}""")]
    public void A_payload_of_another_shape_is_invalid(string json) =>
        Code(Payments.Payment with { Payload = Payments.Json(json) }).ShouldBe("invalid_payload");

    [Fact]
    public void A_payload_survives_json()
    {
        var payload = ExactEvmPayload.Parse(Payments.Payment.Payload, out _).ShouldNotBeNull();
        payload.ToJson().GetRawText().ShouldBe(System.Text.Json.JsonSerializer.Serialize(Payments.Payment.Payload));
    }

    [Theory]
    [InlineData("solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1", "1000")]
    [InlineData("eip155:84532", "1.5")]
    public void Terms_that_make_no_sense_are_said_to_be_ours(string network, string amount)
    {
        ExactEvmTerms.Create(Payments.Ours with { Network = network, Amount = amount }, out var code).ShouldBeNull();
        code.ShouldBe("invalid_payment_requirements");
    }

    private static string? Code(PaymentPayload payment) => ExactEvm.VerifyLocally(payment, Payments.Ours, Payments.Now).Code;

    private static PaymentPayload Bent(string before, string text)
    {
        var json = System.Text.Json.JsonSerializer.Serialize(Payments.Payment.Payload);
        var start = json.IndexOf(before, StringComparison.Ordinal) + before.Length;
        var end = json.IndexOf('"', start);
        return Payments.Payment with { Payload = Payments.Json(json[..start] + text + json[end..]) };
    }
}
