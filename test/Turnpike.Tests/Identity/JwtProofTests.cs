using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Identity;
using Turnpike.Protocols.Http;
using Turnpike.Protocols.Signing;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Identity;

/// <summary>Signed tokens of issuers the owner believes, and the ways to forge one.</summary>
public sealed class JwtProofTests : IDisposable
{
    private readonly Issuer issuer = new();
    private readonly TestGate gate;

    public JwtProofTests() => gate = issuer.Gate();

    public void Dispose() => gate.Dispose();

    private Task<Told> AskAsync(string token) => gate.GetAsync("/status", ("Authorization", "Bearer " + token));

    private Task<Told> AskAsync(Dictionary<string, object?> claims, string? header = null) => AskAsync(issuer.Sign(claims, header));

    private static long Now => new ManualTime().GetUtcNow().ToUnixTimeSeconds();

    [Theory]
    [InlineData("""{"alg":"ES256","kid":"k1"}""")]
    [InlineData("""{"alg":"ES256"}""")]
    [InlineData("""{"alg":"RS256","kid":"r1","typ":"at+jwt"}""")]
    [InlineData("""{"alg":"ES256","kid":"k1","typ":"JWT","jku":"https://evil.test/keys","x5u":"https://evil.test/x","jwk":{"kty":"oct","k":"AA"}}""")]
    public async Task A_good_token_says_who_asks(string header)
    {
        (await AskAsync(Issuer.Claims("scope", "companies:read other"), header)).Status.ShouldBe(200);
        var asked = gate.Upstream.Requests.Single().Headers;
        (asked["Turnpike-Caller"], asked["Turnpike-Scopes"]).ShouldBe(("analyst", "companies:read"));
        asked.Keys.ShouldNotContain("Authorization");
    }

    [Fact]
    public async Task A_token_without_scopes_has_its_callers_and_one_with_none_has_none()
    {
        await AskAsync(Issuer.Claims());
        gate.Upstream.Requests.Last().Headers["Turnpike-Scopes"].ShouldBe("companies:read companies:export");
        await AskAsync(Issuer.Claims("scope", ""));
        gate.Upstream.Requests.Last().Headers.Keys.ShouldNotContain("Turnpike-Scopes");
    }

    [Fact]
    public async Task An_issuer_that_may_name_anybody_cannot_name_a_caller_of_ours()
    {
        var claims = Issuer.Claims("iss", "https://guests.test");
        (claims["client"], claims["scope"]) = (new Dictionary<string, string> { ["id"] = "analyst" }, new[] { "companies:read", "a b" });
        (await AskAsync(claims)).Status.ShouldBe(200);
        var asked = gate.Upstream.Requests.Single().Headers;
        (asked["Turnpike-Caller"], asked["Turnpike-Scopes"]).ShouldBe(("guests:analyst", "companies:read a b"));
    }

