using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Protocols.Http;

namespace Turnpike.Billing.Leaks;

/// <summary><c>POST /webhooks/github/secret-scanning</c>: what GitHub found in public, signed over the raw body; answered with what was ours.</summary>
internal static class SecretScanningApi
{
    private const int MostBody = 16 * 1024 * 1024, MostMatches = 20_000;

    public static void MapSecretScanning(this WebApplication app) => app.MapPost("/webhooks/github/secret-scanning", async (HttpRequest request, CatalogSource catalog, GithubKeys keys, LeakedCredentials leaks, CancellationToken ct) =>
    {
        if (catalog.Current.Settings.Get<LeakSettings>() is not { Github: { } url } settings) return BuyAnswers.Problem(Reasons.NotFound, "GitHub tells us nothing here.");
        var (id, signature) = (request.Headers["Github-Public-Key-Identifier"].ToString(), request.Headers["Github-Public-Key-Signature"].ToString());
        if (id.Length is 0 or > 128 || signature.Length is 0 or > 160) return BuyAnswers.Problem(Reasons.InvalidSignature, "A report is signed, by Github-Public-Key-Identifier and Github-Public-Key-Signature.");
        if (await WebhooksApi.ReadAsync(request, MostBody, ct) is not { } body) return BuyAnswers.Problem(Reasons.MalformedRequest, $"A report has at most {MostBody / 1024 / 1024} MiB.");
        // Before anything of the body is looked at: whoever could report would end anybody's keys.
        if (await keys.HoldsAsync(url, id, signature, body, ct) is not { } holds) return BuyAnswers.Problem(Reasons.IssuerDown, "GitHub's keys cannot be had; tell it again.");
        if (!holds) return BuyAnswers.Problem(Reasons.InvalidSignature, "The signature does not fit the body.");
        return StrictJson.Parse(body) is { ValueKind: JsonValueKind.Array } matches && matches.GetArrayLength() <= MostMatches
            ? Results.Bytes(await AnswerAsync(matches, leaks, settings.Policy, ct), "application/json")
            : BuyAnswers.Problem(Reasons.MalformedRequest, $"A report is a list of at most {MostMatches} matches.");
    });

    /// <summary>The feedback: by hash, so that no key is written once more.</summary>
    private static async ValueTask<byte[]> AnswerAsync(JsonElement matches, LeakedCredentials leaks, LeakPolicy policy, CancellationToken ct)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            foreach (var match in matches.EnumerateArray())
            {
                if (Member(match, "token") is not { } token) continue;
                // Written large and small: COMMIT, Commit and commit are one source.
                var ours = await leaks.ReportAsync(token, Member(match, "source")?.ToLowerInvariant(), Member(match, "url"), policy, ct);
                json.WriteStartObject();
                json.WriteString("token_hash", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token))));
                json.WriteString("token_type", Member(match, "type") ?? "");
                json.WriteString("label", ours ? "true_positive" : "false_positive");
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        return buffer.ToArray();
    }

    private static string? Member(JsonElement match, string name) =>
        match.ValueKind == JsonValueKind.Object && match.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
