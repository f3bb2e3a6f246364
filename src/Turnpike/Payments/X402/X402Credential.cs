using Turnpike.Protocols.X402;

namespace Turnpike.Payments.X402;

/// <summary>An x402 payment as presented, of either generation.</summary>
internal sealed record X402Credential() : Credential("x402")
{
    public required int Version { get; init; }

    public PaymentPayload? V2 { get; init; }

    public PaymentPayloadV1? V1 { get; init; }
}
