using System.Text.Json;
using Turnpike.Protocols.Http;

namespace Turnpike.Protocols.Mpp;

/// <summary>A challenge come back with a proof of payment: <c>Authorization: Payment …</c>. Parsed, not believed.</summary>
public sealed record MppCredential
{
    /// <summary>Longest header value that is read, in characters.</summary>
    public const int MaxLength = 32 * 1024;

    /// <summary>The challenge as echoed; believe it after <see cref="ChallengeSigner.Verify"/>.</summary>
    public required Challenge Challenge { get; init; }

    /// <summary>The method's proof, always an object.</summary>
    public required JsonElement Payload { get; init; }

    /// <summary>Who says to have paid, as a DID such as <c>did:pkh:eip155:8453:0x…</c>.</summary>
    public string? Source { get; init; }

    /// <summary>The header value, scheme included.</summary>
    public string Encode() =>
        string.Concat(MppHeaders.Scheme, " ", Base64Url.Encode(JsonSerializer.SerializeToUtf8Bytes(this, MppJson.Default.MppCredential)));

    /// <summary>Reads the one Payment credential of a header value. Never throws.</summary>
    /// <remarks>
    /// Takes padding and the standard alphabet, other schemes beside it (<c>Bearer x, Payment y</c>), the request and
    /// the opaque as text or, from older clients, as objects, which are then canonicalised. Refuses more than one
    /// Payment credential, more than 32 KiB, more than 32 levels, duplicate keys and an empty challenge id.
    /// </remarks>
    public static MppCredentialResult Decode(string? headerValue)
    {
        if (headerValue is null || !headerValue.Contains(MppHeaders.Scheme, StringComparison.OrdinalIgnoreCase)) return MppCredentialResult.None;
        string? token = null;
        // Credentials of this scheme hold neither quotes nor commas, so a comma always ends one.
        foreach (var range in headerValue.AsSpan().Split(','))
        {
            var part = headerValue.AsSpan()[range].Trim(" \t");
            if (!part.StartsWith(MppHeaders.Scheme, StringComparison.OrdinalIgnoreCase)) continue;
            var rest = part[MppHeaders.Scheme.Length..];
            if (rest.Length > 0 && rest[0] is not (' ' or '\t')) continue;
            // The reference takes the first silently; another reader may take the last.
            if (token is not null) return MppCredentialResult.Malformed(MppCredentialErrors.MoreThanOne);
            token = rest.Trim(" \t").ToString();
        }
        return token is null ? MppCredentialResult.None
             : headerValue.Length > MaxLength ? MppCredentialResult.Malformed(MppCredentialErrors.TooLong)
             : DecodeToken(token);
    }

    private static MppCredentialResult DecodeToken(string token)
    {
        if (token.Length == 0 || Base64Url.DecodeLenient(token) is not { } json) return MppCredentialResult.Malformed(MppCredentialErrors.Base64);
        if (StrictJson.Parse(json) is not { ValueKind: JsonValueKind.Object } root) return MppCredentialResult.Malformed(MppCredentialErrors.Json);
        if (!root.TryGetProperty("challenge", out var echoed) || echoed.ValueKind != JsonValueKind.Object
            || ReadChallenge(echoed) is not { } challenge)
        {
            return MppCredentialResult.Malformed(MppCredentialErrors.Challenge);
        }
        if (!root.TryGetProperty("payload", out var payload) || payload.ValueKind != JsonValueKind.Object)
        {
            return MppCredentialResult.Malformed(MppCredentialErrors.Payload);
        }
        return TryText(root, "source", out var source)
            ? MppCredentialResult.Of(new MppCredential { Challenge = challenge, Payload = payload, Source = source })
            : MppCredentialResult.Malformed(MppCredentialErrors.Source);
    }

    private static Challenge? ReadChallenge(JsonElement echoed)
    {
        if (!TryText(echoed, "id", out var id) || string.IsNullOrEmpty(id)) return null;
        if (!TryText(echoed, "realm", out var realm) || realm is null) return null;
        if (!TryText(echoed, "method", out var method) || method is null) return null;
        if (!TryText(echoed, "intent", out var intent) || intent is null) return null;
        if (!TryText(echoed, "expires", out var expires) || !TryText(echoed, "digest", out var digest)) return null;
        if (!TryText(echoed, "description", out var description) || !TryText(echoed, "header", out var header)) return null;
        if (!TryTextOrObject(echoed, "request", flat: false, out var request) || request is null) return null;
        if (!TryTextOrObject(echoed, "opaque", flat: true, out var opaque)) return null;
        return new Challenge
        {
            Id = id, Realm = realm, Method = method, Intent = intent, Request = request,
            Expires = expires, Digest = digest, Opaque = opaque, Description = description, Header = header,
        };
    }

    // Absent and null are the same: null. Anything but text is a fault.
    private static bool TryText(JsonElement element, string name, out string? text)
    {
        text = null;
        if (!element.TryGetProperty(name, out var member) || member.ValueKind == JsonValueKind.Null) return true;
        if (member.ValueKind != JsonValueKind.String) return false;
        text = member.GetString();
        return true;
    }

    private static bool TryTextOrObject(JsonElement element, string name, bool flat, out string? text)
    {
        text = null;
        if (!element.TryGetProperty(name, out var member) || member.ValueKind != JsonValueKind.Object) return TryText(element, name, out text);
        if ((flat && !ChallengeOpaque.IsFlat(member)) || CanonicalJson.ToBytes(member) is not { } canonical) return false;
        text = Base64Url.Encode(canonical);
        return true;
    }
}
