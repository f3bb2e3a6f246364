using System.Text.Json;
using System.Text.Json.Serialization;

namespace Turnpike.Payments.Stripe;

/// <summary>
/// What collecting a Stripe charge needs, kept with the hold. <see cref="Spt"/> is the payer's single-use Shared Payment Token: a
/// credential, kept only so that a crash can be recovered from under the same idempotency key, and never logged or shown.
/// </summary>
internal sealed record StripeTerms(string Challenge, string Spt, long Amount, string Currency)
{
    /// <summary>From the challenge alone: with the token in it, a token minted anew would charge the same challenge twice (pympp#155).</summary>
    [JsonIgnore]
    public string IdempotencyKey => "turnpike_" + Challenge;

    public string ToJson() => JsonSerializer.Serialize(this, StripeJson.Default.StripeTerms);

    /// <summary>Reads what <see cref="ToJson"/> wrote; null for anything else.</summary>
    public static StripeTerms? FromJson(string? json)
    {
        if (json is null) return null;
        try { return JsonSerializer.Deserialize(json, StripeJson.Default.StripeTerms); }
        catch (JsonException) { return null; }
    }

    /// <summary>The token stays out of whatever prints a record.</summary>
    public override string ToString() => $"{Amount} {Currency} for {Challenge}";
}

/// <summary>A PaymentIntent or a refund, or the error there is instead, as far as it matters here.</summary>
internal sealed record StripeReply
{
    public string? Id { get; init; }

    public string? Status { get; init; }

    public long? Amount { get; init; }

    public string? Currency { get; init; }

    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    public StripeError? Error { get; init; }
}

/// <summary>Stripe's error object.</summary>
internal sealed record StripeError
{
    public string? Type { get; init; }

    public string? Code { get; init; }

    public string? DeclineCode { get; init; }
}

/// <summary>The answer of a search or a list.</summary>
internal sealed record StripeList
{
    public IReadOnlyList<StripeReply> Data { get; init; } = [];
}

/// <summary>Stripe's JSON and our own.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(StripeTerms))]
[JsonSerializable(typeof(StripeRefund))]
[JsonSerializable(typeof(StripeReply))]
[JsonSerializable(typeof(StripeList))]
internal sealed partial class StripeJson : JsonSerializerContext;
