using Turnpike.Protocols.Mpp;

namespace Turnpike.Payments.Mpp;

/// <summary>An MPP credential as presented: a challenge of ours come back, and the method's proof. The challenge is authentic, the proof not yet believed.</summary>
internal sealed record MppPaymentCredential() : Credential("mpp")
{
    public required MppCredential Wire { get; init; }
}
