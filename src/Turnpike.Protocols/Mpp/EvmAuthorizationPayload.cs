using System.Text.Json;
using Turnpike.Protocols.Evm;

namespace Turnpike.Protocols.Mpp;

/// <summary>The payload of <c>evm</c> charge of type <c>authorization</c>: a signed EIP-3009 transfer, every number as decimal text.</summary>
public sealed record EvmAuthorizationPayload
{
    public const string AuthorizationType = "authorization";

    /// <summary>Longest signature that is read, in bytes: one of a contract wallet, wrapped by ERC-6492, may be long.</summary>
    public const int MaxSignatureLength = 8 * 1024;

    /// <summary><c>authorization</c>, or absent.</summary>
    public string? Type { get; init; }

    public required string From { get; init; }

    public required string To { get; init; }

    public required string Value { get; init; }

    /// <summary>Unix seconds.</summary>
    public required string ValidAfter { get; init; }

    /// <summary>Unix seconds.</summary>
    public required string ValidBefore { get; init; }

    /// <summary>0x and 64 digits; must be <see cref="EvmCharge.ChallengeHash"/>.</summary>
    public required string Nonce { get; init; }

    /// <summary>0x and hexadecimal digits, 65 bytes for a plain account.</summary>
    public required string Signature { get; init; }

    /// <summary>Reads a credential's payload; null, with a reason, if a member is missing or malformed. Never throws.</summary>
    public static EvmAuthorizationPayload? Parse(JsonElement payload, out string? error)
    {
        error = "the payload misses a member or holds one of a wrong type";
        if (payload.ValueKind != JsonValueKind.Object) return null;
        try
        {
            var read = payload.Deserialize(MppJson.Default.EvmAuthorizationPayload);
            error = read?.FindFault();
            return error is null ? read : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The same in binary form; null if a member is malformed, which a parsed payload's never is.</summary>
    public Authorization? ToAuthorization() =>
        Address.TryParse(From, out var from) && Address.TryParse(To, out var to)
        && TryNumber(Value, out var value) && TryNumber(ValidAfter, out var after) && TryNumber(ValidBefore, out var before)
        && Hex.Decode(Nonce) is { Length: 32 } nonce
            ? new Authorization(from, to, value, after, before, nonce)
            : null;

    /// <summary>The signature's bytes; null if it is malformed or longer than <see cref="MaxSignatureLength"/>.</summary>
    public byte[]? SignatureBytes() =>
        Signature.Length <= 2 + (2 * MaxSignatureLength) && Hex.Decode(Signature) is { Length: > 0 } bytes ? bytes : null;

    private string? FindFault()
    {
        if (Type is not (null or AuthorizationType)) return $"type is not '{AuthorizationType}'";
        if (!Address.TryParse(From, out _)) return "from is not an address";
        if (!Address.TryParse(To, out _)) return "to is not an address";
        if (!TryNumber(Value, out _)) return "value is not a decimal number below 2^256";
        if (!TryNumber(ValidAfter, out _)) return "validAfter is not a decimal number below 2^256";
        if (!TryNumber(ValidBefore, out _)) return "validBefore is not a decimal number below 2^256";
        if (Hex.Decode(Nonce) is not { Length: 32 }) return "nonce is not 32 bytes of hexadecimal";
        return SignatureBytes() is null ? "signature is not hexadecimal" : null;
    }

    private static bool TryNumber(string text, out UInt256 value)
    {
        value = default;
        return text.Length is > 0 and <= 78 && !text.AsSpan().ContainsAnyExceptInRange('0', '9') && UInt256.TryParse(text, out value);
    }
}
