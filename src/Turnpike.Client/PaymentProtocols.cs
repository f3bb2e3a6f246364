namespace Turnpike.Client;

/// <summary>The protocols' names, as offers and receipts have them.</summary>
public static class PaymentProtocols
{
    public const string X402 = "x402";
    public const string Mpp = "mpp";
    public const string Prepaid = "prepaid";
}
