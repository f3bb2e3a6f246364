using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Turnpike.Tests")]
[assembly: InternalsVisibleTo("Turnpike.Bench")]

namespace Turnpike.Protocols.Evm;

/// <summary>ECDSA over secp256k1 the way tokens check it on chain: low s and v of 27 or 28 only. By the system's libsecp256k1, or managed code without it.</summary>
public static class Secp256k1
{
    /// <summary>Bytes in r|s|v.</summary>
    public const int SignatureLength = 65;

    private static ReadOnlySpan<byte> Order =>
    [
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE,
        0xBA, 0xAE, 0xDC, 0xE6, 0xAF, 0x48, 0xA0, 0x3B, 0xBF, 0xD2, 0x5E, 0x8C, 0xD0, 0x36, 0x41, 0x41,
    ];

    private static ReadOnlySpan<byte> HalfOrder =>
    [
        0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0x5D, 0x57, 0x6E, 0x73, 0x57, 0xA4, 0x50, 0x1D, 0xDF, 0xE9, 0x2F, 0x46, 0x68, 0x1B, 0x20, 0xA0,
    ];

    /// <summary>True when libsecp256k1 was found on this machine.</summary>
    public static bool IsNative => Secp256k1Native.IsAvailable;

    /// <summary>Recovers the signer of a 32-byte hash; false for every signature a token would refuse.</summary>
    public static bool TryRecover(ReadOnlySpan<byte> hash32, ReadOnlySpan<byte> signature65, out Address signer) =>
        Recover(hash32, signature65, out signer) == SignatureCheck.Ok;

    /// <summary>Recovers the signer of a 32-byte hash, or says why not. Allocates nothing with the native library; safe from many threads.</summary>
    public static SignatureCheck Recover(ReadOnlySpan<byte> hash32, ReadOnlySpan<byte> signature65, out Address signer) =>
        Recover(hash32, signature65, IsNative, out signer);

    /// <summary>r|s|v (v is 27 or 28, s is low), with the deterministic nonce of RFC 6979. Throws <see cref="ArgumentException"/> on a key outside 1..n-1.</summary>
    public static byte[] Sign(ReadOnlySpan<byte> hash32, ReadOnlySpan<byte> privateKey) => Sign(hash32, privateKey, IsNative);

    /// <summary>The address of a private key. Throws <see cref="ArgumentException"/> on a key outside 1..n-1.</summary>
    public static Address AddressOf(ReadOnlySpan<byte> privateKey) => AddressOf(privateKey, IsNative);

    internal static SignatureCheck Recover(ReadOnlySpan<byte> hash32, ReadOnlySpan<byte> signature65, bool native, out Address signer)
    {
        signer = default;
        if (hash32.Length != 32) throw new ArgumentException("A hash has 32 bytes.", nameof(hash32));
        if (signature65.Length != SignatureLength) return SignatureCheck.BadLength;
        if (signature65[64] is not (27 or 28)) return SignatureCheck.BadV;
        var r = signature65[..32];
        var s = signature65[32..64];
        if (!IsScalar(r) || !IsScalar(s)) return SignatureCheck.OutOfRange;
        if (s.SequenceCompareTo(HalfOrder) > 0) return SignatureCheck.HighS;

        Span<byte> point = stackalloc byte[64];
        var parity = signature65[64] - 27;
        var found = native
            ? Secp256k1Native.TryRecover(hash32, signature65[..64], parity, point)
            : Secp256k1Managed.TryRecover(hash32, signature65[..64], parity, point);
        if (!found) return SignatureCheck.NotRecoverable;
        signer = AddressOfPoint(point);
        return SignatureCheck.Ok;
    }

    internal static byte[] Sign(ReadOnlySpan<byte> hash32, ReadOnlySpan<byte> privateKey, bool native)
    {
        if (hash32.Length != 32) throw new ArgumentException("A hash has 32 bytes.", nameof(hash32));
        CheckKey(privateKey);
        var signature = new byte[SignatureLength];
        // An r that wrapped around the order needs v 29 or 30, which no token takes; the managed signer takes its next nonce then.
        if (!native || !Secp256k1Native.Sign(hash32, privateKey, signature.AsSpan(0, 64), out var parity) || parity > 1)
            parity = Secp256k1Managed.Sign(hash32, privateKey, signature.AsSpan(0, 64));
        signature[64] = (byte)(27 + parity);
        return signature;
    }

    internal static Address AddressOf(ReadOnlySpan<byte> privateKey, bool native)
    {
        CheckKey(privateKey);
        Span<byte> point = stackalloc byte[64];
        if (!native || !Secp256k1Native.TryPublicKey(privateKey, point)) Secp256k1Managed.PublicKey(privateKey, point);
        return AddressOfPoint(point);
    }

    private static Address AddressOfPoint(ReadOnlySpan<byte> point)
    {
        Span<byte> hash = stackalloc byte[Keccak.Size];
        Keccak.Hash(point, hash);
        return new Address(hash[12..]);
    }

    private static bool IsScalar(ReadOnlySpan<byte> bytes) => bytes.ContainsAnyExcept((byte)0) && bytes.SequenceCompareTo(Order) < 0;

    private static void CheckKey(ReadOnlySpan<byte> privateKey)
    {
        if (privateKey.Length != 32 || !IsScalar(privateKey))
            throw new ArgumentException("A private key is 32 bytes, above zero and below the group order.", nameof(privateKey));
    }
}
