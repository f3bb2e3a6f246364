namespace Turnpike.Protocols.Evm;

/// <summary>How a contract wallet is asked whether it signed (ERC-1271).</summary>
public static class Erc1271
{
    private static readonly byte[] Selector = Abi.Selector("isValidSignature(bytes32,bytes)");

    /// <summary>Call data of <c>isValidSignature(digest, signature)</c>.</summary>
    public static byte[] IsValidSignature(ReadOnlySpan<byte> digest32, ReadOnlySpan<byte> signature) =>
        [.. Selector, .. digest32[..32], .. Abi.Word(64UL), .. Abi.Tail(signature)];

    /// <summary>True when the result is the magic value 0x1626ba7e in one word; anything else, also a longer answer, is a no.</summary>
    public static bool IsAccepted(ReadOnlySpan<byte> result) =>
        result.Length == 32 && result.StartsWith(Selector) && !result[4..].ContainsAnyExcept((byte)0);
}
