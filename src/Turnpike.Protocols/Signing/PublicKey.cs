using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Turnpike.Protocols.Http;

namespace Turnpike.Protocols.Signing;

/// <summary>
/// Somebody else's public key, from a JSON Web Key (RFC 7517, 8037): RSA of at least 2048 bits, P-256, P-384, P-521 or Ed25519. The
/// key decides which algorithms it may be used with; a document that names another is refused (RFC 8725 §3.1).
/// </summary>
public sealed class PublicKey
{
    private const int LeastRsaBits = 2048, MostRsaBits = 8192;
    private readonly Lock guard = new();
    private readonly AsymmetricAlgorithm? key;
    private readonly byte[]? edwards;
    private readonly string? only;

    private PublicKey(string type, string members, AsymmetricAlgorithm? key, byte[]? edwards, string? id, string? only)
    {
        (Type, this.key, this.edwards, this.only) = (type, key, edwards, only);
        Thumbprint = Base64Url.Encode(SHA256.HashData(Encoding.UTF8.GetBytes(members)));
        Id = id ?? Thumbprint;
    }

    /// <summary><c>RSA</c>, <c>P-256</c>, <c>P-384</c>, <c>P-521</c> or <c>Ed25519</c>.</summary>
    public string Type { get; }

    /// <summary>RFC 7638 with SHA-256, base64url: nobody can give another key this name.</summary>
    public string Thumbprint { get; }

    /// <summary>What its set calls it; the thumbprint when the set says nothing.</summary>
    public string Id { get; }

    /// <summary>The key; null for what is none, is private or symmetric, is too weak, or is not for signatures.</summary>
    public static PublicKey? Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object || Text(json, "use") is not (null or "sig") || json.TryGetProperty("d", out _) || json.TryGetProperty("k", out _)) return null;
        var (id, only) = (Text(json, "kid"), Text(json, "alg"));
        try
        {
            return Text(json, "kty") switch
            {
                "RSA" => ReadRsa(json, id, only),
                "EC" => ReadCurve(json, id, only),
                "OKP" => Text(json, "crv") == "Ed25519" && Bytes(json, "x") is { Length: Ed25519.KeyLength } x ? new PublicKey("Ed25519", $$"""{"crv":"Ed25519","kty":"OKP","x":"{{Base64Url.Encode(x)}}"}""", null, x, id, only) : null,
                _ => null,
            };
        }
        catch (CryptographicException)
        {
            return null; // no point of its curve, or numbers that are no key
        }
    }

    /// <summary>The keys of a set (RFC 7517 §5) that can be used, at most <paramref name="most"/>; null for what is no set.</summary>
    public static IReadOnlyList<PublicKey>? ReadSet(ReadOnlySpan<byte> json, int most) =>
        StrictJson.Parse(json) is { ValueKind: JsonValueKind.Object } set && set.TryGetProperty("keys", out var keys) && keys.ValueKind == JsonValueKind.Array && keys.GetArrayLength() <= most
            ? [.. keys.EnumerateArray().Select(Read).OfType<PublicKey>()]
            : null;

    /// <summary>May it be used with this algorithm, by its JOSE name (RFC 7518, 8037)?</summary>
    public bool Takes(string algorithm) => (only is null || only == algorithm || Type == "Ed25519" && only is "EdDSA" or "Ed25519") && (algorithm, Type) is
        ("RS256" or "RS384" or "RS512" or "PS256" or "PS384" or "PS512", "RSA") or ("ES256", "P-256") or ("ES384", "P-384") or ("ES512", "P-521") or ("EdDSA" or "Ed25519", "Ed25519");

    /// <summary>False also for an algorithm this key does not take. ECDSA signatures are r and s side by side.</summary>
    public bool Verifies(string algorithm, ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature)
    {
        if (!Takes(algorithm)) return false;
        if (edwards is not null) return Ed25519.Verify(edwards, signed, signature);
        var hash = algorithm[2..] switch { "256" => HashAlgorithmName.SHA256, "384" => HashAlgorithmName.SHA384, _ => HashAlgorithmName.SHA512 };
        lock (guard)
        {
            return key switch
            {
                RSA rsa => rsa.VerifyData(signed, signature, hash, algorithm[0] == 'P' ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1),
                ECDsa curve => curve.VerifyData(signed, signature, hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation),
                _ => false,
            };
        }
    }

    private static PublicKey? ReadRsa(JsonElement json, string? id, string? only)
    {
        if (Bytes(json, "n") is not { } n || Bytes(json, "e") is not { Length: > 0 and <= 8 } e || n.Length * 8 is < LeastRsaBits or > MostRsaBits) return null;
        return new PublicKey("RSA", $$"""{"e":"{{Base64Url.Encode(e)}}","kty":"RSA","n":"{{Base64Url.Encode(n)}}"}""", RSA.Create(new RSAParameters { Modulus = n, Exponent = e }), null, id, only);
    }

    private static PublicKey? ReadCurve(JsonElement json, string? id, string? only)
    {
        var name = Text(json, "crv");
        (ECCurve Curve, int Length)? known = name switch { "P-256" => (ECCurve.NamedCurves.nistP256, 32), "P-384" => (ECCurve.NamedCurves.nistP384, 48), "P-521" => (ECCurve.NamedCurves.nistP521, 66), _ => null };
        if (known is not { } curve || Bytes(json, "x") is not { } x || Bytes(json, "y") is not { } y || x.Length != curve.Length || y.Length != curve.Length) return null;
        return new PublicKey(name!, $$"""{"crv":"{{name}}","kty":"EC","x":"{{Base64Url.Encode(x)}}","y":"{{Base64Url.Encode(y)}}"}""", ECDsa.Create(new ECParameters { Curve = curve.Curve, Q = new ECPoint { X = x, Y = y } }), null, id, only);
    }

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static byte[]? Bytes(JsonElement json, string name) => Text(json, name) is { } text ? Base64Url.Decode(text) : null;
}
