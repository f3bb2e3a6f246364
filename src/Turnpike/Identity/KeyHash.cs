using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Turnpike.Identity;

/// <summary>
/// What is known of a key: SHA-256 of its text. At rest it is hashed once more under a key of the installation, so that a stolen
/// table cannot be searched for weak keys; imported hashes are plain SHA-256 and end up the same.
/// </summary>
internal readonly record struct KeyHash(UInt128 High, UInt128 Low)
{
    /// <summary>How an imported hash is written: <c>sha256:</c> and 64 hex digits.</summary>
    public const string Written = "sha256:";

    public static KeyHash Of(ReadOnlySpan<char> text)
    {
        var most = Encoding.UTF8.GetMaxByteCount(text.Length);
        var rented = most > 512 ? ArrayPool<byte>.Shared.Rent(most) : null;
        Span<byte> bytes = rented ?? stackalloc byte[512], hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes[..Encoding.UTF8.GetBytes(text, bytes)], hash);
        if (rented is not null) ArrayPool<byte>.Shared.Return(rented, clearArray: true);
        return Read(hash);
    }

    /// <summary>The hash written as <c>sha256:…</c>, or null.</summary>
    public static KeyHash? Parse(string text)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        return text.StartsWith(Written, StringComparison.Ordinal) && text.Length == Written.Length + 64
            && Convert.FromHexString(text.AsSpan(Written.Length), hash, out _, out var written) == OperationStatus.Done && written == hash.Length ? Read(hash) : null;
    }

    /// <summary>As it is kept and looked up: whoever presents a key cannot steer which bytes an index compares.</summary>
    public KeyHash Under(byte[] secret)
    {
        Span<byte> mine = stackalloc byte[SHA256.HashSizeInBytes], kept = stackalloc byte[SHA256.HashSizeInBytes];
        Write(mine);
        HMACSHA256.HashData(secret, mine, kept);
        return Read(kept);
    }

    public byte[] ToBytes()
    {
        var bytes = new byte[SHA256.HashSizeInBytes];
        Write(bytes);
        return bytes;
    }

    public override string ToString() => "***";

    private void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt128BigEndian(to, High);
        BinaryPrimitives.WriteUInt128BigEndian(to[16..], Low);
    }

    public static KeyHash Read(ReadOnlySpan<byte> hash) => new(BinaryPrimitives.ReadUInt128BigEndian(hash), BinaryPrimitives.ReadUInt128BigEndian(hash[16..]));
}
