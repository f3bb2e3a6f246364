using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Identity;

/// <summary>Other people's signers against the gate: web-bot-auth, http-message-signatures, mppx's attestation, @slicekit/erc8128, dpop and jose.</summary>
public sealed class SignedAgentTests(SignedAgentTests.Rig rig) : IClassFixture<SignedAgentTests.Rig>
{
    private const string Directory = """{"keys":[{"crv":"Ed25519","kty":"OKP","x":"MPbKtIKjtZNpThhRrKe10GyDvcF7SPn600GySxbxhOk"}]}""";
    private const string WalletKey = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d", Wallet = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";

    private Task<PaidCall> AskAsync(string script, params (string, string)[] environment) => AskAsync(script, "/forecast/paris", environment);

    private async Task<PaidCall> AskAsync(string script, string target, params (string, string)[] environment)
    {
        var call = await ClientScript.RunAsync(script.Contains('/', StringComparison.Ordinal) ? script : $"identity/{script}.mjs", new Uri(rig.Gateway.Url, target), environment);
        call.Error.ShouldBeNull();
        return call;
    }

    private string? Told(string header) => rig.Upstream.LastCall.Headers.TryGetValue(header, out var value) ? value.ToString() : null;

    [Theory]
    [InlineData("dictionary")]
    [InlineData("bare")]
    public async Task Web_bot_auth_is_known_by_its_directory(string form)
    {
        var call = await AskAsync("web-bot-auth", ("AGENT", rig.Agent.Url.GetLeftPart(UriPartial.Authority)), ("AGENT_FORM", form));
        call.Status.ShouldBe(200, call.Body);
        Told("Turnpike-Caller").ShouldBe("robot");
    }

    [Fact]
    public async Task Web_bot_auth_in_another_agents_name_is_nobody()
    {
        var call = await AskAsync("web-bot-auth", ("AGENT", "https://elsewhere.test"), ("AGENT_FORM", "dictionary"));
        call.Status.ShouldBe(401, call.Body);
    }

    [Fact]
    public async Task A_request_that_http_message_signatures_signed_whole_is_bound_to_its_signer_and_its_body()
    {
        (string, string)[] signed = [("AGENT", rig.Agent.Url.GetLeftPart(UriPartial.Authority)), ("METHOD", "POST"), ("BODY", "{\"city\":\"paris\"}")];
        var call = await AskAsync("message-signatures", "/reports?q=a%20b&r=", signed);
        call.Status.ShouldBe(200, call.Body);
        Told("Turnpike-Caller").ShouldBe("robot");
        var tampered = await AskAsync("message-signatures", "/reports?q=a%20b&r=", [.. signed, ("TAMPERED", "1")]);
        (tampered.Status, tampered.Json["reason"]!.GetValue<string>()).ShouldBe((401, "invalid-signature"));
    }

    [Theory]
    [InlineData("browse")]
    [InlineData("payment")]
    public async Task Mppx_attests_by_tap_as_an_agent_of_the_register(string intent)
    {
        var call = await AskAsync("mpp/tap.mjs", ("KEY_ID", "agent-1"), ("INTENT", intent));
        call.Status.ShouldBe(200, call.Body);
        Told("Turnpike-Caller").ShouldBe("agent:tap:agent-1");
        var unknown = await AskAsync("mpp/tap.mjs", ("KEY_ID", "agent-2"), ("INTENT", intent));
        (unknown.Status, unknown.Json["reason"]!.GetValue<string>()).ShouldBe((401, "invalid-signature"));
    }

    [Fact]
    public async Task A_wallet_signs_by_erc8128()
    {
        var call = await AskAsync("erc8128", ("KEY", WalletKey));
        call.Status.ShouldBe(200, call.Body);
        Told("Turnpike-Caller").ShouldBe("agent:wallet:" + Wallet);
    }

    [Fact]
    public async Task Jose_signs_who_answers_for_an_agent_and_for_another_seller_it_is_nothing()
    {
        var call = await AskAsync("kya", "/forecast/vienna", ("AUDIENCE", "seller-1"));
        call.Status.ShouldBe(200, call.Body);
        (Told("Turnpike-Caller"), Told("Turnpike-Agent"), Told("Turnpike-Agent-Operator"), Told("Turnpike-On-Behalf-Of"), Told("Turnpike-Agent-Verified"), Told("skyfire-pay-id"))
            .ShouldBe(("know:buyer-7", "shopper", "Acme Shopping Inc.", "Buyer GmbH", "true", null));
        var other = await AskAsync("kya", "/forecast/vienna", ("AUDIENCE", "seller-2"));
        (other.Status, other.Json["reason"]!.GetValue<string>()).ShouldBe((401, "invalid-token"));
    }

    [Fact]
    public async Task A_token_by_jose_is_good_beside_a_proof_by_dpop_and_stolen_it_is_useless()
    {
        var call = await AskAsync("dpop");
        call.Status.ShouldBe(200, call.Body);
        (Told("Turnpike-Caller"), Told("Turnpike-Scopes")).ShouldBe(("robot", "status:read"));
        var stolen = await AskAsync("dpop", ("STOLEN", "1"));
        (stolen.Status, stolen.Json["reason"]!.GetValue<string>()).ShouldBe((401, "proof-required"));
    }

    /// <summary>One gateway that knows these agents, for all tests of the class.</summary>
    public sealed class Rig : IAsyncLifetime
    {
        internal Upstream Upstream { get; private set; } = null!;

        internal LoopbackHost Agent { get; private set; } = null!;

        internal TurnpikeProcess Gateway { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Upstream = await Harness.Upstream.StartAsync();
            Agent = await LoopbackHost.StartAsync(app =>
            {
                app.MapGet("/.well-known/http-message-signatures-directory", () => Results.Text(Directory, "application/http-message-signatures-directory+json"));
                app.MapGet("/register.json", () => Results.Text(Directory.Replace("\"crv\"", "\"kid\":\"agent-1\",\"crv\"", StringComparison.Ordinal), "application/json"));
                app.MapGet("/jwks.json", () => Results.Text(Directory, "application/json"));
            });
            var config = Path.Combine(System.IO.Directory.CreateTempSubdirectory("turnpike-e2e-").FullName, "signed.yaml");
            var at = Agent.Url.GetLeftPart(UriPartial.Authority);
            await File.WriteAllTextAsync(config, $$"""
                # Signed agents.
                gateway:
                  store: sqlite:{{Path.GetDirectoryName(config)}}/books.db
                identity:
                  jwt: { login: { issuer: "https://login.test", audience: "https://api.test", keys: "{{at}}/jwks.json" }, know: { issuer: "https://know.test", audience: seller-1, keys: "{{at}}/jwks.json", tokens: kya, service: service-1, callers: any } }
                  signatures: { web-bot-auth: { agents: ["{{at}}"] }, tap: { keys: "{{at}}/register.json", callers: any }, erc8128: { callers: any } }
                callers: { robot: { signs-as: ["{{at}}"], scopes: [status:read, status:write] } }
                services: { s: { upstream: "{{Upstream.Url.GetLeftPart(UriPartial.Authority)}}", operations: { forecast: { match: "GET /forecast/{city}", price: free, identity: required }, report: { match: POST /reports, price: free, assurance: bound }, vetted: { match: GET /forecast/vienna, price: free, access: { verified: true } } } } }
                """);
            Gateway = await TurnpikeProcess.StartAsync(config);
        }

        public async ValueTask DisposeAsync()
        {
            await Gateway.DisposeAsync();
            await Agent.DisposeAsync();
            await Upstream.DisposeAsync();
        }
    }
}
