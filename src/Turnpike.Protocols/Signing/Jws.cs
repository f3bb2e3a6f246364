using System.Text;
using System.Text.Json;
using Turnpike.Protocols.Http;

namespace Turnpike.Protocols.Signing;

/// <summary>
/// Signed documents in the compact form (RFC 7515 §3.1), ES256 and nothing else. The header says what the document is (<c>typ</c>,
/// RFC 8725 §3.11) and which key signed it (<c>kid</c>): a receipt is never taken for a checkpoint.
/// </summary>
public static class Jws
{
    public const string Algorithm = "ES256";

    private const int MostText = 1024 * 1024;

    /// <summary>The signed text of a document.</summary>
    /// <param name="typ">What it is, such as <c>turnpike-receipt+jwt</c>: plain ASCII without quotes.</param>
    public static string Sign(ReadOnlySpan<byte> payload, string typ, SigningKey key)
    {
        var header = Encoding.UTF8.GetBytes($$"""{"alg":"{{Algorithm}}","kid":"{{key.Public.Id}}","typ":"{{typ}}"}""");
        var signed = $"{Base64Url.Encode(header)}.{Base64Url.Encode(payload)}";
        return $"{signed}.{Base64Url.Encode(key.Sign(Encoding.ASCII.GetBytes(signed)))}";
    }

    /// <summary>The document, if one of these keys signed it as what it is taken for; else why not. Never throws.</summary>
    public static JwsResult Verify(ReadOnlySpan<char> text, string typ, JwkSet keys)
    {
        if (text.Length > MostText) return JwsResult.Refused("The signed document is too long.");
        var (first, last) = (text.IndexOf('.'), text.LastIndexOf('.'));
        if (first < 0 || first == last || text[(first + 1)..last].Contains('.')) return JwsResult.Refused("A signed document has three parts.");
        if (Base64Url.Decode(text[..first]) is not { } head || Base64Url.Decode(text[(first + 1)..last]) is not { } payload || Base64Url.Decode(text[(last + 1)..]) is not { } signature)
            return JwsResult.Refused("A part of the signed document is not base64url.");
        if (StrictJson.Parse(head) is not { ValueKind: JsonValueKind.Object } header) return JwsResult.Refused("The header is not a JSON object.");
        // The key decides the algorithm, never the document: "none" and HMAC with a public key end here (RFC 8725 §3.1).
        if (Text(header, "alg") != Algorithm) return JwsResult.Refused($"The algorithm is not {Algorithm}.");
        if (header.TryGetProperty("crit", out _)) return JwsResult.Refused("The header demands an extension that is not known here.");
        if (Text(header, "typ") != typ) return JwsResult.Refused($"The document is not a {typ}.");
        if (Text(header, "kid") is not { } id || keys.Find(id) is not { } key) return JwsResult.Refused("None of the keys given signed this.");
        return key.Verifies(Encoding.ASCII.GetBytes(text[..last].ToArray()), signature) ? new JwsResult(payload, key, null) : JwsResult.Refused("The signature does not fit the document.");
    }

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}

/// <summary>A document somebody signed, and who; or why it is not believed.</summary>
public sealed record JwsResult(byte[]? Payload, Jwk? Key, string? Failure)
{
    internal static JwsResult Refused(string failure) => new(null, null, failure);
}
