using System.Security.Cryptography;
using Turnpike.Protocols.Signing;

namespace Turnpike.Protocols.Signatures;

/// <summary>The algorithms of RFC 9421 §3.3 and the keys they go with. Where a signature names none, the key decides.</summary>
public static class SignatureAlgorithms
{
    /// <summary>Is this signature by this key? An algorithm that is named has to be one the key takes.</summary>
    public static bool IsSignedBy(this MessageSignature signature, PublicKey key) =>
        signature.Base is { } signed && JoseOf(signature.Algorithm, key.Type) is { } algorithm && key.Verifies(algorithm, signed, signature.Signature);

    /// <summary>hmac-sha256, with a secret both sides have.</summary>
    public static bool IsSignedBy(this MessageSignature signature, ReadOnlySpan<byte> secret) =>
        signature is { Base: { } signed, Algorithm: null or "hmac-sha256" } && CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(secret, signed), signature.Signature);

    private static string? JoseOf(string? algorithm, string type) => (algorithm, type) switch
    {
        (null or "ed25519", "Ed25519") => "EdDSA",
        (null or "ecdsa-p256-sha256", "P-256") => "ES256",
        (null or "ecdsa-p384-sha384", "P-384") => "ES384",
        (null or "rsa-pss-sha512", "RSA") => "PS512",
        ("rsa-v1_5-sha256", "RSA") => "RS256",
        _ => null,
    };
}
