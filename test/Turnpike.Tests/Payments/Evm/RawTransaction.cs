using System.Globalization;
using System.Numerics;
using Turnpike.Protocols.Evm;

namespace Turnpike.Tests.Payments.Evm;

/// <summary>A signed type-2 transaction, read back: what a node would see in it.</summary>
internal sealed record RawTransaction(ulong ChainId, ulong Nonce, UInt128 Tip, UInt128 MaxFee, ulong Gas, Address To, byte[] Data)
{
    public static RawTransaction Decode(byte[] raw)
    {
        raw[0].ShouldBe((byte)2);
        var items = new List<byte[]>();
        var rest = Item(raw.AsSpan(1), out _).ToArray().AsSpan();
        while (rest.Length > 0)
        {
            items.Add(Item(rest, out var length).ToArray());
            rest = rest[length..];
        }
        return new RawTransaction((ulong)Number(items[0]), (ulong)Number(items[1]), Number(items[2]), Number(items[3]), (ulong)Number(items[4]), new Address(items[5]), items[7]);
    }

    private static ReadOnlySpan<byte> Item(ReadOnlySpan<byte> bytes, out int total)
    {
        var first = bytes[0];
        if (first < 0x80) { total = 1; return bytes[..1]; }
        var (offset, length) = first switch
        {
            < 0xb8 => (1, first - 0x80),
            < 0xc0 => (1 + first - 0xb7, (int)Number(bytes.Slice(1, first - 0xb7).ToArray())),
            < 0xf8 => (1, first - 0xc0),
            _ => (1 + first - 0xf7, (int)Number(bytes.Slice(1, first - 0xf7).ToArray())),
        };
        total = offset + length;
        return bytes.Slice(offset, length);
    }

    private static UInt128 Number(byte[] bytes) => UInt128.Parse(new BigInteger(bytes, isUnsigned: true, isBigEndian: true).ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}
