using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;

namespace Turnpike.Protocols.Evm;

/// <summary>secp256k1 in plain arithmetic for machines without the library: right but slow, and signing is not constant-time, so keys that matter want the library.</summary>
internal static class Secp256k1Managed
{
    private static readonly BigInteger P = Number("0FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F");
    private static readonly BigInteger N = Number("0FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141");
    private static readonly Point G = new(
        Number("079BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798"),
        Number("0483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8"),
        BigInteger.One);

    /// <summary>A point in Jacobian coordinates; Z of zero is infinity.</summary>
    private readonly record struct Point(BigInteger X, BigInteger Y, BigInteger Z)
    {
        public bool IsInfinity => Z.IsZero;
    }

    public static bool TryRecover(ReadOnlySpan<byte> hash32, ReadOnlySpan<byte> signature64, int parity, Span<byte> point64)
    {
        var (r, s) = (Read(signature64[..32]), Read(signature64[32..]));
        var square = Mod(BigInteger.ModPow(r, 3, P) + 7, P);
        var y = BigInteger.ModPow(square, (P + 1) / 4, P);
        if (Mod(y * y, P) != square) return false;
        if ((y.IsEven ? 0 : 1) != parity) y = P - y;
        var inverse = Inverse(r, N);
        var forG = Mod(-Read(hash32) * inverse, N);
        var key = Combine(forG, G, Mod(s * inverse, N), new Point(r, y, BigInteger.One));
        return !key.IsInfinity && Write(key, point64);
    }

    /// <summary>Writes r|s with low s and returns the parity of the nonce's point.</summary>
    public static int Sign(ReadOnlySpan<byte> hash32, ReadOnlySpan<byte> privateKey, Span<byte> signature64)
    {
        var (z, d) = (Mod(Read(hash32), N), Read(privateKey));
        foreach (var k in Nonces(privateKey.ToArray(), Bytes(z)))
        {
            var (x, y) = Affine(Combine(k, G, BigInteger.Zero, G));
            var s = Mod(Inverse(k, N) * (z + x * d), N);
            if (x >= N || s.IsZero) continue;
            var parity = y.IsEven ? 0 : 1;
            if (s > N / 2) (s, parity) = (N - s, 1 - parity);
            Bytes(x).CopyTo(signature64);
            Bytes(s).CopyTo(signature64[32..]);
            return parity;
        }
        throw new CryptographicException("The stream of nonces ended.");
    }

    public static void PublicKey(ReadOnlySpan<byte> privateKey, Span<byte> point64) =>
        Write(Combine(Read(privateKey), G, BigInteger.Zero, G), point64);

    /// <summary>RFC 6979 §3.2 with HMAC-SHA-256: the candidates for k, the first of which nearly always serves.</summary>
    private static IEnumerable<BigInteger> Nonces(byte[] key, byte[] hash)
    {
        byte[] v = [.. Enumerable.Repeat((byte)1, 32)];
        var k = Mac(new byte[32], [.. v, 0, .. key, .. hash]);
        v = Mac(k, v);
        k = Mac(k, [.. v, 1, .. key, .. hash]);
        v = Mac(k, v);
        while (true)
        {
            v = Mac(k, v);
            var candidate = Read(v);
            if (!candidate.IsZero && candidate < N) yield return candidate;
            k = Mac(k, [.. v, 0]);
            v = Mac(k, v);
        }
    }

    private static byte[] Mac(byte[] key, byte[] data) => HMACSHA256.HashData(key, data);

    /// <summary>a·p + b·q in one pass over the bits (Shamir's trick).</summary>
    private static Point Combine(BigInteger a, Point p, BigInteger b, Point q)
    {
        var both = Add(p, q);
        Point sum = default;
        for (var i = 255; i >= 0; i--)
        {
            sum = Double(sum);
            var (inA, inB) = (!((a >> i) & 1).IsZero, !((b >> i) & 1).IsZero);
            if (inA || inB) sum = Add(sum, inA && inB ? both : inA ? p : q);
        }
        return sum;
    }

    private static Point Double(Point p)
    {
        if (p.IsInfinity || p.Y.IsZero) return default;
        var yy = Mod(p.Y * p.Y, P);
        var s = Mod(4 * p.X * yy, P);
        var m = Mod(3 * p.X * p.X, P);
        var x = Mod(m * m - 2 * s, P);
        return new Point(x, Mod(m * (s - x) - 8 * yy * yy, P), Mod(2 * p.Y * p.Z, P));
    }

    private static Point Add(Point p, Point q)
    {
        if (p.IsInfinity) return q;
        if (q.IsInfinity) return p;
        var (pp, qq) = (Mod(p.Z * p.Z, P), Mod(q.Z * q.Z, P));
        var (u1, u2) = (Mod(p.X * qq, P), Mod(q.X * pp, P));
        var (s1, s2) = (Mod(p.Y * qq * q.Z, P), Mod(q.Y * pp * p.Z, P));
        if (u1 == u2) return s1 == s2 ? Double(p) : default;
        var (h, r) = (u2 - u1, s2 - s1);
        var hh = Mod(h * h, P);
        var hhh = Mod(h * hh, P);
        var v = Mod(u1 * hh, P);
        var x = Mod(r * r - hhh - 2 * v, P);
        return new Point(x, Mod(r * (v - x) - s1 * hhh, P), Mod(h * p.Z * q.Z, P));
    }

    private static (BigInteger X, BigInteger Y) Affine(Point p)
    {
        var inverse = Inverse(p.Z, P);
        var square = Mod(inverse * inverse, P);
        return (Mod(p.X * square, P), Mod(p.Y * square * inverse, P));
    }

    private static bool Write(Point p, Span<byte> point64)
    {
        var (x, y) = Affine(p);
        Bytes(x).CopyTo(point64);
        Bytes(y).CopyTo(point64[32..]);
        return true;
    }

    private static BigInteger Inverse(BigInteger value, BigInteger modulus) => BigInteger.ModPow(value, modulus - 2, modulus);

    private static BigInteger Mod(BigInteger value, BigInteger modulus)
    {
        var rest = value % modulus;
        return rest.Sign < 0 ? rest + modulus : rest;
    }

    private static BigInteger Read(ReadOnlySpan<byte> bytes) => new(bytes, isUnsigned: true, isBigEndian: true);

    private static byte[] Bytes(BigInteger value)
    {
        var bytes = new byte[32];
        var count = value.GetByteCount(isUnsigned: true);
        value.TryWriteBytes(bytes.AsSpan(32 - count), out _, isUnsigned: true, isBigEndian: true);
        return bytes;
    }

    private static BigInteger Number(string hex) => BigInteger.Parse(hex, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
