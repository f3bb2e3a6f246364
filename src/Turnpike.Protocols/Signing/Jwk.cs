using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Turnpike.Protocols.Http;

namespace Turnpike.Protocols.Signing;

/// <summary>A public key on P-256, as a JSON Web Key (RFC 7517). Its id is its thumbprint (RFC 7638): nobody can give another key its name.</summary>
public sealed class Jwk
{
    public const int CoordinateLength = 32;

    private readonly byte[] x;
    private readonly byte[] y;

    private Jwk(byte[] x, byte[] y)
    {
        (this.x, this.y) = (x, y);
        Id = Base64Url.Encode(SHA256.HashData(Encoding.UTF8.GetBytes($$"""{"crv":"P-256","kty":"EC","x":"{{Base64Url.Encode(x)}}","y":"{{Base64Url.Encode(y)}}"}""")));
    }

    /// <summary>RFC 7638 thumbprint with SHA-256, base64url.</summary>
    public string Id { get; }

    /// <summary>The key of these parameters; only P-256.</summary>
    public static Jwk Of(ECParameters parameters) => new(parameters.Q.X!, parameters.Q.Y!);

    /// <summary>A key to check ES256 signatures with; null for any other, which a set may also hold (RFC 7517 §5).</summary>
    public static Jwk? Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object || !Is(json, "kty", "EC") || !Is(json, "crv", "P-256")) return null;
        if (json.TryGetProperty("use", out _) && !Is(json, "use", "sig") || json.TryGetProperty("alg", out _) && !Is(json, "alg", Jws.Algorithm)) return null;
        if (Coordinate(json, "x") is not { } x || Coordinate(json, "y") is not { } y) return null;
        var key = new Jwk(x, y);
        if (json.TryGetProperty("kid", out _) && !Is(json, "kid", key.Id)) return null;
        try
        {
            key.Open().Dispose();
            return key;
        }
        catch (CryptographicException)
        {
            return null; // not a point of the curve
        }
    }

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("kty", "EC");
        json.WriteString("crv", "P-256");
        json.WriteString("x", Base64Url.Encode(x));
        json.WriteString("y", Base64Url.Encode(y));
        json.WriteString("kid", Id);
        json.WriteString("use", "sig");
        json.WriteString("alg", Jws.Algorithm);
        json.WriteEndObject();
    }

    /// <summary>ES256 over these bytes: r and s, 32 bytes each (RFC 7518 §3.4).</summary>
    public bool Verifies(ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != 2 * CoordinateLength) return false;
        using var key = Open();
        return key.VerifyData(signed, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    private ECDsa Open() => ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = x, Y = y } });

    private static byte[]? Coordinate(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && Base64Url.Decode(value.GetString()) is { Length: CoordinateLength } bytes ? bytes : null;

    private static bool Is(JsonElement json, string name, string expected) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.ValueEquals(expected);
}
