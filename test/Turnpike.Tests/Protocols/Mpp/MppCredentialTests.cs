using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Turnpike.Protocols.Http;
using Turnpike.Protocols.Mpp;

namespace Turnpike.Tests.Protocols.Mpp;

/// <summary>Credentials as clients send them, and as attackers do.</summary>
public sealed class MppCredentialTests
{
    private const string Sound =
        """{"challenge":{"id":"c1","realm":"r","method":"evm","intent":"charge","request":"e30"},"payload":{"a":"?>~"},"source":"did:pkh:eip155:1:0x0"}""";

    [Fact]
    public void A_credential_survives_encoding_and_decoding()
    {
        var credential = Decode(Sound);

        var again = MppCredential.Decode(credential.Encode()).Credential.ShouldNotBeNull();

        again.Challenge.ShouldBe(credential.Challenge);
        again.Source.ShouldBe("did:pkh:eip155:1:0x0");
        again.Payload.GetProperty("a").GetString().ShouldBe("?>~");
        again.Encode().ShouldBe(credential.Encode());
    }

    [Fact]
    public void Case_padding_alphabet_and_company_of_other_schemes_do_not_matter()
    {
        var bytes = Encoding.UTF8.GetBytes(Sound);
        var url = Base64Url.Encode(bytes);
        var standard = Convert.ToBase64String(bytes);
        standard.ShouldContain('+', "the sample must tell the alphabets apart");

        string[] values = [$"Payment {url}", $"payment   {standard}", $"Bearer x, Payment {url}", $"PAYMENT {url}, Basic eDp5", $"Bearer x,Payment\t{standard} "];

        foreach (var value in values) MppCredential.Decode(value).Credential.ShouldNotBeNull(value).Challenge.Id.ShouldBe("c1");
    }

    [Fact]
    public void Two_payment_credentials_have_an_error_of_their_own()
    {
        var one = Header(Sound);

        MppCredential.Decode($"{one}, {one}").Error.ShouldBe(MppCredentialErrors.MoreThanOne);
        MppCredential.Decode($"{one},Bearer x,payment y").Error.ShouldBe(MppCredentialErrors.MoreThanOne);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("Bearer abc")]
    [InlineData("Bearer Payment")]
    [InlineData("Payments abc")]
    public void Another_scheme_is_not_ours(string? value) => MppCredential.Decode(value).IsAbsent.ShouldBeTrue();

    [Fact]
    public void Request_and_opaque_may_be_objects_and_are_canonicalised()
    {
        var credential = Decode("""{"challenge":{"id":"c","realm":"r","method":"evm","intent":"charge","request":{"b":1,"a":"x"},"opaque":{"z":"1","n":"2"}},"payload":{}}""");

        credential.Challenge.Request.ShouldBe(Base64Url.Encode("""{"a":"x","b":1}"""u8));
        ChallengeOpaque.Decode(credential.Challenge.Opaque).ShouldBe(new Dictionary<string, string> { ["n"] = "2", ["z"] = "1" }, ignoreOrder: true);
        credential.Challenge.Opaque.ShouldBe(Base64Url.Encode("""{"n":"2","z":"1"}"""u8));
    }

