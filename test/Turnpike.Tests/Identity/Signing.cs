using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Turnpike.Protocols.Evm;
using Turnpike.Protocols.Http;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Identity;

/// <summary>An agent with a key of its own, signing requests as the standards say, by code that is not the gate's.</summary>
internal sealed class Signing
{
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public static readonly byte[] WalletKey = Hex.Decode("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d")!;

    public string Jwk
    {
        get
        {
            var q = key.ExportParameters(false).Q;
            return $$"""{"crv":"P-256","kty":"EC","x":"{{Base64Url.Encode(q.X)}}","y":"{{Base64Url.Encode(q.Y)}}"}""";
        }
    }

    public string Thumbprint => Base64Url.Encode(SHA256.HashData(Encoding.UTF8.GetBytes(Jwk)));

    public string Directory => $$"""{"keys":[{{Jwk}}]}""";

    public byte[] Sign(byte[] bytes) => key.SignData(bytes, HashAlgorithmName.SHA256);

    public static byte[] SignByWallet(byte[] bytes) => Secp256k1.Sign(Keccak.Hash([.. Encoding.ASCII.GetBytes($"\u0019Ethereum Signed Message:\n{bytes.Length}"), .. bytes]), WalletKey);

    /// <summary>The two headers over these components; a value is given with each.</summary>
    public static (string, string?)[] Headers(Func<byte[], byte[]> sign, string parameters, params (string Component, string Value)[] covered)
    {
        var input = $"({string.Join(' ', covered.Select(c => c.Component))}){parameters}";
        var text = string.Concat(covered.Select(c => $"{c.Component}: {c.Value}\n")) + "\"@signature-params\": " + input;
        return [("Signature-Input", "sig=" + input), ("Signature", $"sig=:{Convert.ToBase64String(sign(Encoding.ASCII.GetBytes(text)))}:")];
    }

    /// <summary>A DPoP proof; a claim may be changed, null takes it away.</summary>
    public string Dpop(string url, string? token = null, string? name = null, object? value = null, string? header = null)
    {
        var claims = new Dictionary<string, object?> { ["jti"] = Guid.CreateVersion7(new ManualTime().GetUtcNow()).ToString(), ["htm"] = "GET", ["htu"] = url, ["iat"] = new ManualTime().GetUtcNow().ToUnixTimeSeconds() };
        if (token is not null) claims["ath"] = Base64Url.Encode(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        if (name is not null) claims[name] = value;
        var signed = $"{Issuer.Part(header ?? $$"""{"typ":"dpop+jwt","alg":"ES256","jwk":{{Jwk}}}""")}.{Issuer.Part(JsonSerializer.Serialize(claims.Where(c => c.Value is not null).ToDictionary()))}";
        return $"{signed}.{Base64Url.Encode(Sign(Encoding.ASCII.GetBytes(signed)))}";
    }
}
