using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Turnpike.Protocols.Evm;

/// <summary>An account or contract: 20 bytes, shown with the EIP-55 checksum, compared as bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly struct Address : IEquatable<Address>
{
    /// <summary>Bytes in an address.</summary>
    public const int Length = 20;

    private readonly ulong _head;
    private readonly ulong _middle;
    private readonly uint _tail;

    /// <summary>From exactly 20 bytes.</summary>
    public Address(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Length) throw new ArgumentException("An address has 20 bytes.", nameof(bytes));
        _head = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        _middle = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        _tail = BinaryPrimitives.ReadUInt32BigEndian(bytes[16..]);
    }

    /// <summary>The address nobody holds.</summary>
    public static Address Zero => default;

    /// <summary>True for 0x000…0.</summary>
    public bool IsZero => this == Zero;

    /// <summary>Reads <c>0x</c> and 40 digits of any case; a wrong checksum is accepted, as wallets write addresses in every case.</summary>
    public static bool TryParse(string? text, out Address address)
    {
        Span<byte> bytes = stackalloc byte[Length];
        var read = Hex.TryDecode(text, bytes);
        address = read ? new Address(bytes) : default;
        return read;
    }

    /// <summary>The address in text that is known to be one; throws <see cref="FormatException"/> otherwise.</summary>
    public static Address Parse(string text) =>
        TryParse(text, out var address) ? address : throw new FormatException("Not an address: 0x and 40 hexadecimal digits are wanted.");

    /// <summary>True when the text is an address whose capitals, if it mixes cases, are its EIP-55 checksum; for what people type.</summary>
    public static bool HasSoundChecksum(string text) =>
        TryParse(text, out var address)
        && (text == address.ToString() || !text.AsSpan(2).ContainsAnyInRange('A', 'F') || !text.AsSpan(2).ContainsAnyInRange('a', 'f'));

    /// <summary>Writes the 20 bytes.</summary>
    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, _head);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _middle);
        BinaryPrimitives.WriteUInt32BigEndian(destination[16..], _tail);
    }

    /// <summary>The 20 bytes.</summary>
    public byte[] ToArray()
    {
        var bytes = new byte[Length];
        CopyTo(bytes);
        return bytes;
    }

    /// <summary><c>0x</c> and 40 lower-case digits: the form for keys and identifiers.</summary>
    public string ToLowerHex()
    {
        Span<byte> bytes = stackalloc byte[Length];
        CopyTo(bytes);
        return Hex.Encode(bytes);
    }

    /// <summary>The EIP-55 form: a letter is a capital where the Keccak hash of the lower-case digits has a nibble of 8 or more.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Length];
        Span<char> digits = stackalloc char[2 * Length];
        Span<byte> ascii = stackalloc byte[2 * Length];
        Span<byte> hash = stackalloc byte[Keccak.Size];
        CopyTo(bytes);
        Convert.TryToHexStringLower(bytes, digits, out _);
        for (var i = 0; i < digits.Length; i++) ascii[i] = (byte)digits[i];
        Keccak.Hash(ascii, hash);
        for (var i = 0; i < digits.Length; i++)
        {
            var nibble = i % 2 == 0 ? hash[i / 2] >> 4 : hash[i / 2] & 15;
            if (nibble >= 8) digits[i] = char.ToUpperInvariant(digits[i]);
        }
        return string.Concat("0x", digits);
    }

    /// <inheritdoc/>
    public bool Equals(Address other) => _head == other._head && _middle == other._middle && _tail == other._tail;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Address other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_head, _middle, _tail);

    public static bool operator ==(Address left, Address right) => left.Equals(right);

    public static bool operator !=(Address left, Address right) => !left.Equals(right);
}
