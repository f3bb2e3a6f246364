using Turnpike.Audit;
using Turnpike.Storage;
using Turnpike.Tests.Catalog;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Identity;

/// <summary>Know Your Agent tokens: which agent, who runs it, for which company, and what hangs on that.</summary>
public sealed class KyaTests : IDisposable
{
    private const string Header = "skyfire-pay-id", Kya = """{"alg":"ES256","kid":"k1","typ":"kya+jwt"}""";

    private const string Config = """
        identity:
          jwt:
            know: { issuer: "https://login.test", audience: seller-1, keys: "https://login.test/jwks.json", algorithms: [ES256], tokens: kya, service: service-1, domain: api.test, environment: production, callers: any }
        payments: { prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" } }
        services:
          s:
            upstream: ${env:UPSTREAM}
            operations:
              status: { match: GET /status, price: free }
              vetted: { match: GET /vetted, price: free, access: { verified: true } }
              paid: { match: GET /paid, price: { amount: 0.10 USD, rules: [{ verified: true, percent: 50% }] } }
        callers: { analyst: { keys: ["${env:AGENT_KEY}"], on-behalf-of: acme-corp } }
        """;

    private readonly Issuer issuer = new();
    private readonly TestGate gate;

    public KyaTests()
    {
        gate = new TestGate(document: Config);
        gate.Sites["login.test"] = issuer.Answer;
    }

    public void Dispose() => gate.Dispose();

    /// <summary>As their issuer publishes an example, with a company behind it.</summary>
    private static Dictionary<string, object?> Claims(string? name = null, object? value = null)
    {
        var claims = Issuer.Claims("aud", "seller-1");
        foreach (var (key, one) in new Dictionary<string, object?>
        {
            ["sub"] = "f24a431d", ["jti"] = "b9821893-7699-4d24-af06-803a6a16476b", ["env"] = "production", ["ssi"] = "service-1", ["sdm"] = "api.test",
            ["hid"] = new { email = "mary@buyer.test", given_name = "Mary", organization_name = "Buyer GmbH", verified = true, verifier = "https://verifier.test" },
            ["apd"] = new { id = "p1", name = "Acme Shopping", organization_name = "Acme Shopping Inc." },
            ["aid"] = new { name = "Agentic Я Us", creation_ip = "128.2.42.95" },
        }) claims[key] = one;
        if (name is not null) claims[name] = value;
        return claims;
    }

    private Task<Told> AskAsync(Dictionary<string, object?> claims, string target = "/status", string? header = Kya, string from = "127.0.0.1") =>
        gate.SendAsync(new Ask("GET", target, (Header, issuer.Sign(claims, header))) { Address = from });

    [Theory]
    [InlineData("kya+jwt")]
    [InlineData("kya-pay+jwt")]
    public async Task It_says_which_agent_asks_who_runs_it_and_for_which_company(string type)
    {
        (await AskAsync(Claims(), header: Kya.Replace("kya+jwt", type, StringComparison.Ordinal))).Status.ShouldBe(200);
        var asked = gate.Upstream.Requests.Single().Headers;
        (asked["Turnpike-Caller"], asked["Turnpike-Agent"], asked["Turnpike-Agent-Operator"], asked["Turnpike-On-Behalf-Of"], asked["Turnpike-Agent-Verified"])
            .ShouldBe(("know:f24a431d", "Agentic%20%D0%AF%20Us", "Acme Shopping Inc.", "Buyer GmbH", "true"));
        asked.Keys.ShouldNotContain(Header);
        asked.Values.ShouldAllBe(v => !v.Contains("Mary", StringComparison.OrdinalIgnoreCase));
        await gate.Of<IAuditTrail>().FlushAsync(default);
        var told = (await gate.Of<IAuditTrail>().ReadAsync(new AuditFilter(Kind: AuditKinds.Delivered), default)).Single().Event;
        (told.Caller, told.Agent, told.OnBehalfOf).ShouldBe(("know:f24a431d", "Agentic Я Us", "Buyer GmbH"));
    }

