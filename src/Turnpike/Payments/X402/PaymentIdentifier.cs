using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Protocols.X402;

namespace Turnpike.Payments.X402;

/// <summary>
/// The extension <c>payment-identifier</c>: a name the client gives to its payload, so that it can be sent again
/// (x402-foundation/x402, specs/extensions/payment_identifier.md).
/// </summary>
internal static class PaymentIdentifier
{
    public const string Extension = "payment-identifier";
    private const int Least = 16, Most = 128;

    private static readonly JsonEncodedText Name = JsonEncodedText.Encode(Extension);

    public static void Write(Utf8JsonWriter json, bool required)
    {
        json.WriteStartObject(Name);
        json.WriteStartObject("info");
        json.WriteBoolean("required", required);
        json.WriteEndObject();
        json.WritePropertyName("schema");
        json.WriteRawValue("""{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"required":{"type":"boolean"},"id":{"type":"string","minLength":16,"maxLength":128}},"required":["required"]}"""u8, skipInputValidation: true);
        json.WriteEndObject();
    }

    /// <summary>The id, null without one. The refusal when it is none, or is missing where the owner asks for it.</summary>
    public static (string? Id, Refusal? Objection) Read(PaymentPayload payment, bool required)
    {
        var info = payment.Extensions is { ValueKind: JsonValueKind.Object } all && all.TryGetProperty(Extension, out var mine) && mine.ValueKind == JsonValueKind.Object && mine.TryGetProperty("info", out var said) ? said : default;
        if (info.ValueKind != JsonValueKind.Object || !info.TryGetProperty("id", out var id) || id.ValueKind == JsonValueKind.Null)
            return (null, required ? new Refusal(Reasons.MalformedRequest, $"The extension {Extension} needs an id here.") : null);
        return id.ValueKind == JsonValueKind.String && id.GetString() is { Length: >= Least and <= Most } text && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
            ? (text, null)
            : (null, new Refusal(Reasons.MalformedRequest, $"The id of the extension {Extension} is {Least} to {Most} letters, digits, dashes and underscores."));
    }
}
