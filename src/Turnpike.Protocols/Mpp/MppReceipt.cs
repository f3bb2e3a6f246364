using System.Text.Json;
using Turnpike.Protocols.Http;

namespace Turnpike.Protocols.Mpp;

/// <summary>What <c>Payment-Receipt</c> says about a payment that succeeded; there are no receipts for failures.</summary>
public sealed record MppReceipt
{
    /// <summary>Longest header value that is read, in characters.</summary>
    public const int MaxLength = 16 * 1024;

    public required string Method { get; init; }

    /// <summary>What the rail calls the payment: transaction hash, <c>pi_…</c>, channel id.</summary>
    public required string Reference { get; init; }

    public string Status { get; init; } = "success";

    /// <summary>RFC 3339, UTC.</summary>
    public required string Timestamp { get; init; }

    public string? ChallengeId { get; init; }

    public string? ExternalId { get; init; }

    public long? ChainId { get; init; }

    /// <summary>The header value: base64url of the JSON.</summary>
    public string Encode() => Base64Url.Encode(JsonSerializer.SerializeToUtf8Bytes(this, MppJson.Default.MppReceipt));

    /// <summary>Reads a header value; null if it is malformed or its status is not <c>success</c>. Unknown members are ignored.</summary>
    public static MppReceipt? Decode(string? value)
    {
        if (value is null or { Length: > MaxLength } || Base64Url.DecodeLenient(value) is not { } json) return null;
        if (StrictJson.Parse(json) is not { ValueKind: JsonValueKind.Object } element) return null;
        try
        {
            return element.Deserialize(MppJson.Default.MppReceipt) is { Status: "success" } receipt ? receipt : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
