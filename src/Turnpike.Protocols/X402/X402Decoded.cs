namespace Turnpike.Protocols.X402;

/// <summary>Why a header is no payment.</summary>
public enum X402Malformed
{
    /// <summary>Longer than <see cref="X402Header.MaxLength"/> characters.</summary>
    TooLarge,

    /// <summary>Not base64 of either alphabet.</summary>
    NotBase64,

    /// <summary>Not UTF-8 JSON, or nested too deeply.</summary>
    NotJson,

    /// <summary>JSON, but not an object.</summary>
    NotAnObject,

    /// <summary><c>x402Version</c> is missing or neither 1 nor 2.</summary>
    WrongVersion,

    /// <summary>A member is missing, given twice or of the wrong type.</summary>
    MissingFields,
}

/// <summary>What a payment header held: a payment of one version, or the reason why none.</summary>
public sealed record X402Decoded
{
    /// <summary>1 or 2; 0 when malformed before the version was known.</summary>
    public int Version { get; init; }

    public PaymentPayload? Payment { get; init; }
    public PaymentPayloadV1? PaymentV1 { get; init; }
    public X402Malformed? Malformed { get; init; }
}
