using System.Buffers.Binary;
using System.Numerics;

namespace System.IO.Hashing;

/// <summary>The one type YARP needs of the missing package: XXH64 of a buffer, for session affinity keys.</summary>
public static class XxHash64
{
    private const ulong Prime1 = 11400714785074694791, Prime2 = 14029467366897019727, Prime3 = 1609587929392839161;
    private const ulong Prime4 = 9650029242287828579, Prime5 = 2870177450012600261;

    /// <summary>The 64-bit hash of <paramref name="source"/>, eight bytes, big-endian.</summary>
    public static byte[] Hash(ReadOnlySpan<byte> source)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, HashToUInt64(source));
        return bytes;
    }

    /// <summary>The 64-bit hash of <paramref name="source"/>.</summary>
    public static ulong HashToUInt64(ReadOnlySpan<byte> source, long seed = 0)
    {
        var length = (ulong)source.Length;
        var start = (ulong)seed;
        ulong hash;
        if (source.Length >= 32)
        {
            var (a, b, c, d) = (start + Prime1 + Prime2, start + Prime2, start, start - Prime1);
            for (; source.Length >= 32; source = source[32..])
            {
                a = Round(a, BinaryPrimitives.ReadUInt64LittleEndian(source));
                b = Round(b, BinaryPrimitives.ReadUInt64LittleEndian(source[8..]));
                c = Round(c, BinaryPrimitives.ReadUInt64LittleEndian(source[16..]));
                d = Round(d, BinaryPrimitives.ReadUInt64LittleEndian(source[24..]));
            }
            hash = BitOperations.RotateLeft(a, 1) + BitOperations.RotateLeft(b, 7) + BitOperations.RotateLeft(c, 12) + BitOperations.RotateLeft(d, 18);
            hash = Merge(Merge(Merge(Merge(hash, a), b), c), d);
        }
        else
        {
            hash = start + Prime5;
        }
        return Finish(hash + length, source);
    }

    private static ulong Finish(ulong hash, ReadOnlySpan<byte> tail)
    {
        for (; tail.Length >= 8; tail = tail[8..])
            hash = BitOperations.RotateLeft(hash ^ Round(0, BinaryPrimitives.ReadUInt64LittleEndian(tail)), 27) * Prime1 + Prime4;
        if (tail.Length >= 4)
        {
            hash = BitOperations.RotateLeft(hash ^ BinaryPrimitives.ReadUInt32LittleEndian(tail) * Prime1, 23) * Prime2 + Prime3;
            tail = tail[4..];
        }
        foreach (var value in tail) hash = BitOperations.RotateLeft(hash ^ value * Prime5, 11) * Prime1;
        hash = (hash ^ hash >> 33) * Prime2;
        hash = (hash ^ hash >> 29) * Prime3;
        return hash ^ hash >> 32;
    }

    private static ulong Round(ulong acc, ulong lane) => BitOperations.RotateLeft(acc + lane * Prime2, 31) * Prime1;

    private static ulong Merge(ulong hash, ulong lane) => (hash ^ Round(0, lane)) * Prime1 + Prime4;
}
