using System.Net;
using System.Text;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Identity;

/// <summary>Tokens only their issuer can read, and where a stranger learns who that is.</summary>
public sealed class IntrospectionTests : IDisposable
{
    private const string Config = """
        identity:
          introspection: { url: "https://login.test/introspect", client-id: "turn pike", client-secret: "${env:AGENT_KEY}", audience: "https://api.test", keep: 10s }
          authorization-servers: ["https://login.test"]
        callers: { analyst: { scopes: [companies:read] } }

        """;

    private readonly TestGate gate = new(Config);
    private readonly List<(string Body, string? Authorization)> asked = [];

    public void Dispose() => gate.Dispose();

    private void Says(string json, HttpStatusCode status = HttpStatusCode.OK) => gate.Sites["login.test"] = request =>
    {
        asked.Add((new StreamReader(request.Content!.ReadAsStream()).ReadToEnd(), request.Headers.Authorization?.Parameter));
        return new HttpResponseMessage(status) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
    };

    private Task<Told> AskAsync(string token = "opaque") => gate.GetAsync("/status", ("Authorization", "Bearer " + token));

    [Fact]
    public async Task The_issuer_is_asked_once_in_a_while()
    {
        Says("""{"active":true,"sub":"analyst","aud":"https://api.test","scope":"companies:read"}""");
        (await AskAsync()).Status.ShouldBe(200);
        (await AskAsync()).Status.ShouldBe(200);
        asked.ShouldHaveSingleItem().ShouldBe(("token=opaque&token_type_hint=access_token", Convert.ToBase64String(Encoding.UTF8.GetBytes("turn%20pike:" + Catalog.Documents.Variables["AGENT_KEY"]))));
        var headers = gate.Upstream.Requests.Last().Headers;
        (headers["Turnpike-Caller"], headers["Turnpike-Scopes"]).ShouldBe(("analyst", "companies:read"));
        Says("""{"active":false}""");
        gate.Time.Pass(TimeSpan.FromSeconds(10));
        (await AskAsync()).Reason.ShouldBe("unknown-key", "a revocation is noticed when the answer is old");
    }

    [Theory]
    [InlineData("""{"active":false}""", "unknown-key")]
    [InlineData("""{"active":"true","sub":"analyst","aud":"https://api.test"}""", "unknown-key")]
    [InlineData("""{"active":true,"sub":"analyst"}""", "unknown-key")]
    [InlineData("""{"active":true,"sub":"analyst","aud":"https://other.test"}""", "unknown-key")]
    [InlineData("""{"active":true,"sub":"analyst","aud":"https://api.test","exp":1}""", "unknown-key")]
    [InlineData("""{"active":true,"sub":"nobody","aud":"https://api.test"}""", "unknown-caller")]
    [InlineData("""{"active":true,"aud":"https://api.test"}""", "invalid-token")]
    [InlineData("""{"active":true,"sub":"analyst","aud":"https://api.test","cnf":{"x5t#S256":"a"}}""", "invalid-token")]
    [InlineData("""{"active":true,"sub":"analyst","aud":"https://api.test","cnf":{"jkt":"a"}}""", "proof-required")]
    [InlineData("""{"active":true,"active":false,"sub":"analyst","aud":"https://api.test"}""", "issuer-down")]
    [InlineData("sorry", "issuer-down")]
    public async Task Only_a_clear_yes_for_here_is_a_yes(string json, string reason)
    {
        Says(json);
        (await AskAsync()).Reason.ShouldBe(reason);
        gate.Upstream.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_silent_issuer_is_503_and_keys_go_on()
    {
        gate.Sites["login.test"] = static _ => throw new HttpRequestException("down");
        var told = await AskAsync();
        (told.Status, told.Reason).ShouldBe((503, "issuer-down"));
        told.Headers.RetryAfter.ToString().ShouldNotBeEmpty();
        (await AskAsync(await gate.KeyAsync())).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_no_is_remembered_too()
    {
        Says("""{"active":false}""");
        for (var i = 0; i < 5; i++) await AskAsync();
        asked.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_401_says_where_tokens_come_from()
    {
        Says("""{"active":false}""");
        (await AskAsync()).Headers.WWWAuthenticate.ToString().ShouldEndWith("resource_metadata=\"http://127.0.0.1:8402/.well-known/oauth-protected-resource\"");
    }
}
