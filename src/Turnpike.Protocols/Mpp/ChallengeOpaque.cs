using System.Text.Json;
using Turnpike.Protocols.Http;

namespace Turnpike.Protocols.Mpp;

/// <summary>What the server lets its challenge carry and gets back unchanged: a flat object of strings.</summary>
public static class ChallengeOpaque
{
    /// <summary>Base64url of the canonical JSON of <paramref name="members"/>.</summary>
    /// <exception cref="ArgumentException">A key appears twice, or a text is not sound UTF-16.</exception>
    public static string Encode(params ReadOnlySpan<KeyValuePair<string, string>> members) =>
        Base64Url.Encode(CanonicalJson.ToBytes(members) ?? throw new ArgumentException("the members have no canonical form", nameof(members)));

    /// <summary>The members; null if <paramref name="opaque"/> is absent, malformed or not a flat object of strings.</summary>
    public static IReadOnlyDictionary<string, string>? Decode(string? opaque)
    {
        if (opaque is null || Base64Url.DecodeLenient(opaque) is not { } json) return null;
        if (StrictJson.Parse(json) is not { } element || !IsFlat(element)) return null;
        var members = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var member in element.EnumerateObject()) members.Add(member.Name, member.Value.GetString()!);
        return members;
    }

    internal static bool IsFlat(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object) return false;
        foreach (var member in element.EnumerateObject())
        {
            if (member.Value.ValueKind != JsonValueKind.String) return false;
        }
        return true;
    }
}
