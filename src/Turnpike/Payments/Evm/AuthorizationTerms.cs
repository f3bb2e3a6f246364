using System.Text.Json;
using System.Text.Json.Serialization;
using Turnpike.Protocols.Evm;

namespace Turnpike.Payments.Evm;

/// <summary>
/// An EIP-3009 authorization with the asset it is for: all that settling it needs, kept with the hold. Whoever has it can do one
/// thing with it, which is to pay us; still it is a credential and is never logged.
/// </summary>
internal sealed record AuthorizationTerms
{
    /// <summary>CAIP-2.</summary>
    public required string Network { get; init; }

    public required string Asset { get; init; }

    /// <summary>The asset's EIP-712 name and version.</summary>
    public required string Name { get; init; }

    public required string Version { get; init; }

    public required string From { get; init; }

    public required string To { get; init; }

    /// <summary>In the asset's units, decimal.</summary>
    public required string Value { get; init; }

    /// <summary>Unix seconds, decimal.</summary>
    public required string ValidAfter { get; init; }

    public required string ValidBefore { get; init; }

    public required string Nonce { get; init; }

    public required string Signature { get; init; }

    /// <summary>What was paid for, as a facilitator is told.</summary>
    public string? Resource { get; init; }

    /// <summary>So many blocks have to hold it before it counts as settled; zero: one is enough.</summary>
    public int Blocks { get; init; }

    [JsonIgnore]
    public Address Contract => Address.Parse(Asset);

    [JsonIgnore]
    public Address Payer => Address.Parse(From);

    [JsonIgnore]
    public byte[] SignatureBytes => Hex.Decode(Signature) ?? throw new FormatException("The kept signature is not hexadecimal.");

    /// <summary>The moment from which no block can take it; null when that is beyond all calendars.</summary>
    [JsonIgnore]
    public DateTimeOffset? Expires => long.TryParse(ValidBefore, out var seconds) && seconds < 253_402_300_800 ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;

    /// <summary>The id of its hold: one authorization is one payment, by whichever protocol it comes.</summary>
    [JsonIgnore]
    public string HoldId => HoldIdOf(Network, Contract, Authorization);

    [JsonIgnore]
    public Authorization Authorization => new(Payer, Address.Parse(To), Number(Value), Number(ValidAfter), Number(ValidBefore), Hex.Decode(Nonce)!);

    public static string HoldIdOf(string network, Address asset, Authorization authorization) =>
        $"eip3009:{network[(network.IndexOf(':') + 1)..]}:{asset.ToLowerHex()}:{authorization.From.ToLowerHex()}:{Hex.Encode(authorization.Nonce)}";

    public static AuthorizationTerms Of(ChainSettings chain, Authorization authorization, byte[] signature, string? resource) => new()
    {
        Network = chain.Network,
        Asset = chain.Asset.Address.ToString(),
        Name = chain.Asset.Name,
        Version = chain.Asset.Version,
        From = authorization.From.ToString(),
        To = authorization.To.ToString(),
        Value = authorization.Value.ToString(),
        ValidAfter = authorization.ValidAfter.ToString(),
        ValidBefore = authorization.ValidBefore.ToString(),
        Nonce = Hex.Encode(authorization.Nonce),
        Signature = Hex.Encode(signature),
        Resource = resource,
    };

    public string ToJson() => JsonSerializer.Serialize(this, EvmJson.Default.AuthorizationTerms);

    /// <summary>The signature stays out of whatever prints a record.</summary>
    public override string ToString() => HoldId;

    /// <summary>Reads what <see cref="ToJson"/> wrote; null for anything else.</summary>
    public static AuthorizationTerms? FromJson(string? json)
    {
        if (json is null) return null;
        try { return JsonSerializer.Deserialize(json, EvmJson.Default.AuthorizationTerms); }
        catch (JsonException) { return null; }
    }

    private static UInt256 Number(string text) => UInt256.TryParse(text, out var number) ? number : throw new FormatException("A kept number is not decimal.");
}

/// <summary>A signed transaction, kept with the capture before it is sent. Fees in wei, decimal.</summary>
internal sealed record PreparedTransaction(string Raw, string Hash, ulong Nonce, ulong Gas, string MaxFee, string Tip)
{
    public string ToJson() => JsonSerializer.Serialize(this, EvmJson.Default.PreparedTransaction);

    /// <summary>Reads what <see cref="ToJson"/> wrote; null for anything else.</summary>
    public static PreparedTransaction? FromJson(string? json)
    {
        if (json is null) return null;
        try { return JsonSerializer.Deserialize(json, EvmJson.Default.PreparedTransaction); }
        catch (JsonException) { return null; }
    }
}

/// <summary>The JSON kept with holds and captures.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AuthorizationTerms))]
[JsonSerializable(typeof(PreparedTransaction))]
internal sealed partial class EvmJson : JsonSerializerContext;
