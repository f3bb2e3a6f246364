using System.Text;

namespace Turnpike.Protocols.Evm;

/// <summary>The corner of the contract ABI that payments need: call data of words and byte tails, and results of one value.</summary>
public static class Abi
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The selector of a signature such as <c>balanceOf(address)</c>.</summary>
    public static byte[] Selector(string signature) => Keccak.Hash(Encoding.ASCII.GetBytes(signature))[..4];

    /// <summary>An address as a 32-byte word, which is also its form as a log topic.</summary>
    public static byte[] Word(Address address)
    {
        var word = new byte[32];
        address.CopyTo(word.AsSpan(12));
        return word;
    }

    /// <summary>A number as a 32-byte word.</summary>
    public static byte[] Word(UInt256 number)
    {
        var word = new byte[32];
        number.WriteBigEndian(word);
        return word;
    }

    /// <summary>A byte string as its length and its bytes padded to whole words.</summary>
    public static byte[] Tail(ReadOnlySpan<byte> bytes) => [.. Word((ulong)bytes.Length), .. bytes, .. new byte[-bytes.Length & 31]];

    /// <summary>The number an <c>eth_call</c> returned, or null when the result is not at least one word.</summary>
    public static UInt256? DecodeUInt(ReadOnlySpan<byte> result) => result.Length >= 32 ? UInt256.ReadBigEndian(result) : null;

    /// <summary>The truth value an <c>eth_call</c> returned, or null when it is neither 0 nor 1.</summary>
    public static bool? DecodeBool(ReadOnlySpan<byte> result) =>
        DecodeUInt(result) is { } word && word <= 1UL ? word == 1UL : null;

    /// <summary>The text an <c>eth_call</c> returned, or null when the result is not one ABI string of valid UTF-8.</summary>
    public static string? DecodeString(ReadOnlySpan<byte> result)
    {
        if (!TryBytesAt(result, 0, out var bytes)) return null;
        try
        {
            return Utf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    /// <summary>The byte string whose offset stands in word number <paramref name="head"/>; false when offset or length leave the data.</summary>
    public static bool TryBytesAt(ReadOnlySpan<byte> data, int head, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        if (!TryIndex(data, 32 * head, out var offset) || !TryIndex(data, offset, out var length) || length > data.Length - offset - 32) return false;
        bytes = data.Slice(offset + 32, length);
        return true;
    }

    private static bool TryIndex(ReadOnlySpan<byte> data, int at, out int index)
    {
        index = 0;
        if (at > data.Length - 32) return false;
        var word = UInt256.ReadBigEndian(data[at..]);
        if (word > (ulong)data.Length) return false;
        index = (int)word.Low;
        return true;
    }
}
