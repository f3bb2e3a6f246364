using System.Text.Json;
using System.Text.Json.Serialization;
using Turnpike.Ledger;

namespace Turnpike.Payments.Refunds;

/// <summary>What a refund is of and how it goes, kept with its hold. <see cref="Rail"/> is the rail's own and may be a credential: never shown.</summary>
/// <param name="Of">The receipt of the payment.</param>
internal sealed record RefundTerms(string Of, string As, string Reason, string? Rail)
{
    public string ToJson() => JsonSerializer.Serialize(this, RefundJson.Default.RefundTerms);

    /// <summary>Null when the hold is no refund.</summary>
    public static RefundTerms? From(HoldState state) => state.Hold.IsRefund && state.Hold.Terms is { } json ? JsonSerializer.Deserialize(json, RefundJson.Default.RefundTerms) : null;

    /// <summary>What the rail is asked stays out of whatever prints a record.</summary>
    public override string ToString() => $"refund of {Of} as {As}";
}

/// <summary>The JSON kept with refunds.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RefundTerms))]
internal sealed partial class RefundJson : JsonSerializerContext;
