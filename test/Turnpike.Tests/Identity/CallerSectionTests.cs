using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Identity;
using Turnpike.Tests.Catalog;

namespace Turnpike.Tests.Identity;

/// <summary>The callers and identity sections, and what they refuse.</summary>
public sealed class CallerSectionTests
{
    [Theory]
    [InlineData("callers: { a: { keys: [plain-text] } }", "callers.a.keys[0]: a secret is a reference")]
    [InlineData("callers: { a: { keys: [\"sha256:12\"] } }", "callers.a.keys[0]: is no hash; write sha256: and 64 hex digits")]
    [InlineData("callers: { a: { keys: [\"${env:AGENT_KEY}\"] }, b: { keys: [\"${env:AGENT_KEY}\"] } }", "callers.b.keys[0]: the same key is one of 'a'; a key says who asks, so it is one caller's")]
    [InlineData("callers: { a: { keys: [\"${env:BROKEN_LINES}\"] } }", "is no key: a key is printable ASCII without spaces and commas")]
    [InlineData("callers: { a: { keys: [{ key: \"${env:AGENT_KEY}\", operations: [oo] }] } }", "callers.a.keys[0]: 'oo' is no operation; did you mean 'o'?")]
    [InlineData("callers: { a: { keys: [{ key: \"${env:AGENT_KEY}\", scopes: [x] }] } }", "'x' is no scope of its caller")]
    [InlineData("callers: { a: { keys: [{ key: \"${env:AGENT_KEY}\", expires: soon }] } }", "'soon' is no date")]
    [InlineData("callers: { a: { keys: [{ key: \"${env:AGENT_KEY}\", bound-to: [me] }] } }", "'me' is no signer")]
    [InlineData("callers: { a: { scopes: [\"a b\"] } }", "'a b' is no scope")]
    [InlineData("callers: { a: { signs-as: [\"https://x.test\"] }, b: { signs-as: [\"https://x.test/\"] } }", "callers.b.signs-as: 'https://x.test' signs as 'a'; whoever signs is one caller")]
    [InlineData("callers: { \"a:b\": {} }", "a name is 1 to 64 letters, digits, '-' and '_'")]
    [InlineData("identity: { jwt: { i: { issuer: i, audience: a } } }", "identity.jwt.i: an issuer has either keys or a secret")]
    [InlineData("identity: { jwt: { i: { issuer: i, audience: a, keys: \"https://x.test/k\", algorithms: [ES256, HS256] } } }", "identity.jwt.i.algorithms: HS256 does not go with keys")]
    [InlineData("identity: { jwt: { i: { issuer: i, audience: a, secret: \"${env:TURNPIKE_TOKEN_SECRET}\", algorithms: [RS256] } } }", "identity.jwt.i.algorithms: RS256 does not go with a secret")]
    [InlineData("identity: { jwt: { i: { issuer: i, audience: a, keys: \"https://x.test/k\", algorithms: [none] } } }", "'none' is not one of")]
    [InlineData("identity: { jwt: { i: { issuer: i, audience: a, keys: \"http://x.test/k\" } } }", "keys that are believed come over https")]
    [InlineData("identity: { jwt: { i: { issuer: i, keys: \"https://x.test/k\" } } }", "'audience' is missing")]
    [InlineData("identity: { jwt: { i: { issuer: i, audience: a, secret: \"${env:SHORT}\" } } }", "a signing secret has at least 32 bytes")]
    [InlineData("identity: { signatures: { web-bot-auth: { max-age: 10m } } }", "is longer than a signature may live; at most 9m")]
    public void What_cannot_be_meant_is_told(string more, string told) => string.Join('\n', Documents.Load(Documents.With(more)).ErrorLines).ShouldContain(told);

    [Fact]
    public void No_catalog_holds_a_key()
    {
        var caller = Documents.Sound(Documents.With("callers: { a: { keys: [\"${env:AGENT_KEY}\"] } }")).Settings.Get<CallerSettings>().ShouldNotBeNull();
        caller.All[0].Keys[0].ToString().ShouldNotContain("hush");
        caller.Find(KeyHash.Of(Documents.Variables["AGENT_KEY"])).ShouldNotBeNull().Caller.Name.ShouldBe("a");
    }

