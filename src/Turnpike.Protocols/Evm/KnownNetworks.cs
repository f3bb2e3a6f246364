using System.Collections.Frozen;
using System.Globalization;

namespace Turnpike.Protocols.Evm;

/// <summary>Chain names: CAIP-2 (<c>eip155:8453</c>), as x402 v2 and MPP write them, and the plain names of x402 v1 (<c>base</c>).</summary>
public static class KnownNetworks
{
    private const string Eip155 = "eip155:";

    private static readonly (string Name, string Caip2)[] Table =
    [
        ("base", "eip155:8453"), ("base-sepolia", "eip155:84532"), ("ethereum", "eip155:1"), ("sepolia", "eip155:11155111"),
        ("avalanche", "eip155:43114"), ("avalanche-fuji", "eip155:43113"), ("polygon", "eip155:137"), ("polygon-amoy", "eip155:80002"),
        ("sei", "eip155:1329"), ("sei-testnet", "eip155:1328"), ("iotex", "eip155:4689"), ("peaq", "eip155:3338"), ("story", "eip155:1514"),
        ("educhain", "eip155:41923"), ("abstract", "eip155:2741"), ("abstract-testnet", "eip155:11124"),
        ("skale-base-sepolia", "eip155:324705682"), ("megaeth", "eip155:4326"), ("monad", "eip155:143"), ("stable", "eip155:988"),
        ("stable-testnet", "eip155:2201"), ("celo", "eip155:42220"), ("flare", "eip155:14"),
        ("solana", "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"), ("solana-devnet", "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1"),
        ("solana-testnet", "solana:4uhcVJyU9pJkvQyS88uRDiswHXSCkY3z"),
    ];

    private static readonly FrozenDictionary<string, string> ByName = Table.ToFrozenDictionary(row => row.Name, row => row.Caip2);
    private static readonly FrozenDictionary<string, string> ByCaip2 = Table.ToFrozenDictionary(row => row.Caip2, row => row.Name);

    /// <summary>The v1 name of a CAIP-2 network, or null when v1 has none.</summary>
    public static string? NameOf(string caip2) => ByCaip2.GetValueOrDefault(caip2);

    /// <summary>The CAIP-2 form of a v1 name; text that holds a colon already is returned as it is; null when unknown.</summary>
    public static string? Caip2Of(string network) => network.Contains(':') ? network : ByName.GetValueOrDefault(network);

    /// <summary>The EVM chain id of <c>eip155:N</c> or of a v1 name; false for other chains, leading zeros and non-digits.</summary>
    public static bool TryChainId(string? network, out ulong chainId)
    {
        chainId = 0;
        if (network is null || Caip2Of(network) is not { } caip2 || !caip2.StartsWith(Eip155, StringComparison.Ordinal)) return false;
        var digits = caip2.AsSpan(Eip155.Length);
        return !digits.StartsWith("0") && ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out chainId);
    }

    /// <summary><c>eip155:N</c>.</summary>
    public static string Caip2(ulong chainId) => Eip155 + chainId.ToString(CultureInfo.InvariantCulture);
}
