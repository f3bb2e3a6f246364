namespace Turnpike.Protocols.X402;

/// <summary>The headers x402 travels in.</summary>
public static class PaymentHeaders
{
    /// <summary>A v2 payment.</summary>
    public const string Signature = "PAYMENT-SIGNATURE";

    /// <summary>A v1 payment.</summary>
    public const string SignatureV1 = "X-PAYMENT";
}
