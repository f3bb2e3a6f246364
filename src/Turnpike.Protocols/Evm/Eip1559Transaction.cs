namespace Turnpike.Protocols.Evm;

/// <summary>A type-2 transaction without access list; fees are wei per gas, value is wei.</summary>
public sealed record Eip1559Transaction
{
    private const byte Type = 2;

    public required ulong ChainId { get; init; }
    public required ulong Nonce { get; init; }
    public required UInt256 MaxPriorityFeePerGas { get; init; }
    public required UInt256 MaxFeePerGas { get; init; }
    public required ulong GasLimit { get; init; }

    /// <summary>Whom it calls; null creates a contract.</summary>
    public required Address? To { get; init; }
    public UInt256 Value { get; init; }
    public byte[] Data { get; init; } = [];

    /// <summary>The 32 bytes that are signed.</summary>
    public byte[] SigningHash() => Keccak.Hash([Type, .. Rlp.EncodeList(Fields())]);

    /// <summary>The signed raw transaction for <c>eth_sendRawTransaction</c>. Throws <see cref="ArgumentException"/> on a key outside 1..n-1.</summary>
    public byte[] Sign(ReadOnlySpan<byte> privateKey)
    {
        var signature = Secp256k1.Sign(SigningHash(), privateKey);
        List<byte[]> fields =
        [
            .. Fields(),
            Rlp.Encode((ulong)(signature[64] - 27)),
            Rlp.Encode(UInt256.ReadBigEndian(signature)),
            Rlp.Encode(UInt256.ReadBigEndian(signature.AsSpan(32))),
        ];
        return [Type, .. Rlp.EncodeList(fields)];
    }

    /// <summary>The hash a node knows a raw transaction by.</summary>
    public static byte[] Hash(ReadOnlySpan<byte> raw) => Keccak.Hash(raw);

    private List<byte[]> Fields() =>
    [
        Rlp.Encode(ChainId),
        Rlp.Encode(Nonce),
        Rlp.Encode(MaxPriorityFeePerGas),
        Rlp.Encode(MaxFeePerGas),
        Rlp.Encode(GasLimit),
        Rlp.Encode(To is { } to ? to.ToArray() : []),
        Rlp.Encode(Value),
        Rlp.Encode(Data),
        Rlp.EncodeList(),
    ];
}
