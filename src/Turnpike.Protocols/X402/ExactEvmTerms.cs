using System.Text.Json;
using Turnpike.Protocols.Evm;

namespace Turnpike.Protocols.X402;

/// <summary>A requirement of ours for <c>exact</c> on EVM, parsed once; keep it, because its domain separator costs five hashes.</summary>
public sealed class ExactEvmTerms
{
    private ExactEvmTerms(int version, string network, ulong chainId, Address asset, Address payTo, UInt256 amount, byte[] domainSeparator) =>
        (Version, Network, ChainId, Asset, PayTo, Amount, DomainSeparator) = (version, network, chainId, asset, payTo, amount, domainSeparator);

    /// <summary>1 or 2: which generation's error codes are answered.</summary>
    public int Version { get; }

    /// <summary>As its generation writes it: CAIP-2 or a v1 name.</summary>
    public string Network { get; }

    public ulong ChainId { get; }
    public Address Asset { get; }
    public Address PayTo { get; }

    /// <summary>Atomic units.</summary>
    public UInt256 Amount { get; }

    /// <summary>The token's EIP-712 domain separator.</summary>
    public byte[] DomainSeparator { get; }

    /// <summary>From a v2 requirement; null and a code when it is not <c>exact</c> by EIP-3009 on an EVM chain.</summary>
    public static ExactEvmTerms? Create(PaymentRequirements requirement, out string? code) =>
        Create(2, requirement.Scheme, requirement.Network, requirement.Asset, requirement.PayTo, requirement.Amount, requirement.Extra, out code);

    /// <summary>From a v1 requirement; null and a code when it is not <c>exact</c> by EIP-3009 on an EVM chain.</summary>
    public static ExactEvmTerms? Create(PaymentRequirementsV1 requirement, out string? code) =>
        Create(1, requirement.Scheme, requirement.Network, requirement.Asset, requirement.PayTo, requirement.MaxAmountRequired, requirement.Extra, out code);

    private static ExactEvmTerms? Create(
        int version, string scheme, string network, string asset, string payTo, string amount, JsonElement? extra, out string? code)
    {
        code = ErrorCodes.Scheme;
        if (scheme != ExactEvm.Scheme || (Member(extra, "assetTransferMethod") ?? ExactEvm.TransferMethod) != ExactEvm.TransferMethod) return null;
        code = ErrorCodes.MissingDomain;
        if (Member(extra, "name") is not { } name || Member(extra, "version") is not { } domainVersion) return null;
        code = ErrorCodes.InvalidPaymentRequirements;
        if (!KnownNetworks.TryChainId(network, out var chainId)
            || !Address.TryParse(asset, out var contract) || !Address.TryParse(payTo, out var payee)
            || !UInt256.TryParse(amount, out var value)) return null;
        code = null;
        return new ExactEvmTerms(version, network, chainId, contract, payee, value, Eip712.DomainSeparator(name, domainVersion, chainId, contract));
    }

    private static string? Member(JsonElement? extra, string name)
    {
        if (extra is not { ValueKind: JsonValueKind.Object } members) return null;
        try
        {
            return members.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.String ? member.GetString() : null;
        }
        catch (InvalidOperationException) // an escape that is half a character
        {
            return null;
        }
    }
}