    public static TheoryData<string, object?, string> Bad => new()
    {
        { "exp", Now - 61, "It has expired." },
        { "exp", null, "It does not say when it expires." },
        { "exp", "soon", "It has expired." },
        { "exp", 1e300, "It has expired." },
        { "nbf", Now + 61, "It is not good yet." },
        { "iat", Now + 61, "It is not good yet." },
        { "nbf", "x", "It is not good yet." },
        { "aud", "https://other.test", "It is for somebody else." },
        { "aud", "https://api.test second", "It is for somebody else." },
        { "aud", null, "It is for somebody else." },
        { "aud", new[] { "https://other.test" }, "It is for somebody else." },
        { "sub", null, "Its claim 'sub' names nobody." },
        { "sub", "a\r\nb", "Its claim 'sub' names nobody." },
        { "sub", new[] { "analyst" }, "Its claim 'sub' names nobody." },
        { "cnf", new Dictionary<string, string> { ["x5t#S256"] = "x" }, "It is bound to something that cannot be checked here." },
        { "cnf", "x", "It is bound to something that cannot be checked here." },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task A_token_that_is_not_for_here_and_now_is_refused(string claim, object? value, string why)
    {
        var told = await AskAsync(Issuer.Claims(claim, value));
        (told.Status, told.Reason, told.Json.GetProperty("detail").GetString()).ShouldBe((401, "invalid-token", why));
        told.Headers.WWWAuthenticate.ToString().ShouldContain("error=\"invalid_token\"");
        gate.Upstream.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(-59)]
    [InlineData(600)]
    public async Task Clocks_may_be_a_minute_apart(int seconds) => (await AskAsync(Issuer.Claims("exp", Now + seconds))).Status.ShouldBe(200);

    [Fact]
    public async Task A_token_ends_though_it_was_verified_before()
    {
        var token = issuer.Sign(Issuer.Claims("exp", Now + 60));
        (await AskAsync(token)).Status.ShouldBe(200);
        gate.Time.Pass(TimeSpan.FromSeconds(119));
        (await AskAsync(token)).Status.ShouldBe(200);
        gate.Time.Pass(TimeSpan.FromSeconds(1));
        (await AskAsync(token)).Reason.ShouldBe("invalid-token");
    }

    [Theory]
    [InlineData("""{"alg":"none"}""")]
    [InlineData("""{"alg":"None"}""")]
    [InlineData("""{"alg":"ES384","kid":"k1"}""")]
    [InlineData("""{"alg":"PS256","kid":"r1"}""")]
    [InlineData("""{"alg":"es256","kid":"k1"}""")]
    [InlineData("""{"kid":"k1"}""")]
    [InlineData("""{"alg":["ES256"],"kid":"k1"}""")]
    public async Task The_token_does_not_choose_its_algorithm(string header)
    {
        foreach (var signature in new[] { "", Base64Url.Encode(new byte[64]) })
            (await AskAsync($"{Issuer.Part(header)}.{Issuer.Part(JsonSerializer.Serialize(Issuer.Claims()))}.{signature}")).Status.ShouldBe(401);
        gate.Upstream.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Key_confusion_A_public_key_is_never_a_shared_secret()
    {
        byte[][] secrets = [Encoding.UTF8.GetBytes(issuer.Curve.ExportSubjectPublicKeyInfoPem()), issuer.Curve.ExportSubjectPublicKeyInfo(), Encoding.UTF8.GetBytes(issuer.Rsa.ExportSubjectPublicKeyInfoPem()), issuer.Rsa.ExportRSAPublicKey(), Encoding.UTF8.GetBytes(issuer.Jwks), [], "secret"u8.ToArray()];
        foreach (var secret in secrets)
            foreach (var kid in new[] { "k1", "r1", "o1" })
                (await AskAsync(Issuer.SignWith(secret, Issuer.Claims(), $$"""{"alg":"HS256","kid":"{{kid}}"}"""))).Reason.ShouldBe("invalid-token");
    }

    [Fact]
    public async Task A_shared_secret_signs_for_its_issuer_alone_and_with_hmac_alone()
    {
        var secret = Encoding.UTF8.GetBytes(Catalog.Documents.Variables["TURNPIKE_TOKEN_SECRET"]);
        (await AskAsync(Issuer.SignWith(secret, Issuer.Claims("iss", "shared")))).Status.ShouldBe(200);
        (await AskAsync(Issuer.SignWith(secret, Issuer.Claims()))).Reason.ShouldBe("invalid-token");
        (await AskAsync(issuer.Sign(Issuer.Claims("iss", "shared")))).Reason.ShouldBe("invalid-token");
        (await AskAsync(Issuer.SignWith([.. secret, 1], Issuer.Claims("iss", "shared")))).Reason.ShouldBe("invalid-token");
    }

    [Theory]
    [InlineData("../../../../dev/null")]
    [InlineData("k1' or '1'='1")]
    [InlineData("https://evil.test/key")]
    [InlineData("")]
    public async Task Kid_injection_A_key_is_chosen_by_its_exact_name(string kid)
    {
        (await AskAsync(Issuer.Claims(), $$"""{"alg":"ES256","kid":"{{kid}}"}""")).Reason.ShouldBe("invalid-token");
    }

    [Theory]
    [InlineData("""{"alg":"ES256","kid":"k1","crit":["exp"]}""")]
    [InlineData("""{"alg":"ES256","kid":"k1","b64":false}""")]
    [InlineData("""{"alg":"none","alg":"ES256","kid":"k1"}""")]
    public async Task A_header_that_readers_understand_differently_is_no_token(string header)
    {
        var signed = $"{Issuer.Part(header)}.{Issuer.Part(JsonSerializer.Serialize(Issuer.Claims()))}";
        (await AskAsync($"{signed}.{Base64Url.Encode(issuer.Curve.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}")).Status.ShouldBe(401);
    }

    [Theory]
    [InlineData("dpop+jwt")]
    [InlineData("logout+jwt")]
    [InlineData("turnpike-receipt+jwt")]
    public async Task A_token_made_for_something_else_is_no_access_token(string type) =>
        (await AskAsync(Issuer.Claims(), $$"""{"alg":"ES256","kid":"k1","typ":"{{type}}"}""")).Json.GetProperty("detail").GetString().ShouldBe("It is no access token.");

    [Fact]
    public async Task Another_signature_another_payload_and_a_nobodys_issuer_are_refused()
    {
        var token = issuer.Sign(Issuer.Claims());
        var parts = token.Split('.');
        (await AskAsync($"{parts[0]}.{Issuer.Part(JsonSerializer.Serialize(Issuer.Claims("sub", "admin")))}.{parts[2]}")).Reason.ShouldBe("invalid-token");
        (await AskAsync($"{parts[0]}.{parts[1]}.{Base64Url.Encode(new byte[64])}")).Reason.ShouldBe("invalid-token", "an all-zero signature fits nothing");
        (await AskAsync(new Issuer().Sign(Issuer.Claims()))).Reason.ShouldBe("invalid-token");
        (await AskAsync(Issuer.Claims("iss", "https://login.test/"))).Reason.ShouldBe("unknown-key");
        (await AskAsync(Issuer.Claims("iss", "https://evil.test"))).Reason.ShouldBe("unknown-key");
        (await AskAsync(issuer.Sign("""{"iss":"https://login.test","sub":"x","sub":"analyst"}"""))).Status.ShouldBe(401);
        (await AskAsync(token + "=")).Status.ShouldBe(401, "one spelling only");
    }

    [Fact]
    public async Task A_huge_token_is_not_even_read()
    {
        var told = await AskAsync(Issuer.Claims("filler", new string('x', 20_000)));
        told.Status.ShouldBe(401);
        issuer.Fetched.ShouldBe(0);
    }

    [Fact]
    public async Task Keys_are_fetched_once_and_again_for_a_new_name_at_most_twice_a_minute()
    {
        for (var i = 0; i < 5; i++) (await AskAsync(Issuer.Claims("jti", $"{i}"))).Status.ShouldBe(200);
        issuer.Fetched.ShouldBe(1);
        for (var i = 0; i < 5; i++) (await AskAsync(Issuer.Claims(), $$"""{"alg":"ES256","kid":"made-up-{{i}}"}""")).Status.ShouldBe(401);
        issuer.Fetched.ShouldBe(1, "made-up names fetch nothing while the keys are fresh");
        gate.Time.Pass(TimeSpan.FromSeconds(30));
        issuer.KeyId = "k2";
        (await AskAsync(Issuer.Claims())).Status.ShouldBe(200, "a new key is learned from its first token");
        issuer.Fetched.ShouldBe(2);
    }

    [Fact]
    public async Task A_withdrawn_key_is_believed_for_minutes_and_a_silent_issuers_keys_go_on()
    {
        var token = issuer.Sign(Issuer.Claims("exp", Now + 86_400));
        (await AskAsync(token)).Status.ShouldBe(200);
        gate.Sites["login.test"] = static _ => throw new HttpRequestException("down");
        gate.Time.Pass(TimeSpan.FromHours(1));
        (await AskAsync(token)).Status.ShouldBe(200, "silence is no evidence");
        gate.Sites["login.test"] = static _ => new HttpResponseMessage(System.Net.HttpStatusCode.OK) { Content = new StringContent("""{"keys":[]}""") };
        gate.Time.Pass(TimeSpan.FromMinutes(5) + TimeSpan.FromSeconds(1));
        (await AskAsync(token)).Reason.ShouldBe("invalid-token");
    }

    [Fact]
    public void Ed25519_as_in_rfc_8037()
    {
        Assert.SkipUnless(Ed25519.IsAvailable, "OpenSSL's libcrypto is missing.");
        var key = PublicKey.Read(JsonDocument.Parse("""{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}""").RootElement).ShouldNotBeNull();
        key.Thumbprint.ShouldBe("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        var signed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"u8;
        var signature = Base64Url.Decode("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg")!;
        key.Verifies("EdDSA", signed, signature).ShouldBeTrue();
        key.Verifies("EdDSA", "other"u8, signature).ShouldBeFalse();
        signature[0] ^= 1;
        key.Verifies("EdDSA", signed, signature).ShouldBeFalse();
        key.Verifies("ES256", signed, signature).ShouldBeFalse();
    }

    [Theory]
    [InlineData("""{"kty":"oct","k":"c2VjcmV0"}""")]
    [InlineData("""{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}""")]
    [InlineData("""{"kty":"EC","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}""")]
    [InlineData("""{"kty":"RSA","n":"AQAB","e":"AQAB"}""")]
    [InlineData("""{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}""")]
    [InlineData("""{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","use":"enc"}""")]
    [InlineData("[]")]
    public void What_is_weak_private_or_for_something_else_is_no_key(string jwk) => PublicKey.Read(JsonDocument.Parse(jwk).RootElement).ShouldBeNull();

    [Fact]
    public async Task Whom_a_token_names_is_looked_at_again_when_its_payment_is_verified()
    {
        using var paid = issuer.Gate(TestGate.Document.Replace("history: { match: \"GET /history/{city}\"", "history: { scopes: [read], match: \"GET /history/{city}\"", StringComparison.Ordinal));
        var (desk, bearer) = (paid.Of<CallerDesk>(), "Bearer " + issuer.Sign(Issuer.Claims("sub", "made")));
        var may = new Caller("made") { Scopes = ["read", "more"] };
        await desk.PutAsync(may, default);
        var proof = paid.Pay(await paid.GetAsync("/history/paris", ("Authorization", bearer)));
        async Task<(int, string?)> While(Caller changed)
        {
            await desk.PutAsync(may, default);
            paid.Rail.Verdict = () => { desk.PutAsync(changed, default).AsTask().GetAwaiter().GetResult(); return null; };
            var told = await paid.GetAsync("/history/paris", ("Authorization", bearer), ("PAYMENT-SIGNATURE", proof));
            return (told.Status, told.Status == 200 ? null : told.Reason);
        }
        (await While(may with { Status = CallerStatus.Suspended })).ShouldBe((403, "caller-suspended"));
        (await While(may with { Scopes = ["more"] })).ShouldBe((403, "missing-scope"));
        paid.Upstream.Requests.ShouldBeEmpty();
        (await While(may with { Scopes = ["read"] })).ShouldBe((200, null), "what is left suffices, and nothing was taken before");
        await paid.ShouldBalanceAsync();
    }
}
