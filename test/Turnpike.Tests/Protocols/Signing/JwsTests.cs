using System.Text;
using System.Text.Json;
using Turnpike.Protocols.Http;
using Turnpike.Protocols.Signing;

namespace Turnpike.Tests.Protocols.Signing;

/// <summary>What the installation signed is believed, and nothing else.</summary>
public sealed class JwsTests
{
    private const string Typ = "turnpike-test+jwt";
    private static readonly byte[] Payload = Encoding.UTF8.GetBytes("""{"amount":"0.01"}""");

    [Fact]
    public void What_was_signed_comes_back_whichever_of_the_keys_signed_it()
    {
        using var old = SigningKey.Create();
        using var current = SigningKey.Create();
        var published = JwkSet.Parse(new JwkSet([current.Public, old.Public]).ToJson())!;
        foreach (var key in new[] { old, current })
        {
            var result = Jws.Verify(Jws.Sign(Payload, Typ, key), Typ, published);
            (result.Failure, result.Key!.Id).ShouldBe((null, key.Public.Id));
            result.Payload.ShouldBe(Payload);
        }
        using var restored = SigningKey.FromPkcs8(old.ToPkcs8());
        restored.Public.Id.ShouldBe(old.Public.Id);
    }

    [Fact]
    public void The_signature_is_the_one_of_rfc_7515_appendix_a3()
    {
        var key = Key("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")!;
        var signed = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"u8.ToArray();
        var signature = Base64Url.Decode("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")!;
        key.Verifies(signed, signature).ShouldBeTrue();
        signature[^1] ^= 1;
        key.Verifies(signed, signature).ShouldBeFalse();
        key.Verifies(signed, signature.AsSpan(1)).ShouldBeFalse();
    }

    [Fact]
    public void The_id_is_the_thumbprint_of_rfc_7638() => // the key and its thumbprint of RFC 9449 §6.1
        Key("l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs", "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA")!.Id.ShouldBe("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");

    [Fact]
    public void Every_changed_character_is_noticed()
    {
        using var key = SigningKey.Create();
        var text = Jws.Sign(Payload, Typ, key);
        for (var i = 0; i < text.Length; i++)
        {
            var changed = text[..i] + (text[i] == 'A' ? 'B' : 'A') + text[(i + 1)..];
            Jws.Verify(changed, Typ, new JwkSet([key.Public])).Payload.ShouldBeNull(changed);
        }
    }

    [Theory]
    [InlineData("""{"alg":"none","kid":"KID","typ":"turnpike-test+jwt"}""", "The algorithm is not ES256.")]
    [InlineData("""{"alg":"HS256","kid":"KID","typ":"turnpike-test+jwt"}""", "The algorithm is not ES256.")]
    [InlineData("""{"alg":"es256","kid":"KID","typ":"turnpike-test+jwt"}""", "The algorithm is not ES256.")]
    [InlineData("""{"alg":"ES256","alg":"none","kid":"KID","typ":"turnpike-test+jwt"}""", "The header is not a JSON object.")]
    [InlineData("""{"alg":"ES256","kid":"KID","typ":"turnpike-test+jwt","crit":["b64"],"b64":false}""", "The header demands an extension that is not known here.")]
    [InlineData("""{"alg":"ES256","kid":"KID","typ":"turnpike-receipt+jwt"}""", "The document is not a turnpike-test+jwt.")]
    [InlineData("""{"alg":"ES256","kid":"KID"}""", "The document is not a turnpike-test+jwt.")]
    [InlineData("""{"alg":"ES256","typ":"turnpike-test+jwt"}""", "None of the keys given signed this.")]
    [InlineData("""{"alg":"ES256","kid":"another","typ":"turnpike-test+jwt","jwk":{"kty":"EC"}}""", "None of the keys given signed this.")]
    [InlineData("[]", "The header is not a JSON object.")]
    public void A_signed_header_that_says_something_else_is_refused(string header, string why)
    {
        using var key = SigningKey.Create();
        var signed = $"{Base64Url.Encode(Encoding.UTF8.GetBytes(header.Replace("KID", key.Public.Id)))}.{Base64Url.Encode(Payload)}";
        var text = $"{signed}.{Base64Url.Encode(key.Sign(Encoding.ASCII.GetBytes(signed)))}";
        Jws.Verify(text, Typ, new JwkSet([key.Public])).ShouldBe(new JwsResult(null, null, why));
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("a.b")]
    [InlineData("a.b.c.d")]
    [InlineData("eyJhbGciOiJFUzI1NiJ9.e30.")]
    [InlineData("eyJhbGciOiJFUzI1NiJ9==.e30.AA")]
    public void What_is_no_signed_document_is_refused_with_a_sentence(string text)
    {
        using var key = SigningKey.Create();
        Jws.Verify(text, Typ, new JwkSet([key.Public])).Failure.ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public void A_set_keeps_the_keys_it_can_use_and_passes_over_the_others()
    {
        using var key = SigningKey.Create();
        var json = Encoding.UTF8.GetString(new JwkSet([key.Public]).ToJson());
        var mixed = json.Replace("[{", """[{"kty":"RSA","n":"AQAB","e":"AQAB"},{"kty":"EC","crv":"P-384","x":"AA","y":"AA"},{"kty":"EC","crv":"P-256","x":"AA","y":"AA"},7,{""");
        JwkSet.Parse(Encoding.UTF8.GetBytes(mixed))!.Keys.Single().Id.ShouldBe(key.Public.Id);
        JwkSet.Parse(Encoding.UTF8.GetBytes(json.Replace("\"sig\"", "\"enc\"")))!.Keys.ShouldBeEmpty();
        JwkSet.Parse(Encoding.UTF8.GetBytes(json.Replace(key.Public.Id, "mine")))!.Keys.ShouldBeEmpty();
        Key("l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs", "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs").ShouldBeNull("it is no point of the curve");
        JwkSet.Parse("[]"u8).ShouldBeNull();
        JwkSet.Parse("{"u8).ShouldBeNull();
    }

    private static Jwk? Key(string x, string y) => Jwk.Read(JsonDocument.Parse($$"""{"kty":"EC","crv":"P-256","x":"{{x}}","y":"{{y}}"}""").RootElement);
}
