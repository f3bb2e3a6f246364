using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;

namespace Turnpike.Protocols.X402;

/// <summary>JSON in a header: written as standard padded base64, which is all the SDKs read, and read in either alphabet with or without padding.</summary>
public static class X402Header
{
    /// <summary>The longest header that is looked at, in characters.</summary>
    public const int MaxLength = 16 * 1024;

    private const int Padding = 3;

    /// <summary>The terms, for PAYMENT-REQUIRED.</summary>
    public static string Encode(PaymentRequired terms) => Encode(terms, X402Json.Wire.PaymentRequired);

    /// <summary>A payment, for PAYMENT-SIGNATURE.</summary>
    public static string Encode(PaymentPayload payment) => Encode(payment, X402Json.Wire.PaymentPayload);

    /// <summary>A payment, for X-PAYMENT.</summary>
    public static string Encode(PaymentPayloadV1 payment) => Encode(payment, X402Json.Wire.PaymentPayloadV1);

    /// <summary>A receipt, for PAYMENT-RESPONSE and X-PAYMENT-RESPONSE.</summary>
    public static string Encode(SettleResponse receipt) => Encode(receipt, X402Json.Wire.SettleResponse);

    /// <summary>Reads PAYMENT-SIGNATURE or X-PAYMENT; never throws, whatever the text.</summary>
    public static X402Decoded Decode(string header)
    {
        if (header.Length > MaxLength) return new() { Malformed = X402Malformed.TooLarge };
        var buffer = ArrayPool<byte>.Shared.Rent(header.Length + Padding);
        try
        {
            if (!TryBytes(header, buffer, out var json)) return new() { Malformed = X402Malformed.NotBase64 };
            if (ReadVersion(json, out var version) is { } malformed) return new() { Malformed = malformed };
            var decoded = version == 2
                ? new X402Decoded { Version = 2, Payment = Read(json, X402Json.Wire.PaymentPayload) }
                : new X402Decoded { Version = 1, PaymentV1 = Read(json, X402Json.Wire.PaymentPayloadV1) };
            return IsWhole(decoded) ? decoded : new() { Version = version, Malformed = X402Malformed.MissingFields };
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Reads PAYMENT-REQUIRED, as a caller does; null when it is not v2 terms.</summary>
    public static PaymentRequired? DecodeTerms(string header) =>
        DecodeOther(header, X402Json.Wire.PaymentRequired) is { X402Version: 2, Accepts.Count: > 0 } terms && !terms.Accepts.Contains(null!)
            ? terms
            : null;

    /// <summary>Reads PAYMENT-RESPONSE, as a caller does; null when it is no receipt.</summary>
    public static SettleResponse? DecodeReceipt(string header) => DecodeOther(header, X402Json.Wire.SettleResponse);

    private static string Encode<T>(T value, JsonTypeInfo<T> type) => Convert.ToBase64String(JsonSerializer.SerializeToUtf8Bytes(value, type));

    private static T? DecodeOther<T>(string header, JsonTypeInfo<T> type) where T : class =>
        header.Length <= MaxLength && TryBytes(header, new byte[header.Length + Padding], out var json) && Utf8.IsValid(json)
            ? Read(json, type)
            : null;

    private static bool TryBytes(ReadOnlySpan<char> header, Span<byte> buffer, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        var length = header.Length;
        for (var i = 0; i < 2 && length > 0 && header[length - 1] == '='; i++) length--;
        for (var i = 0; i < length; i++)
        {
            var c = header[i];
            // White space, which .NET's decoder skips, would give one payment many spellings.
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('+' or '/' or '-' or '_')) return false;
            buffer[i] = c switch { '-' => (byte)'+', '_' => (byte)'/', _ => (byte)c };
        }
        if (length == 0 || length % 4 == 1) return false;
        while (length % 4 != 0) buffer[length++] = (byte)'=';
        if (Base64.DecodeFromUtf8InPlace(buffer[..length], out var written) != OperationStatus.Done) return false;
        bytes = buffer[..written];
        return true;
    }

    /// <summary>Walks the whole document once, so that what is not JSON is told from what lacks members.</summary>
    private static X402Malformed? ReadVersion(ReadOnlySpan<byte> json, out int version)
    {
        version = 0;
        if (!Utf8.IsValid(json)) return X402Malformed.NotJson;
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = X402Json.MaxDepth });
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                reader.Skip();
                return reader.Read() ? X402Malformed.NotJson : X402Malformed.NotAnObject;
            }
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isVersion = reader.ValueTextEquals("x402Version"u8);
                reader.Read();
                if (isVersion && reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var number)) version = number;
                reader.Skip();
            }
            reader.Read();
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            return X402Malformed.NotJson;
        }
        return version is 1 or 2 ? null : X402Malformed.WrongVersion;
    }

    private static T? Read<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(json, type);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static bool IsWhole(X402Decoded decoded) =>
        (decoded.Payment?.Payload ?? decoded.PaymentV1?.Payload) is { ValueKind: JsonValueKind.Object }
        && decoded.Payment?.Extensions is null or { ValueKind: JsonValueKind.Object or JsonValueKind.Null };
}
