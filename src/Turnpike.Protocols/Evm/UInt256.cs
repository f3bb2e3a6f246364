using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;

namespace Turnpike.Protocols.Evm;

/// <summary>The EVM's word as a number: what amounts and times are in a signed message. Compared and encoded, never calculated with.</summary>
public readonly record struct UInt256(UInt128 High, UInt128 Low) : IComparable<UInt256>
{
    private const int MaxDigits = 78;

    /// <summary>2^256 - 1.</summary>
    public static UInt256 MaxValue => new(UInt128.MaxValue, UInt128.MaxValue);

    /// <summary>Reads canonical decimal digits: no sign, no space, no leading zero, at most 2^256 - 1.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out UInt256 value)
    {
        value = default;
        if (text.Length is 0 or > MaxDigits || text.ContainsAnyExceptInRange('0', '9') || (text[0] == '0' && text.Length > 1)) return false;
        if (text.Length <= 19)
        {
            value = ulong.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
            return true;
        }
        return TryFrom(BigInteger.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture), out value);
    }

    /// <summary>From a number of 0 to 2^256 - 1; false outside.</summary>
    public static bool TryFrom(BigInteger number, out UInt256 value)
    {
        Span<byte> word = stackalloc byte[32];
        value = default;
        if (number.Sign < 0 || number.GetByteCount(isUnsigned: true) > 32) return false;
        number.TryWriteBytes(word, out var written, isUnsigned: true);
        value = new UInt256(BinaryPrimitives.ReadUInt128LittleEndian(word[16..]), BinaryPrimitives.ReadUInt128LittleEndian(word));
        return written <= 32;
    }

    /// <summary>From 32 big-endian bytes.</summary>
    public static UInt256 ReadBigEndian(ReadOnlySpan<byte> word) =>
        new(BinaryPrimitives.ReadUInt128BigEndian(word), BinaryPrimitives.ReadUInt128BigEndian(word[16..]));

    /// <summary>Writes 32 big-endian bytes.</summary>
    public void WriteBigEndian(Span<byte> word)
    {
        BinaryPrimitives.WriteUInt128BigEndian(word, High);
        BinaryPrimitives.WriteUInt128BigEndian(word[16..], Low);
    }

    /// <summary>The number, of any size.</summary>
    public BigInteger ToBigInteger() => ((BigInteger)High << 128) + Low;

    /// <summary>The number when it fits 63 bits; false otherwise.</summary>
    public bool TryToInt64(out long value)
    {
        var fits = High == 0 && Low <= long.MaxValue;
        value = fits ? (long)Low : 0;
        return fits;
    }

    /// <summary>Decimal digits.</summary>
    public override string ToString() =>
        High == 0 ? Low.ToString(CultureInfo.InvariantCulture) : ToBigInteger().ToString(CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    public int CompareTo(UInt256 other) => High != other.High ? High.CompareTo(other.High) : Low.CompareTo(other.Low);

    public static implicit operator UInt256(ulong value) => new(0, value);

    public static implicit operator UInt256(UInt128 value) => new(0, value);

    public static bool operator <(UInt256 left, UInt256 right) => left.CompareTo(right) < 0;

    public static bool operator >(UInt256 left, UInt256 right) => left.CompareTo(right) > 0;

    public static bool operator <=(UInt256 left, UInt256 right) => left.CompareTo(right) <= 0;

    public static bool operator >=(UInt256 left, UInt256 right) => left.CompareTo(right) >= 0;
}
