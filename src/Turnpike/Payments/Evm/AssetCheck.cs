using System.Globalization;
using Turnpike.Protocols.Evm;

namespace Turnpike.Payments.Evm;

/// <summary>Compares what the configuration says of chain and asset with what the chain says: a wrong domain makes every payment fail, wrong decimals make it another price.</summary>
internal static class AssetCheck
{
    /// <summary>Null when they agree; otherwise the difference, as a sentence. Throws <see cref="NodeSilentException"/>.</summary>
    public static async ValueTask<string?> DifferenceAsync(EvmNode node, ChainSettings chain, CancellationToken ct)
    {
        var asset = chain.Asset;
        var chainId = await node.ChainIdAsync(ct);
        if (chainId != chain.ChainId) return string.Create(CultureInfo.InvariantCulture, $"the node is on chain {chainId}");
        if (!await node.HasCodeAsync(asset.Address, ct)) return $"there is no contract at {asset.Address}";

        var decimals = await node.CallAsync(asset.Address, Erc3009.Decimals(), ct);
        if (Abi.DecodeUInt(decimals.Data) is { } real && real != (ulong)asset.Decimals) return $"the asset has {real} decimals, not {asset.Decimals}";

        var separator = await node.CallAsync(asset.Address, Erc3009.DomainSeparator(), ct);
        if (separator is { Revert: null, Data.Length: 32 } && separator.Data.AsSpan().SequenceEqual(Eip712.DomainSeparator(asset.Name, asset.Version, chain.ChainId, asset.Address))) return null;
        var name = Abi.DecodeString((await node.CallAsync(asset.Address, Erc3009.Name(), ct)).Data);
        var version = Abi.DecodeString((await node.CallAsync(asset.Address, Erc3009.Version(), ct)).Data);
        if (separator.Data.Length != 32 && name == asset.Name && version == asset.Version) return null;
        return $"the asset's EIP-712 domain is not name '{asset.Name}', version '{asset.Version}'; it says name '{name}', version '{version}'";
    }
}
