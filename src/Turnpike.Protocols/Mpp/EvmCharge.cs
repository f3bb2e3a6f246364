using System.Globalization;
using System.Text;
using Turnpike.Protocols.Evm;

namespace Turnpike.Protocols.Mpp;

/// <summary>What ties an on-chain authorization of method <c>evm</c> to one challenge and one payer.</summary>
public static class EvmCharge
{
    private const string SourcePrefix = "did:pkh:eip155:";

    /// <summary>
    /// keccak256(utf8(id) ‖ utf8(realm)), 32 bytes: the nonce the EIP-3009 authorization must have, so that the chain
    /// itself lets a challenge be paid once per payer.
    /// </summary>
    public static byte[] ChallengeHash(string id, string realm) => Keccak.Hash(Encoding.UTF8.GetBytes(id + realm));

    /// <summary>The payer as a credential's <c>source</c> names it: <c>did:pkh:eip155:&lt;chainId&gt;:&lt;address&gt;</c>.</summary>
    public static string Source(Address payer, long chainId) => string.Create(CultureInfo.InvariantCulture, $"{SourcePrefix}{chainId}:{payer}");

    /// <summary>True if <paramref name="source"/> names exactly this payer on this chain, the address in any case.</summary>
    public static bool IsSource(string source, Address payer, long chainId)
    {
        var prefix = string.Create(CultureInfo.InvariantCulture, $"{SourcePrefix}{chainId}:");
        return source.StartsWith(prefix, StringComparison.Ordinal) && Address.TryParse(source[prefix.Length..], out var named) && named == payer;
    }
}
