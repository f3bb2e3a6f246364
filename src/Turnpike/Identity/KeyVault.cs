using System.Security.Cryptography;
using System.Text;
using Turnpike.Catalog;

namespace Turnpike.Identity;

/// <summary>
/// Texts of keys whose owner wants to see them again, in envelopes: each text under a key of its own (AES-256-GCM), and that under a
/// secret of the configuration, so that the database alone opens nothing. The key's id is authenticated with both: an envelope moved to another row does not open.
/// </summary>
/// <param name="secrets">The current one first; those before it still open.</param>
internal sealed class KeyVault(IReadOnlyList<Secret> secrets)
{
    private const int KeyBytes = 32, Nonce = 12, Tag = 16, Wrapped = Nonce + KeyBytes + Tag;
    private readonly byte[][] keys = [.. secrets.Select(s => HKDF.DeriveKey(HashAlgorithmName.SHA256, s.Bytes(), KeyBytes, info: "turnpike retrievable keys"u8.ToArray()))];

    /// <summary>The wrapped key, then the text under it; each is nonce, bytes, tag.</summary>
    public byte[] Seal(string id, string text)
    {
        var own = RandomNumberGenerator.GetBytes(KeyBytes);
        return [.. Seal(keys[0], id, own), .. Seal(own, id, Encoding.UTF8.GetBytes(text))];
    }

    /// <summary>Null: sealed under a secret that is not configured any more, or for another key.</summary>
    public string? Open(string id, ReadOnlySpan<byte> envelope)
    {
        if (envelope.Length <= Wrapped + Nonce + Tag) return null;
        foreach (var key in keys)
            if (Open(key, id, envelope[..Wrapped]) is { } own && Open(own, id, envelope[Wrapped..]) is { } text) return Encoding.UTF8.GetString(text);
        return null;
    }

    private static byte[] Seal(byte[] key, string id, byte[] plain)
    {
        var sealedBytes = new byte[Nonce + plain.Length + Tag];
        RandomNumberGenerator.Fill(sealedBytes.AsSpan(0, Nonce));
        using var aes = new AesGcm(key, Tag);
        aes.Encrypt(sealedBytes.AsSpan(0, Nonce), plain, sealedBytes.AsSpan(Nonce, plain.Length), sealedBytes.AsSpan(Nonce + plain.Length), Encoding.UTF8.GetBytes(id));
        return sealedBytes;
    }

    private static byte[]? Open(byte[] key, string id, ReadOnlySpan<byte> from)
    {
        var plain = new byte[from.Length - Nonce - Tag];
        using var aes = new AesGcm(key, Tag);
        try { aes.Decrypt(from[..Nonce], from[Nonce..^Tag], from[^Tag..], plain, Encoding.UTF8.GetBytes(id)); }
        catch (AuthenticationTagMismatchException) { return null; }
        return plain;
    }
}
