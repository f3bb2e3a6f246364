using Turnpike.Catalog;
using Turnpike.Protocols.Evm;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Identity;

/// <summary>Credentials that are bound to a key: useless to whoever steals them.</summary>
public sealed class BoundKeyTests : IDisposable
{
    private const string Here = "http://127.0.0.1:8402/status";
    private readonly Signing agent = new(), thief = new();
    private readonly Issuer issuer = new();
    private readonly TestGate gate;

    public BoundKeyTests() => gate = issuer.Gate();

    public void Dispose() => gate.Dispose();

    private Task<string> KeyAsync(params IReadOnlyList<string> to) => gate.KeyAsync("bot", rules: new CredentialRules { BoundTo = to });

    private Task<Told> AskAsync(string key, string? proof, string scheme = "DPoP") => gate.GetAsync("/status?q=1", ("Authorization", $"{scheme} {key}"), ("DPoP", proof));

    [Fact]
    public async Task A_bound_key_works_beside_a_proof_by_its_key_and_with_nothing_else()
    {
        var key = await KeyAsync("jkt:" + agent.Thumbprint);
        (await AskAsync(key, agent.Dpop(Here, key))).Status.ShouldBe(200);
        (await AskAsync(key, agent.Dpop(Here, key), scheme: "Bearer")).Status.ShouldBe(200);
        gate.Upstream.Requests.Last().Headers.Keys.ShouldNotContain("DPoP");
        var stolen = await AskAsync(key, null, scheme: "Bearer");
        (stolen.Status, stolen.Reason).ShouldBe((401, "proof-required"), "downgrade: a bound key sent as any other");
        stolen.Headers.WWWAuthenticate.ToString().ShouldStartWith("DPoP ");
        (await gate.GetAsync("/status", ("x-api-key", key))).Reason.ShouldBe("proof-required");
        (await AskAsync(key, thief.Dpop(Here, key))).Reason.ShouldBe("proof-required", "a good proof by another key");
        (await AskAsync(key, null)).Reason.ShouldBe("invalid-signature");
    }

    public static TheoryData<string, object?> Wrong => new()
    {
        { "htm", "POST" }, { "htu", "http://127.0.0.1:8402/other" }, { "htu", "https://127.0.0.1:8402/status" }, { "htu", "http://evil.test/status" }, { "htu", "http://127.0.0.1:8402@evil.test/status" }, { "htu", null },
        { "iat", 1 }, { "iat", null }, { "ath", "x" }, { "ath", null }, { "jti", null }, { "jti", "" }, { "jti", new string('x', 300) },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task A_proof_is_for_this_request_now(string claim, object? value)
    {
        var key = await KeyAsync("jkt:" + agent.Thumbprint);
        var told = await AskAsync(key, agent.Dpop(Here, key, claim, value));
        (told.Status, told.Reason).ShouldBe((401, "invalid-signature"));
        told.Headers.WWWAuthenticate.ToString().ShouldContain("invalid_dpop_proof");
    }

    [Fact]
    public async Task A_proof_is_good_once()
    {
        var key = await KeyAsync("jkt:" + agent.Thumbprint);
        var proof = agent.Dpop(Here, key);
        var both = await Task.WhenAll(AskAsync(key, proof), AskAsync(key, proof));
        both.Select(t => t.Status).Order().ShouldBe([200, 401]);
    }

    [Fact]
    public async Task A_proof_tells_its_own_algorithm_and_a_public_key()
    {
        var key = await KeyAsync("jkt:" + agent.Thumbprint);
        foreach (var header in new[] { "{\"typ\":\"dpop+jwt\",\"alg\":\"none\",\"jwk\":" + agent.Jwk + "}", "{\"typ\":\"JWT\",\"alg\":\"ES256\",\"jwk\":" + agent.Jwk + "}", "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\"}", "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":" + agent.Jwk[..^1] + ",\"d\":\"AAAA\"}}" })
            (await AskAsync(key, agent.Dpop(Here, key, header: header))).Reason.ShouldBe("invalid-signature");
        (await gate.GetAsync("/status", ("Authorization", "DPoP " + key), ("DPoP", agent.Dpop(Here, key) + "\n" + agent.Dpop(Here, key)))).Reason.ShouldBe("invalid-signature");
    }

    [Fact]
    public async Task A_token_of_an_issuer_may_be_bound_as_well_and_one_that_is_not_is_no_dpop_token()
    {
        var bound = issuer.Sign(Issuer.Claims("cnf", new Dictionary<string, string> { ["jkt"] = agent.Thumbprint }));
        (await AskAsync(bound, agent.Dpop(Here, bound))).Status.ShouldBe(200);
        (await AskAsync(bound, thief.Dpop(Here, bound))).Reason.ShouldBe("proof-required");
        (await AskAsync(bound, null, "Bearer")).Reason.ShouldBe("proof-required");
        var free = issuer.Sign(Issuer.Claims());
        (await AskAsync(free, agent.Dpop(Here, free))).Reason.ShouldBe("invalid-token");
    }

    [Fact]
    public async Task A_key_bound_to_a_wallet_needs_a_signature_over_the_whole_request()
    {
        using var wallets = new TestGate("identity: { signatures: { erc8128: {} } }\n");
        var wallet = Secp256k1.AddressOf(Signing.WalletKey).ToLowerHex();
        var key = await wallets.KeyAsync("bot", rules: new CredentialRules { BoundTo = ["wallet:" + wallet] });
        var now = wallets.Time.GetUtcNow().ToUnixTimeSeconds();
        Task<Told> Ask(string target, string nonce, params (string, string)[] covered) => wallets.GetAsync(target, [("x-api-key", key), .. Signing.Headers(Signing.SignByWallet, $";created={now};expires={now + 60};nonce=\"{nonce}\";keyid=\"erc8128:1:{wallet}\"", covered)]);
        (string, string) authority = ("\"@authority\"", "127.0.0.1:8402"), method = ("\"@method\"", "GET"), path = ("\"@path\"", "/status");
        (await Ask("/status", "1", authority, method, path)).Status.ShouldBe(200);
        (await Ask("/status", "2", authority)).Reason.ShouldBe("proof-required", "what covers the host alone can be taken and used for anything");
        (await Ask("/status", "3", authority, path)).Reason.ShouldBe("proof-required");
        (await Ask("/status?all=1", "4", authority, method, path)).Reason.ShouldBe("proof-required", "the query is part of what is asked");
        (await Ask("/status?all=1", "5", authority, method, path, ("\"@query\"", "?all=1"))).Status.ShouldBe(200);
        (await wallets.GetAsync("/status", ("x-api-key", key))).Reason.ShouldBe("proof-required");
    }
}
