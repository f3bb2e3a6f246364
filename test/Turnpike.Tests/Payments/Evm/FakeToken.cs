using Turnpike.Protocols.Evm;

namespace Turnpike.Tests.Payments.Evm;

/// <summary>A dollar token as FiatToken v2.2 behaves: strict validity, low s, ERC-1271 for payers with code, and a few ways to misbehave.</summary>
internal sealed class FakeToken(ulong chainId)
{
    private static readonly byte[] ByParts = Abi.Selector("transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)");
    private static readonly byte[] ByBytes = Abi.Selector("transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)");
    private static readonly byte[] State = Abi.Selector("authorizationState(address,bytes32)");
    private static readonly byte[] Balance = Abi.Selector("balanceOf(address)");

    public Address Address { get; } = Address.Parse("0x036CbD53842c5426634e7929541eC2318f3dCF7e");

    public string Name { get; set; } = "USDC";

    public string Version { get; set; } = "2";

    public ulong Decimals { get; set; } = 6;

    public bool Deployed { get; set; } = true;

    /// <summary>Like PYUSD: a used authorization is swallowed without a revert and without a transfer.</summary>
    public bool SwallowsUsed { get; set; }

    /// <summary>Says yes and moves nothing.</summary>
    public bool MovesNothing { get; set; }

    public string? AlwaysReverts { get; set; }

    public Dictionary<Address, UInt128> Balances { get; } = [];

    public HashSet<string> Used { get; } = [];

    /// <summary>Contract wallets by address: whether they accept what they are shown.</summary>
    public Dictionary<Address, bool> Wallets { get; } = [];

    public static string Key(Address payer, ReadOnlySpan<byte> nonce) => payer.ToLowerHex() + Hex.Encode(nonce);

    /// <summary>The result of a read, or a revert text.</summary>
    public (byte[] Result, string? Revert) Read(byte[] data, ulong now)
    {
        var selector = data.AsSpan(0, 4);
        if (selector.SequenceEqual(State)) return (Abi.Word(Used.Contains(Key(new Address(data.AsSpan(16, 20)), data.AsSpan(36, 32))) ? 1UL : 0UL), null);
        if (selector.SequenceEqual(Balance)) return (Abi.Word(Balances.GetValueOrDefault(new Address(data.AsSpan(16, 20)))), null);
        if (selector.SequenceEqual(Erc3009.Name())) return (Text(Name), null);
        if (selector.SequenceEqual(Erc3009.Version())) return (Text(Version), null);
        if (selector.SequenceEqual(Erc3009.Decimals())) return (Abi.Word(Decimals), null);
        if (selector.SequenceEqual(Erc3009.DomainSeparator())) return (Separator(), null);
        return Judge(data, now) is { Error: { } error } ? ([], error) : ([], null);
    }

    /// <summary>Runs a transfer; the authorization when money moved, or why not.</summary>
    public (Authorization? Moved, string? Error) Run(byte[] data, ulong now)
    {
        var (authorization, error) = Judge(data, now);
        if (error is not null || authorization is null) return (null, error);
        if (!Used.Add(Key(authorization.From, authorization.Nonce)) || MovesNothing) return (null, null);
        var value = authorization.Value.Low;
        Balances[authorization.From] -= value;
        Balances[authorization.To] = Balances.GetValueOrDefault(authorization.To) + value;
        return (authorization, null);
    }

    private (Authorization? Authorization, string? Error) Judge(byte[] data, ulong now)
    {
        if (AlwaysReverts is not null) return (null, AlwaysReverts);
        var parts = data.AsSpan(0, 4).SequenceEqual(ByParts);
        if (!parts && !data.AsSpan(0, 4).SequenceEqual(ByBytes)) return (null, "unknown function");
        var words = data.AsSpan(4);
        UInt256 Word(int index) => UInt256.ReadBigEndian(data.AsSpan(4 + index * 32, 32));
        var authorization = new Authorization(new Address(words.Slice(12, 20)), new Address(words.Slice(44, 20)), Word(2), Word(3), Word(4), words.Slice(160, 32).ToArray());
        byte[] signature = parts ? [.. words.Slice(7 * 32, 64), words[7 * 32 - 1]] : Abi.TryBytesAt(words, 6, out var bytes) ? bytes.ToArray() : [];
        if (now <= authorization.ValidAfter.Low) return (null, "FiatTokenV2: authorization is not yet valid");
        if (now >= authorization.ValidBefore.Low) return (null, "FiatTokenV2: authorization is expired");
        if (Used.Contains(Key(authorization.From, authorization.Nonce))) return SwallowsUsed ? (authorization, null) : (null, "FiatTokenV2: authorization is used or canceled");
        if (!IsSigned(authorization, signature)) return (null, "FiatTokenV2: invalid signature");
        return Balances.GetValueOrDefault(authorization.From) < authorization.Value.Low ? (null, "ERC20: transfer amount exceeds balance") : (authorization, null);
    }

    private bool IsSigned(Authorization authorization, byte[] signature)
    {
        if (Wallets.TryGetValue(authorization.From, out var accepts)) return accepts;
        var digest = new byte[32];
        Eip712.Digest(Separator(), authorization, digest);
        return Secp256k1.TryRecover(digest, signature, out var signer) && signer == authorization.From;
    }

    private byte[] Separator() => Eip712.DomainSeparator(Name, Version, chainId, Address);

    private static byte[] Text(string text) => [.. Abi.Word(32UL), .. Abi.Tail(System.Text.Encoding.UTF8.GetBytes(text))];
}