    [Theory]
    [InlineData("callers: { a: { keys: [\"${env:AGENT_KEY}\"] } }", "callers.a.keys: keys without 'caps' of their caller may spend without end")]
    [InlineData("callers: { a: { keys: [\"${env:AGENT_KEY}\"], caps: [{ amount: 5.00 USD }] } }", null)]
    [InlineData("callers: { a: { keys: [\"${env:AGENT_KEY}\"], organisation: Acme } }\norganisations: { Acme: { caps: [{ amount: 5.00 USD, each: caller }] } }", null)]
    [InlineData("callers: { a: { keys: [\"${env:AGENT_KEY}\"], organisation: Other } }\norganisations: { Acme: { caps: [{ amount: 5.00 USD }] } }", "callers.a.keys: keys without 'caps' of their caller may spend without end")]
    [InlineData("callers: { a: { signs-as: [\"https://agent.test\"] } }", "callers.a.signs-as: signatures without 'caps' of their caller may spend without end")]
    [InlineData("callers: { a: { organisation: Acme } }", null)]
    [InlineData("identity: { jwt: { login: { issuer: i, audience: a, keys: \"https://login.test/jwks\", callers: any } } }", "identity.jwt.login.callers: whoever these tokens name may spend without end; give 'login' caps in 'organisations'")]
    [InlineData("identity: { jwt: { login: { issuer: i, audience: a, keys: \"https://login.test/jwks\", callers: any } } }\norganisations: { login: { caps: [{ amount: 5.00 USD, each: caller }] } }", null)]
    [InlineData("identity: { jwt: { login: { issuer: i, audience: a, keys: \"https://login.test/jwks\" } } }", null)]
    [InlineData("identity: { introspection: { url: \"https://login.test/ask\", client-id: a, client-secret: \"${env:AGENT_KEY}\", audience: a, callers: any } }", "identity.introspection.callers: whoever these tokens name may spend without end; give 'login.test' caps in 'organisations'")]
    public void A_key_or_token_without_a_cap_is_warned_of(string more, string? told)
    {
        var read = Documents.Load(Documents.With(more));
        read.ErrorLines.ShouldBeEmpty();
        var warnings = read.WarningLines.Where(line => line.Contains("without end", StringComparison.Ordinal)).Select(line => line[(line.IndexOf(": ", StringComparison.Ordinal) + 2)..]);
        warnings.ShouldBe(told is null ? [] : [told]);
    }

    [Theory]
    [InlineData("127.0.0.1", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("172.31.0.1", false)]
    [InlineData("192.168.1.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("::1", false)]
    [InlineData("::", false)]
    [InlineData("::ffff:127.0.0.1", false)]
    [InlineData("::ffff:169.254.169.254", false)]
    [InlineData("64:ff9b::a00:1", false)]
    [InlineData("fd00::1", false)]
    [InlineData("fe80::1", false)]
    [InlineData("2002:7f00:1::", false)]
    [InlineData("8.8.8.8", true)]
    [InlineData("2606:4700::1111", true)]
    [InlineData("::ffff:8.8.8.8", true)]
    public void A_stranger_may_not_send_us_into_our_own_house(string address, bool open) => PublicAddress.IsPublic(System.Net.IPAddress.Parse(address)).ShouldBe(open);

    [Fact]
    public async Task What_a_stranger_names_is_fetched_over_https_from_the_public_internet_alone()
    {
        using var client = GuardedHttp.CreatePublic(TimeSpan.FromSeconds(2), 1024);
        (await Should.ThrowAsync<HttpRequestException>(() => client.GetAsync(new Uri("http://example.com/")))).Message.ShouldContain("https");
        (await Should.ThrowAsync<HttpRequestException>(() => client.GetAsync(new Uri("https://127.0.0.1:1/")))).Message.ShouldContain("nowhere on the public internet");
        (await Should.ThrowAsync<HttpRequestException>(() => client.GetAsync(new Uri("https://localhost:1/")))).Message.ShouldContain("nowhere on the public internet");
    }
}
