using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Identity.Signatures;

namespace Turnpike.Identity;

/// <summary>The <c>identity:</c> section.</summary>
internal static class IdentitySection
{
    private static readonly string[] Asymmetric = ["ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA", "Ed25519"], Symmetric = ["HS256", "HS384", "HS512"];
    private static readonly IReadOnlyList<string> Usual = ["ES256", "RS256", "PS256", "EdDSA"];

    private static readonly Shape<string> Claim = new ScalarShape<string>("the name of a claim", (string t, out string? v) => (v = t).Length is > 0 and <= 128 ? null : "is no name of a claim");
    private static readonly Shape<string> Algorithm = new ChoiceShape<string>([.. Asymmetric.Concat(Symmetric).Select(a => (a, a))]);

    private static readonly Key<string> Issuer = new("issuer", Shapes.Text, "The exact iss of its tokens.") { Required = true, Example = "https://login.example.com" };
    private static readonly Key<IReadOnlyList<string>> Audience = new("audience", new ListShape<string>(Shapes.Text, oneAlone: true, least: 1), "What has to be in aud: a token for somebody else is none here.") { Required = true, Example = "https://api.example.com" };
    private static readonly Key<Uri> Keys = new("keys", Shapes.Url, "Its published keys, a JSON Web Key Set.") { Default = "none: then there is a secret", Example = "https://login.example.com/jwks.json" };
    private static readonly Key<Secret> Shared = new("secret", new SecretShape(32), "A secret of at least 32 bytes both sides have; for HS256, HS384 and HS512 alone.") { Default = "none: then there are keys", Example = "${env:TURNPIKE_TOKEN_SECRET}" };
    private static readonly Key<IReadOnlyList<string>> Algorithms = new("algorithms", new ListShape<string>(Algorithm, least: 1), "What its tokens may be signed with; never none.") { Default = "ES256, RS256, PS256 and EdDSA by keys, HS256 by a secret", Example = "[ES256]" };
    private static readonly Key<TimeSpan> Skew = new("skew", Shapes.Duration, "How far its clock may be off.") { Default = "1m", Example = "30s" };
    private static readonly Key<string> CallerClaim = new("caller", Claim, "The claim that names the caller; dots lead into claims.") { Default = "sub", Example = "client_id" };
    private static readonly Key<bool> Callers = new("callers", new ChoiceShape<bool>(("known", false), ("any", true)), "Whom it may name: callers known here, or anybody, who is then called ISSUER:NAME and may do what the token says.") { Default = "known", Example = "any" };
    private static readonly Key<string> ScopeClaim = new("scopes", Claim, "The claim with what the token may do; a known caller never gets more than it has.") { Default = "scope", Example = "scope" };

    private static readonly Key<bool> Kya = new("tokens", new ChoiceShape<bool>(("access", false), ("kya", true)), "What its tokens are: access tokens, or statements about an agent and the company it acts for (Know Your Agent, KYAPay), which come as skyfire-pay-id, too.") { Default = "access", Example = "kya" };
    private static readonly Key<string> KyaService = new("service", Shapes.Text, "The seller's service a kya token has to be for, its ssi.") { Default = "any of that audience", Example = "3e6d33a1-438e-482e-bba5-6aa69544727d" };
    private static readonly Key<string> KyaDomain = new("domain", Shapes.Text, "The seller's domain a kya token has to be for, its sdm.") { Default = "any of that audience", Example = "api.example.com" };
    private static readonly Key<string> KyaEnvironment = new("environment", Shapes.Text, "The issuer's environment a kya token has to be of, its env.") { Default = "any", Example = "production" };

    private static readonly Shape<JwtIssuer> One = new MapShape<JwtIssuer>([Issuer, Audience, Keys, Shared, Algorithms, Skew, CallerClaim, Callers, ScopeClaim, Kya, KyaService, KyaDomain, KyaEnvironment], BuildIssuer);
    private static readonly Key<IReadOnlyList<KeyValuePair<string, JwtIssuer>>> Jwt = new("jwt", new NamedShape<JwtIssuer>("issuers by name", "issuer", OperationSection.CheckName, One), "Whose signed tokens (JWT) say who asks.") { Default = "nobody's", Example = "{ login: { issuer: \"https://login.example.com\", audience: \"https://api.example.com\", keys: \"https://login.example.com/jwks.json\" } }" };

