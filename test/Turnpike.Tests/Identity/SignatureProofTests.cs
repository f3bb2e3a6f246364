using System.Net;
using System.Security.Cryptography;
using System.Text;
using Turnpike.Catalog;
using Turnpike.Identity;
using Turnpike.Protocols.Evm;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Identity;

/// <summary>Signed agents: Web Bot Auth, the Trusted Agent Protocol, and wallets.</summary>
public sealed class SignatureProofTests : IDisposable
{
    private const string Config = """
        identity:
          signatures:
            web-bot-auth: { agents: ["https://agent.test", "https://other.test", "https://keys.test/jwks"] }
            tap: { keys: "https://register.test/keys", callers: any }
            erc8128: { callers: any }
        callers: { robot: { signs-as: ["https://agent.test", "https://keys.test/jwks"], scopes: [a] } }

        """;

    private const string Url = "\"https://agent.test\"";
    private readonly Signing agent = new(), other = new();
    private readonly TestGate gate = new(Config);

    public SignatureProofTests()
    {
        gate.Sites["agent.test"] = Serve(agent);
        gate.Sites["other.test"] = Serve(other);
        gate.Sites["keys.test"] = Serve(agent);
        gate.Sites["register.test"] = _ => Text($$"""{"keys":[{{agent.Jwk[..^1]}},"kid":"agent-7"}]}""");
    }

    public void Dispose() => gate.Dispose();

    private static long Now => new ManualTime().GetUtcNow().ToUnixTimeSeconds();

    private string? Caller => gate.Upstream.Requests.Last().Headers.GetValueOrDefault("Turnpike-Caller");

    private string Parameters(string tag = "web-bot-auth", long created = 0, long expires = 60, string? keyId = null, string more = "") => $";created={Now + created};expires={Now + expires};keyid=\"{keyId ?? agent.Thumbprint}\";tag=\"{tag}\"{more}";

