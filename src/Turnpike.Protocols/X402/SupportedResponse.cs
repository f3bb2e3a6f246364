using System.Text.Json;

namespace Turnpike.Protocols.X402;

/// <summary>What a facilitator can do.</summary>
public sealed record SupportedResponse
{
    public required IReadOnlyList<SupportedKind> Kinds { get; init; }
    public IReadOnlyList<string>? Extensions { get; init; }

    /// <summary>Its addresses by CAIP-2 pattern, such as <c>eip155:*</c>.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? Signers { get; init; }
}

/// <summary>One scheme on one network; <c>extra</c> is merged into the requirements a server offers.</summary>
public sealed record SupportedKind
{
    public required int X402Version { get; init; }
    public required string Scheme { get; init; }
    public required string Network { get; init; }
    public JsonElement? Extra { get; init; }
}
