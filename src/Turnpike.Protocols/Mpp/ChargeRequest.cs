using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Turnpike.Protocols.Evm;
using Turnpike.Protocols.Http;

namespace Turnpike.Protocols.Mpp;

/// <summary>Builds the <c>request</c> of a charge: base64url of canonical JSON, amounts as text in the rail's smallest unit.</summary>
/// <remarks>
/// Exactly what mppx's own server writes and its client reads (src/evm/Methods.ts, src/stripe/Methods.ts and their
/// client/Charge.ts). The evm client pays if <c>credentialTypes</c> names <c>authorization</c> and there are no
/// <c>splits</c>; it takes the token's EIP-712 name and version from its own settings. The stripe client needs
/// <c>networkId</c> and refuses a <c>metadata.externalId</c>.
/// </remarks>
public static class ChargeRequest
{
    public const string Intent = "charge";
    public const string EvmMethod = "evm";
    public const string StripeMethod = "stripe";

    private static readonly JsonEncodedText Authorization = JsonEncodedText.Encode("authorization");

    /// <summary>
    /// <c>{amount, currency, externalId?, methodDetails: {chainId, credentialTypes: ["authorization"], decimals,
    /// permit2Address?}, recipient}</c>; addresses in their checksum spelling.
    /// </summary>
    public static string Evm(
        UInt128 amount, Address currency, Address recipient, long chainId, int decimals, Address? permit2 = null, string? externalId = null)
    {
        var target = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(target))
        {
            json.WriteStartObject();
            json.WriteString("amount", amount.ToString(CultureInfo.InvariantCulture));
            json.WriteString("currency", currency.ToString());
            json.WriteString("recipient", recipient.ToString());
            if (externalId is not null) json.WriteString("externalId", externalId);
            json.WriteStartObject("methodDetails");
            json.WriteNumber("chainId", chainId);
            json.WriteNumber("decimals", decimals);
            if (permit2 is { } spender) json.WriteString("permit2Address", spender.ToString());
            json.WriteStartArray("credentialTypes");
            json.WriteStringValue(Authorization);
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return Encode(target);
    }

    /// <summary>
    /// <c>{amount, currency, externalId?, methodDetails: {metadata?, networkId, paymentMethodTypes}}</c>; amount in the
    /// currency's minor unit, currency as lower-case ISO 4217, networkId a Stripe profile (<c>profile_…</c>).
    /// </summary>
    /// <exception cref="ArgumentException">No payment method type, or metadata holds <c>externalId</c>, at which the client refuses to pay.</exception>
    public static string Stripe(
        long amount,
        string currency,
        string networkId,
        IReadOnlyList<string> paymentMethodTypes,
        IReadOnlyDictionary<string, string>? metadata = null,
        string? externalId = null)
    {
        if (paymentMethodTypes.Count == 0) throw new ArgumentException("a payment method type is needed", nameof(paymentMethodTypes));
        if (metadata?.ContainsKey("externalId") is true) throw new ArgumentException("'externalId' is reserved", nameof(metadata));
        var target = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(target))
        {
            json.WriteStartObject();
            json.WriteString("amount", amount.ToString(CultureInfo.InvariantCulture));
            json.WriteString("currency", currency.ToLowerInvariant());
            if (externalId is not null) json.WriteString("externalId", externalId);
            json.WriteStartObject("methodDetails");
            json.WriteString("networkId", networkId);
            json.WriteStartArray("paymentMethodTypes");
            foreach (var type in paymentMethodTypes) json.WriteStringValue(type);
            json.WriteEndArray();
            if (metadata is not null) WriteMetadata(json, metadata);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return Encode(target);
    }

    private static void WriteMetadata(Utf8JsonWriter json, IReadOnlyDictionary<string, string> metadata)
    {
        json.WriteStartObject("metadata");
        foreach (var (name, value) in metadata) json.WriteString(name, value);
        json.WriteEndObject();
    }

    private static string Encode(ArrayBufferWriter<byte> json) =>
        Base64Url.Encode(CanonicalJson.ToBytes(json.WrittenSpan) ?? throw new ArgumentException("the terms have no canonical form"));
}