    public static TheoryData<string, object?, string> Bad => new()
    {
        { "aud", "seller-2", "It is for somebody else." },
        { "ssi", "service-2", "It is for another service." },
        { "sdm", "other.test", "It is for another domain." },
        { "env", "sandbox", "It is of another environment." },
        { "aid", null, "It names no agent." },
        { "aid", "me", "It names no agent." },
        { "jti", null, "It has no number or no time." },
        { "iat", null, "It has no number or no time." },
        { "exp", 1, "It has expired." },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task One_that_is_not_for_this_seller_here_and_now_is_refused(string claim, object? value, string why)
    {
        var told = await AskAsync(Claims(claim, value));
        (told.Status, told.Reason, told.Json.GetProperty("detail").GetString()).ShouldBe((401, "invalid-token", why));
        gate.Upstream.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("pay+jwt")]
    [InlineData("at+jwt")]
    public async Task A_token_that_only_pays_or_opens_says_nothing_about_an_agent(string type) =>
        (await AskAsync(Claims(), header: Kya.Replace("kya+jwt", type, StringComparison.Ordinal))).Reason.ShouldBe("invalid-token");

    [Theory]
    [InlineData("54.86.50.140", 200)]
    [InlineData("54.86.50.142", 401)]
    [InlineData("1.1.1.77", 200)]
    [InlineData("::ffff:1.1.1.77", 200)]
    [InlineData("1.1.2.0", 401)]
    [InlineData("2001:db8:abcd:12::9", 200)]
    [InlineData("2001:db8:abcd:13::9", 401)]
    public async Task One_that_was_stolen_is_useless_elsewhere(string from, int status) =>
        (await AskAsync(Claims("aid", new { name = "a", source_ips = new[] { "54.86.50.139-54.86.50.141", "1.1.1.0/24", "2001:db8:abcd:12::/64" } }), from: from)).Status.ShouldBe(status);

    [Fact]
    public async Task A_place_that_is_a_name_cannot_be_compared_and_binds_nobody() =>
        (await AskAsync(Claims("aid", new { name = "a", source_ips = new[] { "1.1.1.0/24", "agents.test" } }), from: "8.8.8.8")).Status.ShouldBe(200);

    [Fact]
    public async Task Access_and_prices_may_ask_for_agents_somebody_has_verified()
    {
        (await gate.GetAsync("/vetted")).Reason.ShouldBe("identity-required");
        (await gate.GetAsync("/vetted", ("apikey", Documents.Variables["AGENT_KEY"]))).Reason.ShouldBe("access-denied");
        (await AskAsync(Claims("hid", new { organization_name = "Buyer GmbH", verified = false }), "/vetted")).Reason.ShouldBe("access-denied");
        (await AskAsync(Claims("hid", new { organization_name = "Buyer GmbH", verified = "true" }), "/vetted")).Reason.ShouldBe("access-denied");
        (await AskAsync(Claims(), "/vetted")).Status.ShouldBe(200);
        var token = await gate.TokenAsync();
        (await gate.GetAsync("/paid", ("Authorization", token))).Headers["Turnpike-Cost"].ToString().ShouldBe("0.10 USD");
        (await gate.GetAsync("/paid", ("Authorization", token), (Header, issuer.Sign(Claims(), Kya)))).Headers["Turnpike-Cost"].ToString().ShouldBe("0.05 USD");
    }

    [Fact]
    public async Task It_does_not_lend_its_company_to_the_key_of_another()
    {
        var told = await gate.GetAsync("/status", (Header, issuer.Sign(Claims(), Kya)), ("apikey", Documents.Variables["AGENT_KEY"]));
        told.Status.ShouldBe(400, "two credentials that name two callers");
    }

    [Fact]
    public async Task What_was_paid_names_for_whom_in_every_event_and_the_chain_covers_them()
    {
        var token = await gate.TokenAsync();
        (await gate.GetAsync("/paid", ("Authorization", token), ("apikey", Documents.Variables["AGENT_KEY"]))).Status.ShouldBe(200);
        var trail = gate.Of<IAuditTrail>();
        await trail.FlushAsync(default);
        foreach (var kind in new[] { AuditKinds.Held, AuditKinds.Settled, AuditKinds.Delivered })
            (await trail.ReadAsync(new AuditFilter(Kind: kind), default)).Single().Event.OnBehalfOf.ShouldBe("acme-corp", kind);
        await gate.Of<Database>().WriteAsync(sql => sql.Script("update audit set on_behalf_of = 'somebody-else' where kind = 'payment.held'"), default);
        (await trail.VerifyAsync(default)).Intact.ShouldBeFalse("on whose behalf is part of the chain");
    }
}
