using System.Text;

namespace Turnpike.Protocols.Evm;

/// <summary>Typed data as EIP-712 hashes it: a domain separator per contract, a hash per struct, one digest to sign.</summary>
public static class Eip712
{
    private static readonly byte[] DomainType =
        Keccak.Hash("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"u8);

    private static readonly byte[] UnversionedDomainType =
        Keccak.Hash("EIP712Domain(string name,uint256 chainId,address verifyingContract)"u8);

    private static readonly byte[] TransferType = Keccak.Hash(
        "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"u8);

    /// <summary>Type hash of EIP-3009's TransferWithAuthorization.</summary>
    public static ReadOnlySpan<byte> TransferWithAuthorizationTypeHash => TransferType;

    /// <summary>The 32-byte separator of a contract's domain; a null version leaves that field out, as Permit2 does. Worth keeping: it never changes.</summary>
    public static byte[] DomainSeparator(string name, string? version, UInt256 chainId, Address contract)
    {
        Span<byte> words = stackalloc byte[5 * 32];
        words.Clear();
        (version is null ? UnversionedDomainType : DomainType).CopyTo(words);
        var rest = words[32..];
        Keccak.Hash(Encoding.UTF8.GetBytes(name), rest);
        rest = rest[32..];
        if (version is not null)
        {
            Keccak.Hash(Encoding.UTF8.GetBytes(version), rest);
            rest = rest[32..];
        }
        chainId.WriteBigEndian(rest);
        contract.CopyTo(rest[(32 + 12)..]);
        return Keccak.Hash(version is null ? words[..(4 * 32)] : words);
    }

    /// <summary>The hash of an authorization as the struct TransferWithAuthorization.</summary>
    public static byte[] TransferWithAuthorization(Authorization authorization)
    {
        var hash = new byte[Keccak.Size];
        TransferWithAuthorization(authorization, hash);
        return hash;
    }

    /// <summary>Writes the 32-byte hash of an authorization; allocates nothing.</summary>
    public static void TransferWithAuthorization(Authorization authorization, Span<byte> destination)
    {
        Span<byte> words = stackalloc byte[7 * 32];
        words.Clear();
        TransferType.CopyTo(words);
        authorization.From.CopyTo(words[(32 + 12)..]);
        authorization.To.CopyTo(words[(64 + 12)..]);
        authorization.Value.WriteBigEndian(words[96..]);
        authorization.ValidAfter.WriteBigEndian(words[128..]);
        authorization.ValidBefore.WriteBigEndian(words[160..]);
        authorization.Nonce.AsSpan(0, 32).CopyTo(words[192..]);
        Keccak.Hash(words, destination);
    }

    /// <summary>The digest to sign: keccak(0x1901 | domain separator | struct hash).</summary>
    public static byte[] Digest(ReadOnlySpan<byte> domainSeparator, ReadOnlySpan<byte> structHash)
    {
        var digest = new byte[Keccak.Size];
        Digest(domainSeparator, structHash, digest);
        return digest;
    }

    /// <summary>Writes the 32-byte digest of a struct under a domain separator the caller keeps; allocates nothing.</summary>
    public static void Digest(ReadOnlySpan<byte> domainSeparator, ReadOnlySpan<byte> structHash, Span<byte> destination)
    {
        Span<byte> message = stackalloc byte[2 + 32 + 32];
        message[0] = 0x19;
        message[1] = 0x01;
        domainSeparator[..32].CopyTo(message[2..]);
        structHash[..32].CopyTo(message[34..]);
        Keccak.Hash(message, destination);
    }

    /// <summary>Writes the 32-byte digest of an authorization; allocates nothing.</summary>
    public static void Digest(ReadOnlySpan<byte> domainSeparator, Authorization authorization, Span<byte> destination)
    {
        Span<byte> structHash = stackalloc byte[Keccak.Size];
        TransferWithAuthorization(authorization, structHash);
        Digest(domainSeparator, structHash, destination);
    }
}
