namespace Turnpike.Protocols.X402;

/// <summary>What a facilitator is sent to verify or to settle a v2 payment.</summary>
public sealed record VerifyRequest
{
    public int X402Version { get; init; } = 2;
    public required PaymentPayload PaymentPayload { get; init; }
    public required PaymentRequirements PaymentRequirements { get; init; }
}

/// <summary>What a facilitator is sent to verify or to settle a v1 payment.</summary>
public sealed record VerifyRequestV1
{
    public int X402Version { get; init; } = 1;
    public required PaymentPayloadV1 PaymentPayload { get; init; }
    public required PaymentRequirementsV1 PaymentRequirements { get; init; }
}
