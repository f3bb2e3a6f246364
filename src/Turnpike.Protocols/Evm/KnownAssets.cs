using System.Collections.Frozen;

namespace Turnpike.Protocols.Evm;

/// <summary>A dollar token: its EIP-712 name and version (part of every signature) and how it is moved. Ask the chain before believing it.</summary>
public sealed record KnownAsset(ulong ChainId, string Symbol, Address Address, string Name, string Version, int Decimals = 6, bool HasEip3009 = true)
{
    /// <summary>What one unit is worth.</summary>
    public string Currency { get; init; } = "USD";
}

/// <summary>The default assets of the x402 ecosystem, by chain.</summary>
public static class KnownAssets
{
    /// <summary>Every row; a chain's first row is its default.</summary>
    public static IReadOnlyList<KnownAsset> All { get; } =
    [
        Usd(8453, "USDC", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", "USD Coin", "2"),
        Usd(84532, "USDC", "0x036CbD53842c5426634e7929541eC2318f3dCF7e", "USDC", "2"),
        Usd(1, "USDC", "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", "USD Coin", "2"),
        Usd(43114, "USDC", "0xB97EF9Ef8734C71904D8002F8b6Bc66Dd9c48a6E", "USD Coin", "2"),
        Usd(43113, "USDC", "0x5425890298aed601595a70AB815c96711a31Bc65", "USD Coin", "2"),
        Usd(137, "USDC", "0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359", "USD Coin", "2"),
        Usd(42161, "USDC", "0xaf88d065e77c8cC2239327C5EDb3A432268e5831", "USD Coin", "2"),
        Usd(421614, "USDC", "0x75faf114eafb1BDbe2F0316DF893fd58CE46AA4d", "USD Coin", "2"),
        Usd(143, "USDC", "0x754704Bc059F8C67012fEd69BC8A327a5aafb603", "USDC", "2"),
        Usd(42220, "USDC", "0xcebA9300f2b948710d2653dD7B07f33A8B32118C", "USDC", "2"),
        Usd(42220, "USDT", "0x48065fbBE25f71C9282ddf5e1cD6D6A887483D5e", "Tether USD", "1"),
        Usd(42220, "USAT", "0xD2ab3C9A02DBBAB236BfEC45D1d755DF4267F771", "Tether America USD", "1"),
        Usd(11142220, "USDC", "0x01C5C0122039549AD1493B8220cABEdD739BC44E", "USDC", "2"),
        Usd(1329, "USDC", "0xe15fC38F6D8c56aF07bbCBe3BAf5708A2Bf42392", "USDC", "2"),
        Usd(1328, "USDC", "0x4fCF1784B31630811181f670Aea7A7bEF803eaED", "USDC", "2"),
        Usd(50, "USDC", "0xfA2958CB79b0491CC627c1557F441eF849Ca8eb1", "USDC", "2"),
        Usd(51, "USDC", "0xb5AB69F7bBada22B28e79C8FFAECe55eF1c771D4", "USDC", "2"),
        Usd(988, "USDT0", "0x779Ded0c9e1022225f8E0630b35a9b54bE713736", "USDT0", "1"),
        Usd(2201, "USDT0", "0x78Cf24370174180738C5B8E352B6D14c83a6c9A9", "USDT0", "1"),
        Usd(14, "USDT0", "0xe7cd86e13AC4309349F30B3435a9d337750fC82D", "USD₮0", "1"),
        Usd(36900, "USDC.e", "0x9cb8142aEBBcdc60AF7c97Af897A67A8f3CA71C2", "USDC.e", "2"),
        Usd(190415, "USDC", "0x401eCb1D350407f13ba348573E5630B83638E30D", "Bridged USDC", "2"),
        Usd(181228, "USDC", "0x401eCb1D350407f13ba348573E5630B83638E30D", "Bridged USDC", "2"),
        Usd(4326, "USDm", "0xFAfDdbb3FC7688494971a79cc65DCa3EF82079E7", "MegaUSD", "1", 18, eip3009: false),
        Usd(31612, "MUSD", "0xdD468A1DDc392dcdbEf6db6e34E89AA338F9F186", "Mezo USD", "1", 18, eip3009: false),
        Usd(31611, "MUSD", "0x118917a40FAF1CD7a13dB0Ef56C86De7973Ac503", "Mezo USD", "1", 18, eip3009: false),
        Usd(723487, "SBC", "0x33ad9e4BD16B69B5BFdED37D8B5D9fF9aba014Fb", "Stable Coin", "1", eip3009: false),
        Usd(72344, "SBC", "0x33ad9e4BD16B69B5BFdED37D8B5D9fF9aba014Fb", "Stable Coin", "1", eip3009: false),
        Usd(38833, "USDC", "0xA5b8BF902b2844dA17d4506cc827F7f1681735E7", "USDC", "1", eip3009: false),
    ];

    private static readonly FrozenDictionary<(ulong, string), KnownAsset> BySymbol =
        All.ToFrozenDictionary(asset => (asset.ChainId, asset.Symbol.ToUpperInvariant()));

    private static readonly FrozenDictionary<(ulong, Address), KnownAsset> ByAddress =
        All.ToFrozenDictionary(asset => (asset.ChainId, asset.Address));

    /// <summary>By chain and symbol in any case; null when unknown.</summary>
    public static KnownAsset? Find(ulong chainId, string symbol) => BySymbol.GetValueOrDefault((chainId, symbol.ToUpperInvariant()));

    /// <summary>By chain and contract; null when unknown.</summary>
    public static KnownAsset? Find(ulong chainId, Address address) => ByAddress.GetValueOrDefault((chainId, address));

    private static KnownAsset Usd(
        ulong chain, string symbol, string address, string name, string version, int decimals = 6, bool eip3009 = true) =>
        new(chain, symbol, Address.Parse(address), name, version, decimals, eip3009);
}