    private static readonly Key<Uri> Url = new("url", Shapes.Url, "Where it is asked.") { Required = true, Example = "https://login.example.com/introspect" };
    private static readonly Key<string> ClientId = new("client-id", Shapes.Text, "Who we are there.") { Required = true, Example = "turnpike" };
    private static readonly Key<Secret> ClientSecret = new("client-secret", new SecretShape(), "What proves it.") { Required = true, Example = "${env:TURNPIKE_TOKEN_SECRET}" };
    private static readonly Key<TimeSpan> Keep = new("keep", Shapes.Duration, "How long an answer is believed: so late may a revocation be noticed.") { Default = "30s", Example = "10s" };
    private static readonly Key<Introspection> Asked = new("introspection", new MapShape<Introspection>([Url, ClientId, ClientSecret, Audience, CallerClaim, Callers, ScopeClaim, Keep],
        m => new Introspection(m.Get(Url)!, m.Get(ClientId)!, m.Get(ClientSecret), m.Get(Audience, []), CallersOf(m)) { Keep = m.Get(Keep, TimeSpan.FromSeconds(30)) }), "A service that says whether a token is good (RFC 7662).") { Default = "nobody is asked", Example = "{ url: \"https://login.example.com/introspect\", client-id: turnpike, client-secret: \"${env:TURNPIKE_TOKEN_SECRET}\", audience: \"https://api.example.com\" }" };

    private static readonly Key<IReadOnlyList<Uri>> Agents = new("agents", new ListShape<Uri>(Shapes.Url, least: 1), "Whose signatures are looked at, by the address of their key directory.") { Default = "anybody's with a directory on the public internet", Example = "[\"https://agent.example.com\"]" };
    private static readonly Key<TimeSpan> MaxAge = new("max-age", Shapes.Duration, "How old a signature may be, at most 9m.") { Default = "5m", Example = "1m" };
    private static readonly Key<bool> Unlisted = new("callers", new ChoiceShape<bool>(("known", false), ("any", true)), "Whom a good signature makes a caller: those that 'signs-as' of callers names, or anybody, called agent:NAME.") { Default = "known", Example = "any" };
    private static readonly Key<WebBotAuthSettings> WebBots = new("web-bot-auth", new MapShape<WebBotAuthSettings>([Agents, Unlisted, MaxAge], BuildBots), "Agents that publish their keys (Web Bot Auth).") { Default = "not looked at", Example = "{ agents: [\"https://agent.example.com\"] }" };
    private static readonly Key<Uri> Register = new("keys", Shapes.Url, "The register's keys, a JSON Web Key Set.") { Required = true, Example = "https://register.example.com/keys" };
    private static readonly Key<TapSettings> Tap = new("tap", new MapShape<TapSettings>([Register, Unlisted], m => new TapSettings(m.Get(Register)!, m.Get(Unlisted))), "Agents of a payment network's register (Visa Trusted Agent Protocol).") { Default = "not looked at", Example = "{ keys: \"https://register.example.com/keys\" }" };
    private static readonly Key<WalletSettings> Wallets = new("erc8128", new MapShape<WalletSettings>([Unlisted], m => new WalletSettings(m.Get(Unlisted))), "Wallets that sign requests (ERC-8128).") { Default = "not looked at", Example = "{ callers: any }" };
    private static readonly Key<SignatureSettings> SignedRequests = new("signatures", new MapShape<SignatureSettings>([WebBots, Tap, Wallets], m => new SignatureSettings(m.Get(WebBots), m.Get(Tap), m.Get(Wallets))), "Whose signed requests (RFC 9421) are believed. A signature that is looked at and wrong is 401.") { Default = "none are looked at", Example = "{ erc8128: { callers: any } }" };

    private static readonly Key<IReadOnlyList<Uri>> Servers = new("authorization-servers", new ListShape<Uri>(Shapes.Url, least: 1), "Where callers get tokens; told at /.well-known/oauth-protected-resource.") { Default = "the issuers of jwt that are URLs", Example = "[\"https://login.example.com\"]" };

    private static readonly Key<bool> Nonces = new("dpop-nonces", Shapes.Flag, "DPoP proofs have to carry a nonce of ours: without, 401 use_dpop_nonce with one in DPoP-Nonce, good for five to ten minutes on every node.") { Default = "false", Example = "true" };

    private static readonly Key<string> Prefix = new("key-prefix", new ScalarShape<string>("a word of 2 to 16 lower-case letters and digits", (string t, out string? v) => KeyText.CheckPrefix(v = t), "^[a-z][a-z0-9]{1,15}$"), "What keys made here begin with, before an underscore; those made before stay good.") { Default = "tpk", Example = "acme" };

    private static readonly Key<IReadOnlyList<Secret>> VaultSecret = new("secret", new ListShape<Secret>(new SecretShape(32), oneAlone: true, least: 1), "Opens them; at least 32 bytes, one, or a list, current first.") { Required = true, Example = "${env:TURNPIKE_TOKEN_SECRET}" };
    private static readonly Key<KeyVault> Vault = new("retrievable-keys", new MapShape<KeyVault>([VaultSecret], m => new KeyVault(m.Get(VaultSecret, []))), "Keys may be made whose text can be shown again: it is kept in an envelope that only this secret opens. All others are told once.") { Default = "none can", Example = "{ secret: \"${env:TURNPIKE_TOKEN_SECRET}\" }" };

