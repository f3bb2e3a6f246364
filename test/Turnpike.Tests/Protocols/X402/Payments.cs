using System.Text;
using System.Text.Json;
using Turnpike.Protocols.Evm;
using Turnpike.Protocols.X402;
using Turnpike.Tests.Protocols.Evm;

namespace Turnpike.Tests.Protocols.X402;

/// <summary>The golden payment of the vectors, and ways to bend it.</summary>
internal static class Payments
{
    /// <summary>Within the golden authorization's validity.</summary>
    public const long Now = 1740672200;

    public const string Header = "PAYMENT-SIGNATURE";

    public static string Golden => EvmVectors.Text("headers", Header, "header");

    public static string GoldenJson => EvmVectors.At("headers", Header, "json").GetRawText();

    public static PaymentPayload Payment => X402Header.Decode(Golden).Payment.ShouldNotBeNull();

    /// <summary>Our own offer, which the golden payment accepts.</summary>
    public static PaymentRequirements Ours => new()
    {
        Scheme = "exact",
        Network = "eip155:84532",
        Amount = "1000",
        Asset = "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
        PayTo = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
        MaxTimeoutSeconds = 300,
        Extra = Json("""{"name":"USDC","version":"2"}"""),
    };

    public static PaymentRequirementsV1 OursV1 => new()
    {
        Scheme = "exact",
        Network = "base-sepolia",
        MaxAmountRequired = "1000",
        Resource = "https://api.example.com/data",
        Description = "",
        Asset = Ours.Asset,
        PayTo = Ours.PayTo,
        MaxTimeoutSeconds = 300,
        Extra = Ours.Extra,
    };

    public static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;

    public static string Base64(string json) => Convert.ToBase64String(Encoding.UTF8.GetBytes(json));

    /// <summary>The golden payment with another authorization, honestly signed by the payer for our asset's domain.</summary>
    public static PaymentPayload Signed(Func<Authorization, Authorization> bend)
    {
        var domain = EvmVectors.Bytes("eip712", "TransferWithAuthorization_USDC_BaseSepolia", "domainSeparator");
        return Payment with { Payload = ExactEvm.Sign(bend(EvmVectors.Authorization()), domain, EvmVectors.PayerKey).ToJson() };
    }

    public static PaymentPayload WithSignature(byte[] signature) =>
        Payment with { Payload = new ExactEvmPayload(EvmVectors.Authorization(), signature).ToJson() };
}
