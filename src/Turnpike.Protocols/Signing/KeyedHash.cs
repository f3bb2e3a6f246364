using System.Security.Cryptography;

namespace Turnpike.Protocols.Signing;

/// <summary>
/// HMAC-SHA-256 (RFC 2104) under keys that are used with every call: each thread keeps a few hashes that have their key worked in
/// already. One that is made for a single message costs more than twice as much.
/// </summary>
public static class KeyedHash
{
    /// <summary>Bytes of what <see cref="Hash"/> writes.</summary>
    public const int Length = HMACSHA256.HashSizeInBytes;

    private const int MostKept = 8;

    [ThreadStatic]
    private static (byte[] Key, IncrementalHash Hash)[]? kept;

    [ThreadStatic]
    private static int next;

    /// <param name="key">Told from others by being this array: its bytes never change.</param>
    /// <param name="mac">At least <see cref="Length"/> bytes.</param>
    public static void Hash(byte[] key, ReadOnlySpan<byte> message, Span<byte> mac)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(mac.Length, Length); // before anything of the message is in the hash, which others use after us
        var hash = For(key);
        hash.AppendData(message);
        hash.GetHashAndReset(mac);
    }

    private static IncrementalHash For(byte[] key)
    {
        var all = kept ??= new (byte[], IncrementalHash)[MostKept];
        foreach (var (known, hash) in all)
            if (ReferenceEquals(known, key)) return hash;
        var made = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        next = (next + 1) % MostKept;
        all[next].Hash?.Dispose();
        all[next] = (key, made);
        return made;
    }
}
