using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Turnpike.Protocols.Http;

namespace Turnpike.Protocols.Mpp;

/// <summary>One offer to pay: <c>WWW-Authenticate: Payment id="…", realm="…", …</c> (draft-httpauth-payment §5.1).</summary>
/// <remarks>Values are kept as they stand on the wire, because <see cref="Id"/> is an HMAC over exactly those characters.</remarks>
public sealed record Challenge
{
    /// <summary>Longest header value that is written; clients need only take 4 KB.</summary>
    public const int MaxLength = 8 * 1024;

    /// <summary>Set by <see cref="ChallengeSigner.Sign"/>; empty before.</summary>
    public string Id { get; init; } = "";

    /// <summary>The public host the offer is for.</summary>
    public required string Realm { get; init; }

    /// <summary>How money moves: <c>evm</c>, <c>stripe</c>, <c>tempo</c> …; lower case.</summary>
    public required string Method { get; init; }

    /// <summary>What is bought: <c>charge</c>, <c>session</c> …</summary>
    public required string Intent { get; init; }

    /// <summary>Base64url of the canonical JSON of the method's terms.</summary>
    public required string Request { get; init; }

    /// <summary>RFC 3339, UTC; compared as an instant (<see cref="ExpiresAt"/>), signed as this text.</summary>
    public string? Expires { get; init; }

    /// <summary>Digest of the body the offer is for, see <see cref="ContentDigest"/>.</summary>
    public string? Digest { get; init; }

    /// <summary>Base64url of a flat canonical JSON object of strings, see <see cref="ChallengeOpaque"/>; clients echo it.</summary>
    public string? Opaque { get; init; }

    /// <summary>For display only; outside the HMAC.</summary>
    public string? Description { get; init; }

    /// <summary>The request header that shall carry the credential; absent means <c>Authorization</c>.</summary>
    public string? Header { get; init; }

    /// <summary><see cref="Expires"/> as an instant; null if absent or not RFC 3339.</summary>
    [JsonIgnore]
    public DateTimeOffset? ExpiresAt =>
        Expires is { Length: > 0 } text && (text[^1] == 'Z' || text.LastIndexOfAny(['+', '-']) > text.IndexOf('T'))
        && DateTimeOffset.TryParseExact(text, ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"],
            CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant)
            ? instant
            : null;

    /// <summary>The spelling the reference clients use: UTC, milliseconds, <c>Z</c>.</summary>
    public static string FormatExpires(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>The decoded <see cref="Request"/>; null if it is not base64url of one sound JSON object.</summary>
    public JsonElement? ReadRequest() =>
        Base64Url.DecodeLenient(Request) is { } json && StrictJson.Parse(json) is { ValueKind: JsonValueKind.Object } terms ? terms : null;

    /// <summary>Why this challenge cannot be signed or written, or null. A <c>|</c> would shift the slots of the HMAC; CR or LF would add headers.</summary>
    public string? FindFault()
    {
        if (Realm.Length == 0) return "realm is empty";
        if (!IsMethod(Method)) return "method is not a lower-case name";
        if (Intent.Length == 0) return "intent is empty";
        if (Request.Length == 0) return "request is empty";
        if (IsUnsafe(Realm) || IsUnsafe(Intent) || IsUnsafe(Request)) return "a value holds '|' or a control character";
        if (IsUnsafe(Expires) || IsUnsafe(Digest) || IsUnsafe(Opaque) || IsUnsafe(Header)) return "a value holds '|' or a control character";
        return null;
    }

    /// <summary>The header value, scheme included. Parameters that are null are left out.</summary>
    /// <exception cref="InvalidOperationException">The challenge has no id, has a <see cref="FindFault">fault</see> or is longer than <see cref="MaxLength"/>.</exception>
    /// <exception cref="ArgumentException">The description holds a control character.</exception>
    public string Write()
    {
        if (Id.Length == 0) throw new InvalidOperationException("the challenge is not signed");
        if (FindFault() is { } fault) throw new InvalidOperationException(fault);
        var text = new StringBuilder(512).Append(MppHeaders.Scheme).Append(' ');
        Append(text, "id", Id);
        Append(text.Append(", "), "realm", Realm);
        Append(text.Append(", "), "method", Method);
        Append(text.Append(", "), "intent", Intent);
        Append(text.Append(", "), "request", Request);
        if (Description is not null) Append(text.Append(", "), "description", Description);
        if (Digest is not null) Append(text.Append(", "), "digest", Digest);
        if (Expires is not null) Append(text.Append(", "), "expires", Expires);
        if (Opaque is not null) Append(text.Append(", "), "opaque", Opaque);
        if (Header is not null) Append(text.Append(", "), "header", Header);
        if (text.Length > MaxLength) throw new InvalidOperationException($"the challenge is longer than {MaxLength} characters");
        return text.ToString();
    }

    /// <summary>The first Payment challenge of a header value; null, with a reason, if there is none or one is malformed.</summary>
    public static Challenge? Parse(string? value, out string? error)
    {
        var all = ParseAll(value, out error);
        if (all is { Count: 0 }) error = "there is no Payment challenge";
        return all is { Count: > 0 } ? all[0] : null;
    }

    /// <summary>Every Payment challenge of a header value, other schemes skipped; null, with a reason, if the value is malformed.</summary>
    public static IReadOnlyList<Challenge>? ParseAll(string? value, out string? error)
    {
        if (AuthParams.Parse(value, out error) is not { } schemes) return null;
        var challenges = new List<Challenge>();
        foreach (var scheme in schemes)
        {
            if (!scheme.Is(MppHeaders.Scheme)) continue;
            if (Read(scheme.Parameters, out error) is not { } challenge) return null;
            challenges.Add(challenge);
        }
        return challenges;
    }

    internal static bool IsMethod(string method)
    {
        if (method.Length == 0 || !char.IsAsciiLetterLower(method[0])) return false;
        foreach (var c in method)
        {
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c is not (':' or '_' or '-')) return false;
        }
        return true;
    }

    private static Challenge? Read(IReadOnlyDictionary<string, string> parameters, out string? error)
    {
        var challenge = new Challenge
        {
            Id = parameters.GetValueOrDefault("id", ""),
            Realm = parameters.GetValueOrDefault("realm", ""),
            Method = parameters.GetValueOrDefault("method", ""),
            Intent = parameters.GetValueOrDefault("intent", ""),
            Request = parameters.GetValueOrDefault("request", ""),
            Expires = parameters.GetValueOrDefault("expires"),
            Digest = parameters.GetValueOrDefault("digest"),
            Opaque = parameters.GetValueOrDefault("opaque"),
            Description = parameters.GetValueOrDefault("description"),
            Header = parameters.GetValueOrDefault("header"),
        };
        error = challenge.Id.Length == 0 ? "id is empty" : challenge.FindFault();
        if (error is null && challenge.ReadRequest() is null) error = "request is not base64url of a JSON object";
        return error is null ? challenge : null;
    }

    private static bool IsUnsafe(string? value) =>
        value is not null && (value.Contains('|') || value.AsSpan().ContainsAnyInRange('\0', '\x1f') || value.Contains('\x7f'));

    private static void Append(StringBuilder text, string name, string value) => AuthParams.AppendQuoted(text, name, value);
}
