using System.Security.Cryptography;

namespace Turnpike.Protocols.Http;

/// <summary>The SHA-256 digest of a body, as RFC 9530 spells it (<c>sha-256=:…:</c>) and as MPP's clients do (<c>sha-256=…</c>).</summary>
public static class ContentDigest
{
    private const string Name = "sha-256=";

    /// <summary>The digest of <paramref name="body"/> in the colon form of RFC 9530 §2.</summary>
    public static string Compute(ReadOnlySpan<byte> body)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(body, hash);
        return string.Concat(Name, ":", Convert.ToBase64String(hash), ":");
    }

    /// <summary>True if every digest of the field that is known here (sha-256, sha-512) is that of the body, and there is one (RFC 9530 §2).</summary>
    public static bool Fits(string? digest, ReadOnlySpan<byte> body)
    {
        if (digest is null || Signatures.FieldReader.ReadDictionary(digest) is not { } members) return false;
        var known = 0;
        foreach (var (name, member) in members)
        {
            var expected = name switch { "sha-256" => SHA256.HashData(body), "sha-512" => SHA512.HashData(body), _ => null };
            if (expected is null) continue;
            if (member is not { Items: null, Item.Value: byte[] told } || !CryptographicOperations.FixedTimeEquals(expected, told)) return false;
            known++;
        }
        return known > 0;
    }

    /// <summary>
    /// The 32 bytes of the sha-256 member of <paramref name="digest"/>, which may be a list with other algorithms; in
    /// colon form or bare, padded or not. Null if there is none, more than one, or it is malformed.
    /// </summary>
    public static byte[]? Parse(string? digest)
    {
        byte[]? found = null;
        foreach (var range in digest.AsSpan().Split(','))
        {
            var member = digest.AsSpan()[range].Trim(" \t");
            if (!member.StartsWith(Name, StringComparison.OrdinalIgnoreCase)) continue;
            if (found is not null) return null;
            var value = member[Name.Length..];
            if (value.StartsWith(':'))
            {
                if (value.Length < 2 || !value.EndsWith(':')) return null;
                value = value[1..^1];
            }
            found = Base64Url.DecodeLenient(value);
            if (found is not { Length: SHA256.HashSizeInBytes }) return null;
        }
        return found;
    }

    /// <summary>True if <paramref name="digest"/> is, in either form, the digest of <paramref name="body"/>; compared in constant time.</summary>
    public static bool Matches(string? digest, ReadOnlySpan<byte> body)
    {
        if (Parse(digest) is not { } expected) return false;
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(body, hash);
        return CryptographicOperations.FixedTimeEquals(hash, expected);
    }
}
