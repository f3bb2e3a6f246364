using System.Net;
using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Protocols.Signing;

namespace Turnpike.Identity.OAuth;

/// <summary>
/// What a Know Your Agent token says beside who asks (KYAPay, draft-skyfire-oauth-kyapay-token): the agent, who runs it, the company
/// it acts for. Names of people, mail addresses and payment data are not read.
/// </summary>
internal static class KyaClaims
{
    /// <summary>Where such a token comes, beside <c>Authorization</c>.</summary>
    public const string Header = "skyfire-pay-id";

    private const int MostText = 128, MostPlaces = 32;

    public static readonly string[] Types = ["kya+jwt", "kya-pay+jwt"];

    /// <summary>Null, or why it is not for this seller.</summary>
    public static string? Objection(Jwt token, KyaTerms terms)
    {
        if (token.Claim("jti") is null || !token.Has("iat")) return "It has no number or no time.";
        if (terms.Service is { } service && token.Claim("ssi") != service) return "It is for another service.";
        if (terms.Domain is { } domain && token.Claim("sdm") != domain) return "It is for another domain.";
        if (terms.Environment is { } environment && token.Claim("env") != environment) return "It is of another environment.";
        return Part(token.Claims, "aid") is null ? "It names no agent." : null;
    }

    public static AgentIdentity Agent(Jwt token)
    {
        var (agent, platform, human) = (Part(token.Claims, "aid"), Part(token.Claims, "apd"), Part(token.Claims, "hid"));
        return new AgentIdentity(Text(agent, "name") ?? token.Claim("sub") ?? "?")
        {
            Operator = Text(platform, "organization_name") ?? Text(platform, "name"),
            LegalEntity = Text(human, "organization_name"),
            IsVerified = human is { } who && who.TryGetProperty("verified", out var verified) && verified.ValueKind == JsonValueKind.True,
        };
    }

    /// <summary>The places its agent says it calls from; null where it names none, or one that is no address and so cannot be compared.</summary>
    public static IReadOnlyList<(IPAddress First, IPAddress Last)>? Places(Jwt token)
    {
        if (Part(token.Claims, "aid") is not { } agent || !agent.TryGetProperty("source_ips", out var all) || all.ValueKind != JsonValueKind.Array || all.GetArrayLength() is 0 or > MostPlaces) return null;
        List<(IPAddress, IPAddress)> places = [];
        foreach (var one in all.EnumerateArray())
        {
            if (one.ValueKind != JsonValueKind.String || Place(one.GetString()!) is not { } place) return null;
            places.Add(place);
        }
        return places;
    }

    /// <summary>A token that was stolen is presented from elsewhere.</summary>
    public static bool IsFrom(IReadOnlyList<(IPAddress First, IPAddress Last)> places, string address) =>
        IPAddress.TryParse(address, out var here) && places.Any(p => Compare(p.First, here) is <= 0 && Compare(here, p.Last) is <= 0);

    private static (IPAddress, IPAddress)? Place(string text)
    {
        if (text.Split('-') is [var first, var last]) return IPAddress.TryParse(first, out var from) && IPAddress.TryParse(last, out var to) && Compare(from, to) is <= 0 ? (from, to) : null;
        if (IPAddress.TryParse(text, out var one)) return (one, one);
        if (!IPNetwork.TryParse(text, out var network)) return null;
        var bytes = network.BaseAddress.GetAddressBytes();
        for (var bit = network.PrefixLength; bit < bytes.Length * 8; bit++) bytes[bit / 8] |= (byte)(0x80 >> bit % 8);
        return (network.BaseAddress, new IPAddress(bytes));
    }

    /// <summary>Null for addresses of different kinds.</summary>
    private static int? Compare(IPAddress a, IPAddress b)
    {
        var (left, right) = (Plain(a), Plain(b));
        return left.Length == right.Length ? left.AsSpan().SequenceCompareTo(right) : null;
    }

    private static byte[] Plain(IPAddress address) => (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).GetAddressBytes();

    private static JsonElement? Part(JsonElement claims, string name) => claims.TryGetProperty(name, out var part) && part.ValueKind == JsonValueKind.Object ? part : null;

    private static string? Text(JsonElement? part, string name) =>
        part is { } json && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 and <= MostText } text && !text.Any(char.IsControl) ? text : null;
}
