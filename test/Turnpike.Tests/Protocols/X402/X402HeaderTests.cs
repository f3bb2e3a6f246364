using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Turnpike.Protocols.X402;
using Turnpike.Tests.Protocols.Evm;

namespace Turnpike.Tests.Protocols.X402;

public sealed class X402HeaderTests
{
    private static readonly Config Seeded = Config.QuickThrowOnFailure.WithReplay(8402, 8403).WithMaxTest(300);

    [Fact]
    public void The_golden_headers_are_written_byte_for_byte()
    {
        X402Header.Encode(X402Header.Decode(Payments.Golden).Payment!).ShouldBe(Payments.Golden);
        var terms = EvmVectors.Text("headers", "PAYMENT-REQUIRED", "header");
        X402Header.Encode(X402Header.DecodeTerms(terms)!).ShouldBe(terms);
        var receipt = EvmVectors.Text("headers", "PAYMENT-RESPONSE", "header");
        X402Header.Encode(X402Header.DecodeReceipt(receipt)!).ShouldBe(receipt);
    }

    [Fact]
    public void A_payment_is_read_with_all_its_members()
    {
        var decoded = X402Header.Decode(Payments.Golden);
        decoded.Version.ShouldBe(2);
        decoded.Malformed.ShouldBeNull();
        decoded.Payment!.Accepted.Network.ShouldBe("eip155:84532");
        decoded.Payment.Resource!.Description.ShouldBe("Überblick ✓");
        decoded.PaymentV1.ShouldBeNull();
    }

    [Fact]
    public void A_version_1_payment_is_read()
    {
        var decoded = X402Header.Decode(Payments.Base64("""{"x402Version":1,"scheme":"exact","network":"base-sepolia","payload":{}}"""));
        decoded.Version.ShouldBe(1);
        decoded.PaymentV1!.Network.ShouldBe("base-sepolia");
        decoded.Payment.ShouldBeNull();
    }

    [Fact]
    public void A_re_encoded_header_is_the_same_payment()
    {
        var json = Payments.GoldenJson.Replace("https://api.example.com/data", "https://api.example.com/?????>>>>>ü");
        var standard = Convert.ToBase64String(Encoding.UTF8.GetBytes(json));
        standard.ShouldContain('/');
        standard.ShouldContain('+');
        string[] forms = [standard, standard.TrimEnd('='), standard.Replace('+', '-').Replace('/', '_'), standard.TrimEnd('=').Replace('+', '-').Replace('/', '_')];
        foreach (var form in forms)
            ExactEvmPayload.Parse(X402Header.Decode(form).Payment!.Payload, out _)!.Authorization.Nonce.ShouldBe(EvmVectors.Authorization().Nonce);
    }

    [Fact]
    public void A_truncated_header_is_malformed_at_every_length()
    {
        for (var length = 0; length < Payments.Golden.TrimEnd('=').Length - 1; length++)
            X402Header.Decode(Payments.Golden[..length]).Malformed.ShouldNotBeNull($"at {length}");
    }

    [Fact]
    public void An_oversized_header_is_not_looked_at()
    {
        X402Header.Decode(new string('A', X402Header.MaxLength + 1)).Malformed.ShouldBe(X402Malformed.TooLarge);
        X402Header.Decode(new string('A', X402Header.MaxLength)).Malformed.ShouldBe(X402Malformed.NotJson);
    }

    [Theory]
    [InlineData("")]
    [InlineData("====")]
    [InlineData("A")]
    [InlineData("{}")]
    [InlineData("e30 e30")]
    [InlineData("e30===")]
    [InlineData("é30=")]
    public void What_is_not_base64_is_said_to_be(string header) => X402Header.Decode(header).Malformed.ShouldBe(X402Malformed.NotBase64);

    [Theory]
    [InlineData("nonsense", X402Malformed.NotJson)]
    [InlineData("{", X402Malformed.NotJson)]
    [InlineData("{} {}", X402Malformed.NotJson)]
    [InlineData("[] 1", X402Malformed.NotJson)]
    [InlineData("{\"x402Version\":2,}", X402Malformed.NotJson)]
    [InlineData("null", X402Malformed.NotAnObject)]
    [InlineData("[]", X402Malformed.NotAnObject)]
    [InlineData("\"text\"", X402Malformed.NotAnObject)]
    [InlineData("2", X402Malformed.NotAnObject)]
    [InlineData("{}", X402Malformed.WrongVersion)]
    [InlineData("{\"x402Version\":3}", X402Malformed.WrongVersion)]
    [InlineData("{\"x402Version\":\"2\"}", X402Malformed.WrongVersion)]
    [InlineData("{\"x402Version\":2.5}", X402Malformed.WrongVersion)]
    [InlineData("{\"a\":{\"x402Version\":2}}", X402Malformed.WrongVersion)]
    [InlineData("{\"x402Version\":2}", X402Malformed.MissingFields)]
    [InlineData("{\"x402Version\":1,\"scheme\":\"exact\",\"network\":\"base\"}", X402Malformed.MissingFields)]
    [InlineData("{\"x402Version\":1,\"scheme\":\"exact\",\"network\":null,\"payload\":{}}", X402Malformed.MissingFields)]
    [InlineData("{\"x402Version\":1,\"scheme\":\"exact\",\"network\":\"base\",\"payload\":[]}", X402Malformed.MissingFields)]
    [InlineData("{\"x402Version\":1,\"scheme\":\"exact\",\"network\":\"base\",\"payload\":null}", X402Malformed.MissingFields)]
    [InlineData("{\"x402Version\":1,\"scheme\":\"exact\",\"network\":\"\\ud800\",\"payload\":{}}", X402Malformed.MissingFields)]
    public void Each_kind_of_garbage_has_its_reason(string json, X402Malformed reason) =>
        X402Header.Decode(Payments.Base64(json)).Malformed.ShouldBe(reason);

