using System.Collections.Concurrent;
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
    private const int MostBody = 16 * 1024 * 1024, MostMatches = 20_000, AtOnce = 64;

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
            ? Results.Bytes(await AnswerAsync(matches, leaks, settings.Policy), "application/json")
            : BuyAnswers.Problem(Reasons.MalformedRequest, $"A report is a list of at most {MostMatches} matches.");
    });

    /// <summary>
    /// The feedback: by hash, so that no key is written once more. What was found in a thousand places is one leak; many are ended at once,
    /// since GitHub waits half a minute, and all of them, also when it has gone.
    /// </summary>
    private static async ValueTask<byte[]> AnswerAsync(JsonElement matches, LeakedCredentials leaks, LeakPolicy policy)
    {
        var found = matches.EnumerateArray().Where(match => Member(match, "token") is not null).ToList();
        var ours = new ConcurrentDictionary<string, bool>(StringComparer.Ordinal);
        // Written large and small: COMMIT, Commit and commit are one source.
        await Parallel.ForEachAsync(found.DistinctBy(match => Member(match, "token")), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (match, ct) =>
            ours[Member(match, "token")!] = await leaks.ReportAsync(Member(match, "token")!, Member(match, "source")?.ToLowerInvariant(), Member(match, "url"), policy, ct));
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            foreach (var match in found)
            {
                var token = Member(match, "token")!;
                json.WriteStartObject();
                json.WriteString("token_hash", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token))));
                json.WriteString("token_type", Member(match, "type") ?? "");
                json.WriteString("label", ours[token] ? "true_positive" : "false_positive");
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        return buffer.ToArray();
    }

    private static string? Member(JsonElement match, string name) =>
        match.ValueKind == JsonValueKind.Object && match.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
