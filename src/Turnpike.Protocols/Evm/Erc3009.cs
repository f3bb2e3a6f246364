namespace Turnpike.Protocols.Evm;

/// <summary>Call data and event topics of a dollar token with EIP-3009 (FiatToken v2 and its kin).</summary>
public static class Erc3009
{
    private static readonly byte[] TransferBySignatureParts =
        Abi.Selector("transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)");

    private static readonly byte[] TransferBySignatureBytes =
        Abi.Selector("transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)");

    private static readonly byte[] AuthorizationStateSelector = Abi.Selector("authorizationState(address,bytes32)");
    private static readonly byte[] BalanceOfSelector = Abi.Selector("balanceOf(address)");

    /// <summary>Topic 0 of <c>Transfer(address indexed from, address indexed to, uint256 value)</c>.</summary>
    public const string TransferTopic = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";

    /// <summary>Topic 0 of <c>AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce)</c>.</summary>
    public const string AuthorizationUsedTopic = "0x98de503528ee59b575ef0c0a2576a82497bfc029a5685b209e9ec333479b10a5";

    /// <summary>Call data that moves the money: with v, r and s where the signature has 65 bytes (0xe3ee160e), else with the bytes as they are (0xcf092995), as contract wallets need.</summary>
    public static byte[] TransferWithAuthorization(Authorization authorization, ReadOnlySpan<byte> signature) =>
        signature.Length == Secp256k1.SignatureLength
            ? [.. TransferBySignatureParts, .. Words(authorization), .. Abi.Word((ulong)signature[64]), .. signature[..64]]
            : [.. TransferBySignatureBytes, .. Words(authorization), .. Abi.Word(7UL * 32), .. Abi.Tail(signature)];

    /// <summary>As <see cref="TransferWithAuthorization"/>, but always through the overload that takes bytes.</summary>
    public static byte[] TransferWithAuthorizationBytes(Authorization authorization, ReadOnlySpan<byte> signature) =>
        [.. TransferBySignatureBytes, .. Words(authorization), .. Abi.Word(7UL * 32), .. Abi.Tail(signature)];

    /// <summary>Asks whether an authorization is spent or cancelled; the result is an ABI bool.</summary>
    public static byte[] AuthorizationState(Address authorizer, ReadOnlySpan<byte> nonce32) =>
        [.. AuthorizationStateSelector, .. Abi.Word(authorizer), .. nonce32[..32]];

    /// <summary>Asks for a balance; the result is an ABI uint256 in atomic units.</summary>
    public static byte[] BalanceOf(Address owner) => [.. BalanceOfSelector, .. Abi.Word(owner)];

    /// <summary>Asks for the EIP-712 name; the result is an ABI string.</summary>
    public static byte[] Name() => Abi.Selector("name()");

    /// <summary>Asks for the EIP-712 version; the result is an ABI string.</summary>
    public static byte[] Version() => Abi.Selector("version()");

    /// <summary>Asks for the EIP-712 domain separator; the result is one word.</summary>
    public static byte[] DomainSeparator() => Abi.Selector("DOMAIN_SEPARATOR()");

    /// <summary>Asks for the number of decimals; the result is an ABI uint.</summary>
    public static byte[] Decimals() => Abi.Selector("decimals()");

    /// <summary>An address in the form of an indexed event topic.</summary>
    public static string Topic(Address address) => Hex.Encode(Abi.Word(address));

    /// <summary>True when a log with these topics and this data is the transfer an authorization allows, to the last unit.</summary>
    public static bool IsTransferOf(Authorization authorization, IReadOnlyList<string> topics, string data) =>
        topics is [var topic, var from, var to]
        && topic.Equals(TransferTopic, StringComparison.OrdinalIgnoreCase)
        && from.Equals(Topic(authorization.From), StringComparison.OrdinalIgnoreCase)
        && to.Equals(Topic(authorization.To), StringComparison.OrdinalIgnoreCase)
        && Hex.Decode(data) is { Length: 32 } word
        && UInt256.ReadBigEndian(word) == authorization.Value;

    private static byte[] Words(Authorization authorization) =>
    [
        .. Abi.Word(authorization.From),
        .. Abi.Word(authorization.To),
        .. Abi.Word(authorization.Value),
        .. Abi.Word(authorization.ValidAfter),
        .. Abi.Word(authorization.ValidBefore),
        .. authorization.Nonce.AsSpan(0, 32),
    ];
}