    [Theory]
    [InlineData("\"scheme\":\"exact\"", "\"scheme\":\"exact\",\"scheme\":\"exact\"")]
    [InlineData("\"signature\"", "\"signature\":\"0x\",\"signature\"")]
    [InlineData("\"value\"", "\"value\":\"1\",\"value\"")]
    [InlineData("\"payload\"", "\"payload\":{},\"payload\"")]
    public void A_member_given_twice_is_refused_at_every_depth(string once, string twice)
    {
        var compact = JsonSerializer.Serialize(JsonDocument.Parse(Payments.GoldenJson).RootElement);
        compact.ShouldContain(once);
        X402Header.Decode(Payments.Base64(compact)).Malformed.ShouldBeNull();
        X402Header.Decode(Payments.Base64(compact.Replace(once, twice))).Malformed.ShouldBe(X402Malformed.MissingFields);
    }

    [Fact]
    public void Nesting_beyond_the_limit_is_refused()
    {
        string Nested(int depth) =>
            """{"x402Version":1,"scheme":"exact","network":"base","payload":{"a":""" + new string('[', depth) + new string(']', depth) + "}}";
        X402Header.Decode(Payments.Base64(Nested(30))).Malformed.ShouldBeNull();
        X402Header.Decode(Payments.Base64(Nested(31))).Malformed.ShouldBe(X402Malformed.NotJson);
        X402Header.Decode(Payments.Base64(Nested(4000))).Malformed.ShouldBe(X402Malformed.NotJson);
    }

    [Fact]
    public void Invalid_utf8_is_not_json() =>
        X402Header.Decode(Convert.ToBase64String([(byte)'{', (byte)'"', 0xC3, 0x28, (byte)'"', (byte)':', (byte)'1', (byte)'}'])).Malformed
            .ShouldBe(X402Malformed.NotJson);

    [Fact]
    public void Optional_members_may_be_null() =>
        X402Header.Decode(Payments.Base64("{\"extensions\":null," + Payments.GoldenJson.TrimStart()[1..])).Malformed.ShouldBeNull();

    [Fact]
    public void Arbitrary_text_never_throws() =>
        Prop.ForAll(ArbMap.Default.ArbFor<string>(), text => IsOneOrTheOther(X402Header.Decode(text ?? ""))).Check(Seeded);

    [Fact]
    public void Arbitrary_bytes_never_throw() =>
        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), bytes => IsOneOrTheOther(X402Header.Decode(Convert.ToBase64String(bytes)))).Check(Seeded);

    [Fact]
    public void A_payment_with_any_byte_changed_never_throws_here_or_later()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), ArbMap.Default.ArbFor<byte>(), (place, change) =>
        {
            var bytes = Encoding.UTF8.GetBytes(Payments.GoldenJson);
            bytes[(int)((uint)place * 2654435761 % (uint)bytes.Length)] ^= change;
            var decoded = X402Header.Decode(Convert.ToBase64String(bytes));
            if (decoded.Payment is { } payment)
            {
                ExactEvm.VerifyLocally(payment, Payments.Ours, Payments.Now).ShouldNotBeNull();
                Matching.Match(payment.Accepted, [Payments.Ours]);
            }
            return IsOneOrTheOther(decoded);
        }).Check(Seeded.WithMaxTest(1000));
    }

    [Fact]
    public void Terms_survive_the_header()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<NonNull<string>>(), ArbMap.Default.ArbFor<PositiveInt>(), (text, number) =>
        {
            var clean = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text.Get));
            var terms = new PaymentRequired
            {
                Error = clean,
                Resource = new ResourceInfo { Url = "https://x/" + clean, Tags = [clean] },
                Accepts = [Payments.Ours with { Amount = number.Get.ToString(), MaxTimeoutSeconds = number.Get }],
            };
            var back = X402Header.DecodeTerms(X402Header.Encode(terms));
            return back is not null && back.Error == clean && back.Resource.Url == terms.Resource.Url && back.Resource.Tags![0] == clean
                && back.Accepts[0].Amount == terms.Accepts[0].Amount && back.Accepts[0].MaxTimeoutSeconds == number.Get
                && JsonElement.DeepEquals(back.Accepts[0].Extra!.Value, Payments.Ours.Extra!.Value);
        }).Check(Seeded);
    }

    [Fact]
    public void Terms_with_an_empty_offer_are_no_terms()
    {
        X402Header.DecodeTerms(Payments.Base64("""{"x402Version":2,"resource":{"url":"u"},"accepts":[null]}""")).ShouldBeNull();
        X402Header.DecodeTerms(Payments.Base64("""{"x402Version":2,"resource":{"url":"u"},"accepts":[]}""")).ShouldBeNull();
        X402Header.DecodeTerms("%").ShouldBeNull();
        X402Header.DecodeReceipt("null").ShouldBeNull();
    }

    private static bool IsOneOrTheOther(X402Decoded decoded) =>
        decoded.Malformed is null ? decoded.Payment is not null ^ decoded.PaymentV1 is not null : decoded.Payment is null && decoded.PaymentV1 is null;
}
