using System.Text.Json;

namespace Turnpike.Protocols.Mpp;

/// <summary>The payload of <c>stripe</c> charge: a Shared Payment Token and, from newer clients, the request's external id.</summary>
public sealed record StripePayload
{
    private const int MaxLength = 255;

    /// <summary><c>spt_…</c>; letters, digits, <c>_</c> and <c>-</c> only.</summary>
    public required string Spt { get; init; }

    /// <summary>Absent is fine, as the request already binds it; a different value than the request's must be refused.</summary>
    public string? ExternalId { get; init; }

    /// <summary>Reads a credential's payload; null, with a reason, if it is malformed. Never throws.</summary>
    public static StripePayload? Parse(JsonElement payload, out string? error)
    {
        error = "the payload misses spt or holds a member of a wrong type";
        if (payload.ValueKind != JsonValueKind.Object) return null;
        try
        {
            if (payload.Deserialize(MppJson.Default.StripePayload) is not { } read) return null;
            error = !IsToken(read.Spt) ? "spt is not a shared payment token" : read.ExternalId is { Length: > MaxLength } ? "externalId is too long" : null;
            return error is null ? read : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static bool IsToken(string spt)
    {
        if (!spt.StartsWith("spt_", StringComparison.Ordinal) || spt.Length is 4 or > MaxLength) return false;
        foreach (var c in spt)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-')) return false;
        }
        return true;
    }
}
