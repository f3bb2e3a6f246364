using System.Text.Json;
using Turnpike.Protocols.Evm;
using Turnpike.Protocols.Mpp;

namespace Turnpike.Client;

/// <summary>The terms inside an MPP <c>evm</c> charge, as far as an EIP-3009 authorization can meet them.</summary>
internal sealed record EvmChargeTerms(ulong ChainId, Address Asset, Address Recipient, UInt256 Amount)
{
    /// <summary>Null when a member is missing or malformed, money is to be split, or authorizations are not taken. Never throws.</summary>
    public static EvmChargeTerms? Read(Challenge challenge)
    {
        if (challenge.ReadRequest() is not { } request || !request.TryGetProperty("methodDetails", out var details) || details.ValueKind != JsonValueKind.Object) return null;
        if (details.TryGetProperty("splits", out _) || !TakesAuthorizations(details)) return null;
        return details.TryGetProperty("chainId", out var chain) && chain.ValueKind == JsonValueKind.Number && chain.TryGetUInt64(out var chainId) && chainId <= long.MaxValue
            && Address.TryParse(Text(request, "currency"), out var asset) && Address.TryParse(Text(request, "recipient"), out var recipient)
            && UInt256.TryParse(Text(request, "amount"), out var amount)
            ? new EvmChargeTerms(chainId, asset, recipient, amount)
            : null;
    }

    private static bool TakesAuthorizations(JsonElement details) =>
        details.TryGetProperty("credentialTypes", out var types) && types.ValueKind == JsonValueKind.Array
        && types.EnumerateArray().Any(type => type.ValueKind == JsonValueKind.String && type.GetString() == EvmAuthorizationPayload.AuthorizationType);

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.String ? member.GetString() : null;
}
