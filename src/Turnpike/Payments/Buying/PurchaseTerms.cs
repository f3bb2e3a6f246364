using System.Text.Json;
using System.Text.Json.Serialization;
using Turnpike.Ledger;
using Turnpike.Payments.Evm;

namespace Turnpike.Payments.Buying;

/// <summary>What is kept with the hold of a payment to an upstream: what it was for, and how to ask what became of it.</summary>
/// <param name="For">The receipt of the call it was made for.</param>
/// <param name="Wallet">The wallet's name.</param>
/// <param name="Host">Who was paid, as it is called.</param>
internal sealed record PurchaseTerms(string For, string Wallet, string Host, string Protocol)
{
    /// <summary>The signed transfer, without its signature: what it is asked for by. Null for a token.</summary>
    public AuthorizationTerms? Authorization { get; init; }

    public string ToJson() => JsonSerializer.Serialize(this, PurchaseJson.Default.PurchaseTerms);

    public static PurchaseTerms? From(HoldState state) => state.Hold.IsPurchase && state.Hold.Terms is { } json ? JsonSerializer.Deserialize(json, PurchaseJson.Default.PurchaseTerms) : null;
}

/// <summary>The JSON kept with purchases.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PurchaseTerms))]
internal sealed partial class PurchaseJson : JsonSerializerContext;
