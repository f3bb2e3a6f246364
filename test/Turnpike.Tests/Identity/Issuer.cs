using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Turnpike.Protocols.Http;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Identity;

/// <summary>Somebody who signs tokens, and publishes keys at login.test.</summary>
internal sealed class Issuer
{
    public const string Config = """
        identity:
          jwt:
            login: { issuer: "https://login.test", audience: ["https://api.test", second], keys: "https://login.test/jwks.json", algorithms: [ES256, RS256] }
            guests: { issuer: "https://guests.test", audience: "https://api.test", keys: "https://guests.test/jwks.json", algorithms: [ES256], callers: any, caller: client.id }
            shared: { issuer: shared, audience: "https://api.test", secret: "${env:TURNPIKE_TOKEN_SECRET}" }
        callers: { analyst: { keys: ["${env:AGENT_KEY}"], scopes: [companies:read, companies:export] } }

        """;

    private readonly ECDsa curve = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly RSA rsa = RSA.Create(2048);

    /// <summary>How often its keys were fetched.</summary>
    public int Fetched { get; private set; }

    public string KeyId { get; set; } = "k1";

    public ECDsa Curve => curve;

    public RSA Rsa => rsa;

    public string Jwks
    {
        get
        {
            var (q, n) = (curve.ExportParameters(false).Q, rsa.ExportParameters(false));
            return $$"""{"keys":[{"kty":"EC","crv":"P-256","x":"{{Base64Url.Encode(q.X)}}","y":"{{Base64Url.Encode(q.Y)}}","kid":"{{KeyId}}"},{"kty":"RSA","n":"{{Base64Url.Encode(n.Modulus)}}","e":"{{Base64Url.Encode(n.Exponent)}}","kid":"r1","use":"sig"},{"kty":"oct","k":"c2VjcmV0","kid":"o1"}]}""";
        }
    }

    /// <summary>Claims of a good token, one of them changed; null takes it away.</summary>
    public static Dictionary<string, object?> Claims(string? name = null, object? value = null)
    {
        var now = new ManualTime().GetUtcNow().ToUnixTimeSeconds();
        var claims = new Dictionary<string, object?> { ["iss"] = "https://login.test", ["sub"] = "analyst", ["aud"] = "https://api.test", ["exp"] = now + 600, ["iat"] = now };
        if (name is not null) claims[name] = value;
        return claims;
    }

    public HttpResponseMessage Answer(HttpRequestMessage request)
    {
        Fetched++;
        return request.RequestUri!.AbsolutePath == "/jwks.json" ? new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(Jwks, Encoding.UTF8, "application/json") } : new HttpResponseMessage(HttpStatusCode.NotFound);
    }

    public string Sign(Dictionary<string, object?> claims, string? header = null) => Sign(JsonSerializer.Serialize(claims.Where(c => c.Value is not null).ToDictionary()), header);

    public string Sign(string claims, string? header = null)
    {
        header ??= $$"""{"alg":"ES256","kid":"{{KeyId}}"}""";
        var signed = $"{Part(header)}.{Part(claims)}";
        var algorithm = JsonDocument.Parse(header).RootElement.GetProperty("alg").GetString()!;
        var bytes = Encoding.ASCII.GetBytes(signed);
        var signature = algorithm.StartsWith("RS", StringComparison.Ordinal) ? rsa.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1) : curve.SignData(bytes, HashAlgorithmName.SHA256);
        return $"{signed}.{Base64Url.Encode(signature)}";
    }

    /// <summary>A token under HMAC, with whatever is taken for the secret.</summary>
    public static string SignWith(byte[] secret, Dictionary<string, object?> claims, string header = """{"alg":"HS256"}""")
    {
        var signed = $"{Part(header)}.{Part(JsonSerializer.Serialize(claims))}";
        return $"{signed}.{Base64Url.Encode(HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes(signed)))}";
    }

    public static string Part(string json) => Base64Url.Encode(Encoding.UTF8.GetBytes(json));

    /// <summary>A gate that believes this issuer.</summary>
    public TestGate Gate(string document = TestGate.Document)
    {
        var gate = new TestGate(Config, document);
        gate.Sites["login.test"] = gate.Sites["guests.test"] = Answer;
        return gate;
    }

    public static async Task<Told> AskAsync(Dictionary<string, object?> claims)
    {
        var issuer = new Issuer();
        using var gate = issuer.Gate();
        return await gate.GetAsync("/status", ("Authorization", "Bearer " + issuer.Sign(claims)));
    }
}
