using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Protocols.Http;

namespace Turnpike.Identity.OAuth;

/// <summary>
/// Tokens that only their issuer can read (RFC 7662): it is asked, and its answer kept for as long as the owner says. It comes last,
/// and asks for a few at a time: made-up tokens must not turn this gateway against the issuer.
/// </summary>
internal sealed class IntrospectionProof(TokenPrincipals principals, HttpClients clients) : ICallerProof, IDisposable
{
    private const int MostBytes = 64 * 1024, MostText = 4096, MostAtOnce = 8, MostKept = 20_000;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim places = new(MostAtOnce);
    private readonly Recent<KeyHash, Said> said = new(MostKept);

    public string Name => "introspection";

    public async ValueTask<Evidence> ExamineAsync(Call call, Presented presented, CancellationToken ct)
    {
        if (presented.Text is not { Length: > 0 and <= MostText } text || call.Catalog.Settings.Get<IdentitySettings>()?.Introspection is not { } asked) return Evidence.None;
        var hash = KeyHash.Of(text);
        if (!said.TryGet(hash, out var known) || !ReferenceEquals(known.By, asked) || known.Until <= call.Now)
        {
            var stamp = said.Stamp;
            if (await AskAsync(asked, text, call.Now, ct) is not { } answer) return new Evidence.Invalid(new Refusal(Reasons.IssuerDown, "Its issuer does not answer.") { RetryAfter = TimeSpan.FromSeconds(5) });
            said.Keep(hash, known = answer, stamp);
        }
        if (!known.Active) return Evidence.None;
        return known.Bound is null
            ? new Evidence.Invalid(new Refusal(Reasons.InvalidToken, "It is bound to something that cannot be checked here."))
            : await principals.FindAsync(call, asked.Url.Host, known.Name, known.Scopes, asked.Callers, known.Until, known.Bound.Length == 0 ? null : known.Bound, ct);
    }

    public void Dispose() => places.Dispose();

    private async ValueTask<Said?> AskAsync(Introspection asked, string token, DateTimeOffset now, CancellationToken ct)
    {
        if (!await places.WaitAsync(TimeSpan.FromSeconds(1), ct)) return null;
        try
        {
            using var http = clients(asked.Url, Timeout, MostBytes);
            using var request = new HttpRequestMessage(HttpMethod.Post, asked.Url) { Content = new FormUrlEncodedContent([KeyValuePair.Create("token", token), KeyValuePair.Create("token_type_hint", "access_token")]) };
            // RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Uri.EscapeDataString(asked.ClientId)}:{Uri.EscapeDataString(asked.ClientSecret.Reveal())}")));
            request.Headers.Accept.ParseAdd("application/json");
            using var answer = await http.SendAsync(request, ct);
            if (!answer.IsSuccessStatusCode || StrictJson.Parse(await answer.Content.ReadAsByteArrayAsync(ct)) is not { ValueKind: JsonValueKind.Object } json) return null;
            return Read(asked, json, now);
        }
        catch (Exception e) when (e is HttpRequestException or IOException || e is OperationCanceledException && !ct.IsCancellationRequested)
        {
            return null;
        }
        finally
        {
            places.Release();
        }
    }

    private static Said Read(Introspection asked, JsonElement json, DateTimeOffset now)
    {
        var (until, none) = (now + asked.Keep, new Said(asked, false, null, null, "", now + asked.Keep));
        if (!json.TryGetProperty("active", out var active) || active.ValueKind != JsonValueKind.True) return none;
        if (json.TryGetProperty("exp", out var exp))
        {
            if (exp.ValueKind != JsonValueKind.Number || !exp.TryGetInt64(out var seconds) || seconds <= now.ToUnixTimeSeconds() || seconds > 253_402_300_799) return none;
            var expires = DateTimeOffset.FromUnixTimeSeconds(seconds);
            if (expires < until) until = expires;
        }
        // A token that is good somewhere else is not good here.
        if (!Texts(json, "aud").Any(a => asked.Audience.Contains(a, StringComparer.Ordinal))) return none;
        var bound = !json.TryGetProperty("cnf", out var cnf) ? "" : cnf.ValueKind == JsonValueKind.Object && cnf.GetPropertyCount() == 1 && Texts(cnf, "jkt") is [var key] ? "jkt:" + key : null;
        var scopes = json.TryGetProperty(asked.Callers.Scopes, out _) ? Texts(json, asked.Callers.Scopes).SelectMany(t => t.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToList() : null;
        return new Said(asked, true, Texts(json, asked.Callers.Claim) is [var name] ? name : null, scopes, bound, until);
    }

    private static string[] Texts(JsonElement json, string name) => !json.TryGetProperty(name, out var value) ? []
        : value.ValueKind == JsonValueKind.String ? [value.GetString()!]
        : value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Where(v => v.ValueKind == JsonValueKind.String).Select(v => v.GetString()!)] : [];

    /// <summary>What the issuer said, until when it is believed. <paramref name="Bound"/> is null for what cannot be checked here.</summary>
    private sealed record Said(Introspection By, bool Active, string? Name, IReadOnlyList<string>? Scopes, string? Bound, DateTimeOffset Until);
}
