using System.Text.Json;
using Turnpike.Protocols.Evm;

namespace Turnpike.Protocols.X402;

/// <summary>The payload of <c>exact</c> on EVM as it stands in JSON: everything is text.</summary>
public sealed record ExactEvmMessage
{
    public required string Signature { get; init; }
    public required ExactEvmAuthorization Authorization { get; init; }
}

/// <summary>An EIP-3009 authorization in text: addresses and nonce in hexadecimal, numbers in decimal digits.</summary>
public sealed record ExactEvmAuthorization
{
    public required string From { get; init; }
    public required string To { get; init; }
    public required string Value { get; init; }
    public required string ValidAfter { get; init; }
    public required string ValidBefore { get; init; }
    public required string Nonce { get; init; }
}

/// <summary>The payload of <c>exact</c> on EVM with EIP-3009, typed: the authorization and the signature's bytes, which may be an EOA's 65, a contract wallet's or an ERC-6492 wrapper.</summary>
public sealed record ExactEvmPayload(Authorization Authorization, byte[] Signature)
{
    /// <summary>Reads a payload strictly; the code says why not. Never throws.</summary>
    public static ExactEvmPayload? Parse(JsonElement payload, out string? code)
    {
        code = ErrorCodes.InvalidPayload;
        if (payload.ValueKind != JsonValueKind.Object || Message(payload) is not { Authorization: var text } message) return null;
        Span<byte> nonce = stackalloc byte[32];
        if (!Address.TryParse(text.From, out var from) || !Address.TryParse(text.To, out var to)
            || !UInt256.TryParse(text.Value, out var value)
            || !UInt256.TryParse(text.ValidAfter, out var validAfter) || !UInt256.TryParse(text.ValidBefore, out var validBefore)
            || !Hex.TryDecode(text.Nonce, nonce)) return null;
        code = ErrorCodes.FailedToParseSignature;
        if (Hex.Decode(message.Signature) is not { Length: > 0 } signature) return null;
        code = null;
        return new ExactEvmPayload(new Authorization(from, to, value, validAfter, validBefore, nonce.ToArray()), signature);
    }

    /// <summary>The payload as a client sends it.</summary>
    public JsonElement ToJson() => JsonSerializer.SerializeToElement(
        new ExactEvmMessage
        {
            Signature = Hex.Encode(Signature),
            Authorization = new ExactEvmAuthorization
            {
                From = Authorization.From.ToString(),
                To = Authorization.To.ToString(),
                Value = Authorization.Value.ToString(),
                ValidAfter = Authorization.ValidAfter.ToString(),
                ValidBefore = Authorization.ValidBefore.ToString(),
                Nonce = Hex.Encode(Authorization.Nonce),
            },
        },
        X402Json.Wire.ExactEvmMessage);

    private static ExactEvmMessage? Message(JsonElement payload)
    {
        try
        {
            return payload.Deserialize(X402Json.Wire.ExactEvmMessage);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
