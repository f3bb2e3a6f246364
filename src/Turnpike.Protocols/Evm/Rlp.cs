namespace Turnpike.Protocols.Evm;

/// <summary>Recursive length prefix, Ethereum's encoding of byte strings and lists (Yellow Paper, appendix B); writing only.</summary>
public static class Rlp
{
    /// <summary>A byte string.</summary>
    public static byte[] Encode(ReadOnlySpan<byte> bytes) =>
        bytes is [< 0x80] ? bytes.ToArray() : [.. Prefix(0x80, bytes.Length), .. bytes];

    /// <summary>A number: big-endian without leading zeros, zero being the empty string.</summary>
    public static byte[] Encode(UInt256 number)
    {
        Span<byte> word = stackalloc byte[32];
        number.WriteBigEndian(word);
        return Encode(word.TrimStart((byte)0));
    }

    /// <summary>A list of items that are encoded already.</summary>
    public static byte[] EncodeList(params IReadOnlyCollection<byte[]> encodedItems)
    {
        var length = encodedItems.Sum(static item => item.Length);
        return [.. Prefix(0xC0, length), .. encodedItems.SelectMany(static item => item)];
    }

    private static byte[] Prefix(byte offset, int length)
    {
        if (length <= 55) return [(byte)(offset + length)];
        Span<byte> size = stackalloc byte[4];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(size, length);
        var digits = size.TrimStart((byte)0);
        return [(byte)(offset + 55 + digits.Length), .. digits];
    }
}
