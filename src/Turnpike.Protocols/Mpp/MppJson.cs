using System.Text.Json.Serialization;

namespace Turnpike.Protocols.Mpp;

/// <summary>Generated JSON code for what MPP puts into headers.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(MppCredential))]
[JsonSerializable(typeof(MppReceipt))]
[JsonSerializable(typeof(EvmAuthorizationPayload))]
[JsonSerializable(typeof(StripePayload))]
public sealed partial class MppJson : JsonSerializerContext;
