using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Turnpike.Protocols.Http;

namespace Turnpike.Protocols.Signing;

/// <summary>
/// A JSON Web Token as it was written (RFC 7519, 7515 §3.1), not yet believed. Whatever its header says about where keys are
/// (<c>jku</c>, <c>x5u</c>, <c>jwk</c>) is not looked at.
/// </summary>
public sealed class Jwt
{
    /// <summary>Longest text that is read, in characters.</summary>
    public const int MaxLength = 16 * 1024;

    private readonly byte[] signed;
    private readonly byte[] signature;

    private Jwt(JsonElement header, JsonElement claims, byte[] signed, byte[] signature) => (Header, Claims, this.signed, this.signature) = (header, claims, signed, signature);

    public JsonElement Header { get; }

    public JsonElement Claims { get; }

    public string Algorithm => Text(Header, "alg") ?? "";

    public string? KeyId => Text(Header, "kid");

    /// <summary>What it says it is; empty when it says nothing.</summary>
    public string Type => Text(Header, "typ") ?? "";

    /// <summary>Has it the form of a token: three parts, the first a JSON object? Cheap, and says nothing about the rest.</summary>
    public static bool LooksLike(ReadOnlySpan<char> text) => text.StartsWith("ey") && text.Count('.') == 2;

    /// <summary>The token, or null if it is none: too long, not base64url, names twice, or a demand (<c>crit</c>) nobody here knows.</summary>
    public static Jwt? Read(string text)
    {
        if (text.Length > MaxLength || !LooksLike(text)) return null;
        var (first, last) = (text.IndexOf('.', StringComparison.Ordinal), text.LastIndexOf('.'));
        if (Base64Url.Decode(text.AsSpan(0, first)) is not { } head || Base64Url.Decode(text.AsSpan(first + 1, last - first - 1)) is not { } body || Base64Url.Decode(text.AsSpan(last + 1)) is not { } signature) return null;
        if (StrictJson.Parse(head) is not { ValueKind: JsonValueKind.Object } header || StrictJson.Parse(body) is not { ValueKind: JsonValueKind.Object } claims) return null;
        return header.TryGetProperty("crit", out _) || header.TryGetProperty("b64", out _) ? null : new Jwt(header, claims, Encoding.ASCII.GetBytes(text[..last]), signature);
    }

    public bool IsSignedBy(PublicKey key) => key.Verifies(Algorithm, signed, signature);

    /// <summary>HMAC with a secret both sides have. Only where a secret is configured: a public key is never one.</summary>
    public bool IsSignedBy(ReadOnlySpan<byte> secret)
    {
        byte[]? expected = Algorithm switch
        {
            "HS256" => HMACSHA256.HashData(secret, signed),
            "HS384" => HMACSHA384.HashData(secret, signed),
            "HS512" => HMACSHA512.HashData(secret, signed),
            _ => null,
        };
        return expected is not null && CryptographicOperations.FixedTimeEquals(expected, signature);
    }

    /// <summary>A claim that is text; a path into claims is made of names and dots where no claim has the whole name.</summary>
    public string? Claim(string name) => Find(name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    /// <summary>A claim that is a text or a list of texts (<c>aud</c>, RFC 7519 §4.1.3).</summary>
    public IReadOnlyList<string>? Texts(string name) => Find(name) switch
    {
        { ValueKind: JsonValueKind.String } text => [text.GetString()!],
        { ValueKind: JsonValueKind.Array } list when list.EnumerateArray().All(v => v.ValueKind == JsonValueKind.String) => [.. list.EnumerateArray().Select(v => v.GetString()!)],
        _ => null,
    };

    /// <summary>A claim that is one text of words between spaces (<c>scope</c>, RFC 9068 §2.2.3), or a list of them.</summary>
    public IReadOnlyList<string>? Words(string name) => Texts(name) is not { } texts ? null : [.. texts.SelectMany(t => t.Split(' ', StringSplitOptions.RemoveEmptyEntries))];

    /// <summary>A moment, in whole seconds since 1970; fractions are cut off.</summary>
    public long? Moment(string name) => Find(name) is { ValueKind: JsonValueKind.Number } value && value.TryGetDecimal(out var seconds) && decimal.Abs(seconds) < 253_402_300_800 ? (long)seconds : null;

    public bool Has(string name) => Find(name) is not null;

    private JsonElement? Find(string name)
    {
        if (Claims.TryGetProperty(name, out var value)) return value;
        var at = Claims;
        foreach (var step in name.Split('.'))
            if (at.ValueKind != JsonValueKind.Object || !at.TryGetProperty(step, out at)) return null;
        return at;
    }

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