    /// <summary>The deployed forms of Signature-Agent: member by key, bare text, and dictionary of one covered whole.</summary>
    [Theory]
    [InlineData("sig=\"https://agent.test\"", "\"signature-agent\";key=\"sig\"", Url)]
    [InlineData("x=\"https://other.test\", sig=\"https://agent.test\"", "\"signature-agent\";key=\"sig\"", Url)]
    [InlineData(Url, "\"signature-agent\"", Url)]
    [InlineData("sig=\"https://agent.test\"", "\"signature-agent\"", "sig=\"https://agent.test\"")]
    [InlineData("sig=\"https://agent.test/\"", "\"signature-agent\"", "sig=\"https://agent.test/\"")]
    [InlineData("sig=\"https://keys.test/jwks\";type=jwks_uri", "\"signature-agent\"", "sig=\"https://keys.test/jwks\";type=jwks_uri")]
    public async Task An_agent_is_known_by_the_address_of_its_keys(string header, string component, string value)
    {
        var told = await gate.GetAsync("/status", [("Signature-Agent", header), .. Signing.Headers(agent.Sign, Parameters(), ("\"@authority\"", "127.0.0.1:8402"), (component, value))]);
        told.Status.ShouldBe(200, told.Body);
        Caller.ShouldBe("robot");
        gate.Upstream.Requests.Last().Headers.Keys.ShouldNotContain(h => h.StartsWith("Signature", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task A_caller_that_was_made_here_signs_too_until_it_does_not_and_the_files_word_is_first()
    {
        async Task<string?> Asked()
        {
            (await gate.GetAsync("/status", [("Signature-Agent", "\"https://other.test\""), .. Signing.Headers(other.Sign, Parameters(keyId: other.Thumbprint), ("\"@authority\"", "127.0.0.1:8402"), ("\"signature-agent\"", "\"https://other.test\""))])).Status.ShouldBe(200);
            return Caller;
        }
        var desk = gate.Of<CallerDesk>();
        (await Asked()).ShouldBeNull("nobody is known by that name");
        await desk.PutAsync(new Caller("made") { SignsAs = ["https://other.test", "https://agent.test"] }, default);
        (await Asked()).ShouldBe("made");
        (await AskAsync(Parameters())).Status.ShouldBe(200);
        Caller.ShouldBe("robot", "the file says who that is");
        await desk.PutAsync(new Caller("made") { SignsAs = ["https://other.test"], Status = CallerStatus.Suspended }, default);
        (await gate.GetAsync("/status", [("Signature-Agent", "\"https://other.test\""), .. Signing.Headers(other.Sign, Parameters(keyId: other.Thumbprint), ("\"@authority\"", "127.0.0.1:8402"), ("\"signature-agent\"", "\"https://other.test\""))])).Status.ShouldBe(403);
        await desk.PutAsync(new Caller("made"), default);
        (await Asked()).ShouldBeNull();
    }

    [Fact]
    public async Task Who_signs_in_nobodys_name_any_more_when_its_payment_is_verified_buys_nothing()
    {
        var desk = gate.Of<CallerDesk>();
        (string, string?)[] Signed() => [("Signature-Agent", "\"https://other.test\""), .. Signing.Headers(other.Sign, Parameters(keyId: other.Thumbprint), ("\"@authority\"", "127.0.0.1:8402"), ("\"signature-agent\"", "\"https://other.test\""))];
        await desk.PutAsync(new Caller("made") { SignsAs = ["https://other.test"] }, default);
        var proof = gate.Pay(await gate.GetAsync("/forecast/paris", Signed()));
        gate.Rail.Verdict = () => { desk.PutAsync(new Caller("made"), default).AsTask().GetAwaiter().GetResult(); return null; };
        (await gate.GetAsync("/forecast/paris", [.. Signed(), ("PAYMENT-SIGNATURE", proof)])).Reason.ShouldBe("unknown-caller");
        gate.Upstream.Requests.ShouldBeEmpty();
        await gate.ShouldBalanceAsync();
    }

    private Task<Told> AskAsync(string parameters, Func<byte[], byte[]>? sign = null, string header = Url, string authority = "127.0.0.1:8402") =>
        gate.GetAsync("/status", [("Signature-Agent", header), .. Signing.Headers(sign ?? agent.Sign, parameters, ("\"@authority\"", authority), ("\"signature-agent\"", header))]);

    [Fact]
    public async Task A_wrong_signature_is_401_and_never_as_none()
    {
        async Task Refused(Task<Told> asked, string why)
        {
            var told = await asked;
            (told.Status, told.Reason).ShouldBe((401, "invalid-signature"), why);
        }
        await Refused(AskAsync(Parameters(), other.Sign), "another key's signature under this key's name");
        await Refused(AskAsync(Parameters(keyId: other.Thumbprint), other.Sign), "attribution theft: another agent's key under this agent's address");
        await Refused(AskAsync(Parameters(), authority: "elsewhere.test"), "made for another host");
        await Refused(AskAsync(Parameters(created: -400, expires: 60)), "too old, whatever it says");
        await Refused(AskAsync(Parameters(created: -60, expires: 0)), "expired");
        await Refused(AskAsync(Parameters(created: 31)), "from the future");
        await Refused(AskAsync($";created={Now};keyid=\"{agent.Thumbprint}\";tag=\"web-bot-auth\""), "without an end");
        await Refused(AskAsync(Parameters(more: ";alg=\"ed25519\"")), "an algorithm that is not the key's");
        await Refused(AskAsync(Parameters(more: ";alg=\"hmac-sha256\""), bytes => HMACSHA256.HashData(Encoding.UTF8.GetBytes(agent.Jwk), bytes)), "HMAC with a public key");
        await Refused(AskAsync(Parameters(keyId: "poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U")), "a key everybody has");
        await Refused(gate.GetAsync("/status", [.. Signing.Headers(agent.Sign, Parameters(), ("\"@authority\"", "127.0.0.1:8402"))]), "no agent named");
        await Refused(gate.GetAsync("/status", [("Signature-Agent", Url), .. Signing.Headers(agent.Sign, Parameters(), ("\"signature-agent\"", Url))]), "not bound to any host");
        await Refused(gate.GetAsync("/status", ("Signature-Input", "sig=()"), ("Signature", "sig")), "malformed");
        gate.Upstream.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_cannot_be_checked_is_as_none_and_earns_nothing()
    {
        gate.Sites["agent.test"] = static _ => throw new HttpRequestException("down");
        (await AskAsync(Parameters())).Status.ShouldBe(200);
        Caller.ShouldBeNull();
        (await AskAsync(Parameters(), header: "\"https://stranger.test\"")).Status.ShouldBe(200, "an agent nobody listed is not looked at, and its address not fetched");
        (await AskAsync(Parameters(tag: "something-else"))).Status.ShouldBe(200);
        (await AskAsync(Parameters(), header: "\"https://other.test\"", sign: other.Sign)).Status.ShouldBe(401);
        (await AskAsync(Parameters(keyId: other.Thumbprint), header: "\"https://other.test\"", sign: other.Sign)).Status.ShouldBe(200);
        Caller.ShouldBeNull("a good signature of somebody who is no caller says nothing about who asks");
    }

    [Fact]
    public async Task A_nonce_is_good_once_and_without_one_the_signature_is_good_until_it_ends()
    {
        (await AskAsync(Parameters(more: ";nonce=\"n1\""))).Status.ShouldBe(200);
        (await AskAsync(Parameters(more: ";nonce=\"n1\""))).Reason.ShouldBe("invalid-signature");
        (await AskAsync(Parameters(more: ";nonce=\"n2\""))).Status.ShouldBe(200);
    }

    private Task<Told> TapAsync(string more = ";nonce=\"t1\"", long expires = 300, string tag = "agent-payer-auth") =>
        gate.GetAsync("/status", Signing.Headers(agent.Sign, Parameters(tag, expires: expires, keyId: "agent-7", more: more), ("\"@authority\"", "127.0.0.1:8402"), ("\"@path\"", "/status")));

    [Fact]
    public async Task A_trusted_agent_is_known_by_its_register_for_eight_minutes_and_once()
    {
        (await TapAsync()).Status.ShouldBe(200);
        Caller.ShouldBe("agent:tap:agent-7");
        (await TapAsync()).Reason.ShouldBe("invalid-signature");
        (await TapAsync(more: "")).Reason.ShouldBe("invalid-signature", "without a nonce");
        (await TapAsync(more: ";nonce=\"t2\"", expires: 481)).Reason.ShouldBe("invalid-signature", "longer than eight minutes");
    }

    private static readonly string Wallet = Secp256k1.AddressOf(Signing.WalletKey).ToLowerHex();

    private Task<Told> WalletAsync(string nonce, string? body = null, string? signedBody = null, string? address = null, Func<byte[], byte[]>? sign = null)
    {
        var digest = $"sha-256=:{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(signedBody ?? body ?? "")))}:";
        List<(string, string)> covered = [("\"@authority\"", "127.0.0.1:8402"), ("\"@method\"", body is null ? "GET" : "POST"), ("\"@path\"", body is null ? "/status" : "/reports")];
        if (body is not null) covered.Add(("\"content-digest\"", digest));
        var headers = Signing.Headers(sign ?? Signing.SignByWallet, $";created={Now};expires={Now + 60};nonce=\"{nonce}\";keyid=\"erc8128:8453:{address ?? Wallet}\"", [.. covered]);
        return gate.SendAsync(new Ask(body is null ? "GET" : "POST", body is null ? "/status" : "/reports", [("Content-Digest", body is null ? null : digest), .. headers]) { Body = body });
    }

    [Fact]
    public async Task A_wallet_that_signs_is_who_asks()
    {
        (await WalletAsync("w1")).Status.ShouldBe(200);
        Caller.ShouldBe("agent:wallet:" + Wallet);
        (await WalletAsync("w1")).Reason.ShouldBe("invalid-signature", "a copy");
        (await WalletAsync("w2", address: "0x0000000000000000000000000000000000000001")).Reason.ShouldBe("invalid-signature", "in another wallet's name");
        (await WalletAsync("w3", body: "{}")).Status.ShouldBe(402);
        (await WalletAsync("w4", body: """{"all":true}""", signedBody: "{}")).Reason.ShouldBe("invalid-signature", "another body");
        (await WalletAsync("w5", sign: static _ => new byte[200])).Status.ShouldBe(200, "a contract's signature is left open");
        Caller.ShouldBeNull();
    }

    private static Func<HttpRequestMessage, HttpResponseMessage> Serve(Signing who) => request =>
        request.RequestUri!.AbsolutePath is "/.well-known/http-message-signatures-directory" or "/jwks" ? Text(who.Directory) : new HttpResponseMessage(HttpStatusCode.NotFound);

    private static HttpResponseMessage Text(string json) => new(HttpStatusCode.OK) { Content = new StringContent(json, Encoding.UTF8, "application/http-message-signatures-directory+json") };
}