    private static readonly Key<IdentitySettings> Key = new("identity", new MapShape<IdentitySettings>([Prefix, Vault, Jwt, Asked, SignedRequests, Servers, Nonces], Build), "Who else is believed when it says who asks.") { Default = "nobody", Example = "{ authorization-servers: [\"https://login.example.com\"] }" };

    public static readonly Section Section = new(Scope.Document, Key) { Tell = catalog => Tell(catalog.Settings.Get<IdentitySettings>()) };

    private static JwtIssuer? BuildIssuer(MapValues m)
    {
        var shared = m.IsWritten(Shared);
        if (shared == m.IsWritten(Keys)) { m.At.Refuse("an issuer has either keys or a secret"); return null; }
        var algorithms = m.Get(Algorithms) ?? (shared ? ["HS256"] : Usual);
        // A public key taken for a shared secret would let anybody sign.
        if (algorithms.FirstOrDefault(a => Symmetric.Contains(a) != shared) is { } mixed) { m.Of(Algorithms).Refuse($"{mixed} does not go with {(shared ? "a secret" : "keys")}"); return null; }
        if (m.Get(Keys) is { Scheme: "http", IsLoopback: false }) { m.Of(Keys).Refuse("keys that are believed come over https; plain http is for loopback only"); return null; }
        foreach (var key in new Key[] { KyaService, KyaDomain, KyaEnvironment })
            if (m.IsWritten(key) && !m.Get(Kya)) { m.Of(key).Refuse("is said of kya tokens alone: write 'tokens: kya' beside it"); return null; }
        return new JwtIssuer(m.At.Name, m.Get(Issuer)!, m.Get(Audience, []), CallersOf(m)) { Keys = m.Get(Keys), Secret = shared ? m.Get(Shared) : null, Algorithms = algorithms, Skew = m.Get(Skew, TimeSpan.FromMinutes(1)), Kya = m.Get(Kya) ? new KyaTerms(m.Get(KyaService), m.Get(KyaDomain), m.Get(KyaEnvironment)) : null };
    }

    private static WebBotAuthSettings? BuildBots(MapValues m)
    {
        var age = m.Get(MaxAge, TimeSpan.FromMinutes(5));
        // Nonces are remembered for ten minutes.
        if (age > TimeSpan.FromMinutes(9)) { m.Of(MaxAge).Refuse("is longer than a signature may live; at most 9m"); return null; }
        return new WebBotAuthSettings(m.Get(Agents)?.Select(a => a.AbsolutePath == "/" ? new Uri(a, "/.well-known/http-message-signatures-directory") : a).ToList(), m.Get(Unlisted), age);
    }

    private static TokenCallers CallersOf(MapValues m) => new(m.Get(CallerClaim, TokenCallers.Default.Claim), m.Get(Callers), m.Get(ScopeClaim, TokenCallers.Default.Scopes));

    private static IdentitySettings? Build(MapValues m)
    {
        var issuers = m.Get(Jwt, []).Select(i => i.Value).ToList();
        foreach (var twice in issuers.GroupBy(i => i.Issuer).Where(g => g.Count() > 1)) m.Of(Jwt).Refuse($"'{Reading.Shown(twice.Key)}' is given twice");
        if (m.Get(Asked) is { Url: { Scheme: "http", IsLoopback: false } }) m.Of(Asked).Refuse("tokens and the client's secret go there: plain http is for loopback only");
        return new IdentitySettings
        {
            Issuers = issuers,
            TakesKya = issuers.Any(i => i.Kya is not null),
            KeyPrefix = m.Get(Prefix) is { } word ? word + "_" : KeyText.Prefix,
            Vault = m.Get(Vault),
            DpopNonces = m.Get(Nonces),
            Introspection = m.Get(Asked),
            Signatures = m.Get(SignedRequests),
            AuthorizationServers = m.Get(Servers) ?? [.. issuers.Select(i => Uri.TryCreate(i.Issuer, UriKind.Absolute, out var url) && url.Scheme == "https" ? url : null).OfType<Uri>()],
        };
    }

    private static IEnumerable<string> Tell(IdentitySettings? settings)
    {
        foreach (var issuer in settings?.Issuers ?? [])
            yield return $"{issuer.Name}: {(issuer.Kya is null ? "tokens" : "statements about agents")} of {issuer.Issuer} for {string.Join(" or ", issuer.Audience)} by {string.Join(", ", issuer.Algorithms)}, of {(issuer.Callers.Anybody ? "anybody" : "known callers")}";
        if (settings?.Introspection is { } asked) yield return $"other tokens are asked about at {asked.Url}, and answers kept for {Shapes.Tell(asked.Keep)}";
    }
}