    [Theory]
    [InlineData("an array", "[]", MppCredentialErrors.Json)]
    [InlineData("a text", "\"x\"", MppCredentialErrors.Json)]
    [InlineData("cut JSON", "{\"challenge\":", MppCredentialErrors.Json)]
    [InlineData("two documents", "{} {}", MppCredentialErrors.Json)]
    [InlineData("a duplicate key", """{"challenge":{"id":"a","id":"b"},"payload":{}}""", MppCredentialErrors.Json)]
    [InlineData("a duplicate key, escaped", """{"payload":{"value":"1","\u0076alue":"2"}}""", MppCredentialErrors.Json)]
    [InlineData("a lone surrogate", """{"payload":{"value":"\ud800"}}""", MppCredentialErrors.Json)]
    [InlineData("no challenge", """{"payload":{}}""", MppCredentialErrors.Challenge)]
    [InlineData("a challenge that is text", """{"challenge":"x","payload":{}}""", MppCredentialErrors.Challenge)]
    [InlineData("no id", """{"challenge":{"realm":"r","method":"m","intent":"i","request":"e30"},"payload":{}}""", MppCredentialErrors.Challenge)]
    [InlineData("an empty id", """{"challenge":{"id":"","realm":"r","method":"m","intent":"i","request":"e30"},"payload":{}}""", MppCredentialErrors.Challenge)]
    [InlineData("an id that is a number", """{"challenge":{"id":1,"realm":"r","method":"m","intent":"i","request":"e30"},"payload":{}}""", MppCredentialErrors.Challenge)]
    [InlineData("no realm", """{"challenge":{"id":"c","method":"m","intent":"i","request":"e30"},"payload":{}}""", MppCredentialErrors.Challenge)]
    [InlineData("no request", """{"challenge":{"id":"c","realm":"r","method":"m","intent":"i"},"payload":{}}""", MppCredentialErrors.Challenge)]
    [InlineData("a request that is a number", """{"challenge":{"id":"c","realm":"r","method":"m","intent":"i","request":1},"payload":{}}""", MppCredentialErrors.Challenge)]
    [InlineData("a request with a fraction", """{"challenge":{"id":"c","realm":"r","method":"m","intent":"i","request":{"a":0.1}},"payload":{}}""", MppCredentialErrors.Challenge)]
    [InlineData("an opaque that is deep", """{"challenge":{"id":"c","realm":"r","method":"m","intent":"i","request":"e30","opaque":{"a":{}}},"payload":{}}""", MppCredentialErrors.Challenge)]
    [InlineData("no payload", """{"challenge":{"id":"c","realm":"r","method":"m","intent":"i","request":"e30"}}""", MppCredentialErrors.Payload)]
    [InlineData("a payload that is text", """{"challenge":{"id":"c","realm":"r","method":"m","intent":"i","request":"e30"},"payload":"x"}""", MppCredentialErrors.Payload)]
    [InlineData("a source that is an object", """{"challenge":{"id":"c","realm":"r","method":"m","intent":"i","request":"e30"},"payload":{},"source":{}}""", MppCredentialErrors.Source)]
    public void A_malformed_credential_is_refused_by_name(string what, string json, string error) =>
        MppCredential.Decode(Header(json)).Error.ShouldBe(error, what);

    [Theory]
    [InlineData("Payment")]
    [InlineData("Payment ")]
    [InlineData("Payment not-valid!!!")]
    [InlineData("Payment e 30")]
    [InlineData("Payment id=\"a\"")]
    public void What_is_not_base64_is_refused(string value) => MppCredential.Decode(value).Error.ShouldBe(MppCredentialErrors.Base64);

    [Fact]
    public void Size_and_depth_are_bounded()
    {
        MppCredential.Decode("Payment " + new string('a', MppCredential.MaxLength)).Error.ShouldBe(MppCredentialErrors.TooLong);
        var deep = Sound.Replace("\"?>~\"", string.Concat(Enumerable.Repeat("[", 40)) + string.Concat(Enumerable.Repeat("]", 40)), StringComparison.Ordinal);
        MppCredential.Decode(Header(deep)).Error.ShouldBe(MppCredentialErrors.Json);
    }

    [Fact]
    public void Bytes_that_are_no_utf_8_are_refused() =>
        MppCredential.Decode("Payment " + Base64Url.Encode([.. "{\"payload\":{\"a\":\""u8, 0xc0, 0xae, .. "\"}}"u8])).Error.ShouldBe(MppCredentialErrors.Json);

    [Fact]
    public void No_garbage_makes_a_reader_throw()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<string>(), ArbMap.Default.ArbFor<byte[]>(), (text, bytes) =>
            {
                foreach (var value in new[] { text, "Payment " + text, "Payment " + Base64Url.Encode(bytes ?? []), Mutated(bytes ?? []) })
                {
                    var result = MppCredential.Decode(value);
                    if (result.Credential is { } credential) MppReceipt.Decode(credential.Encode());
                    Challenge.ParseAll(value, out _);
                    MppReceipt.Decode(value);
                    ChallengeOpaque.Decode(value);
                    AcceptPayment.Parse(value).Rank("evm", "charge");
                }
                return true;
            })
            .Check(Config.QuickThrowOnFailure.WithMaxTest(3_000).WithReplay(402, 8403));
    }

    // A sound credential with some bytes overwritten: gets further than noise does.
    private static string Mutated(byte[] noise)
    {
        var bytes = Encoding.UTF8.GetBytes(Sound);
        for (var i = 0; i + 1 < noise.Length; i += 2) bytes[noise[i] % bytes.Length] = noise[i + 1];
        return "Payment " + Base64Url.Encode(bytes);
    }

    private static string Header(string json) => "Payment " + Base64Url.Encode(Encoding.UTF8.GetBytes(json));

    private static MppCredential Decode(string json) => MppCredential.Decode(Header(json)).Credential.ShouldNotBeNull();
}
