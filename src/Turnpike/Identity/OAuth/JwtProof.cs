using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Protocols.Signing;

namespace Turnpike.Identity.OAuth;

/// <summary>
/// Signed tokens of issuers the owner believes (RFC 7519, 8725, 9068). Which algorithms and keys count is the configuration's to
/// say, never the token's. What was verified is remembered until it expires, as long as the configuration stays.
/// </summary>
internal sealed class JwtProof(TokenPrincipals principals, HttpClients clients, TimeProvider time) : ICallerProof, IDisposable
{
    private const int MostKept = 20_000, MostClaims = 32, LongestClaim = 128;
    private static readonly string[] Types = ["", "JWT", "at+jwt", "application/at+jwt"];

    private readonly ConcurrentDictionary<Uri, KeySource> sources = new();
    private readonly Recent<KeyHash, Good> good = new(MostKept);

    public string Name => "jwt";

    public async ValueTask<Evidence> ExamineAsync(Call call, Presented presented, CancellationToken ct)
    {
        if (presented.Text is not { } text || call.Catalog.Settings.Get<IdentitySettings>() is not { Issuers.Count: > 0 } settings || !Jwt.LooksLike(text)) return Evidence.None;
        var hash = KeyHash.Of(text);
        if (!good.TryGet(hash, out var known) || !ReferenceEquals(known.Settings, settings) || call.Now - known.Checked > KeepAtMost)
        {
            var stamp = good.Stamp;
            if (Jwt.Read(text) is not { } token || settings.Issuers.FirstOrDefault(i => i.Issuer == token.Claim("iss")) is not { } issuer) return Evidence.None;
            if (await WrongAsync(token, issuer, call.Now, ct) is { } wrong) return new Evidence.Invalid(wrong);
            if (Confirmation(token) is not { } bound) return Bad("It is bound to something that cannot be checked here.");
            known = new Good(settings, issuer, token.Claim(issuer.Callers.Claim), token.Words(issuer.Callers.Scopes), token.Moment("exp")!.Value, bound, call.Now, Short(token.Claims), issuer.Kya is null ? null : KyaClaims.Agent(token), issuer.Kya is null ? null : KyaClaims.Places(token));
            good.Keep(hash, known, stamp);
        }
        var expires = DateTimeOffset.FromUnixTimeSeconds(known.Expires) + known.Issuer.Skew;
        if (expires <= call.Now) return Bad("It has expired.");
        if (known.Places is { } places && !KyaClaims.IsFrom(places, call.Address)) return Bad("It is for calls from elsewhere.");
        var found = await principals.FindAsync(call, known.Issuer.Name, known.Name, known.Scopes, known.Issuer.Callers, expires, known.Bound.Length == 0 ? null : known.Bound, ct);
        return found is Evidence.Verified verified ? new Evidence.Verified(verified.Principal with { Claims = known.Claims, Agent = known.Agent }) : found;
    }

    /// <summary>The claims that are one short text.</summary>
    private static Dictionary<string, string> Short(JsonElement claims) =>
        claims.EnumerateObject().Where(c => c.Value.ValueKind == JsonValueKind.String && c.Value.GetString()!.Length <= LongestClaim).Take(MostClaims).ToDictionary(c => c.Name, c => c.Value.GetString()!, StringComparer.Ordinal);

    /// <summary>A key that its issuer withdraws is believed no longer than this.</summary>
    private static readonly TimeSpan KeepAtMost = TimeSpan.FromMinutes(5);

    public void Dispose()
    {
        foreach (var source in sources.Values) source.Dispose();
    }

    private async ValueTask<Refusal?> WrongAsync(Jwt token, JwtIssuer issuer, DateTimeOffset now, CancellationToken ct)
    {
        if (!issuer.Algorithms.Contains(token.Algorithm, StringComparer.Ordinal)) return No("It is signed with an algorithm this issuer does not use.");
        // A token made for another purpose (a DPoP proof, a logout) is no access token, though it carries the same signature.
        if (!(issuer.Kya is null ? Types : KyaClaims.Types).Contains(token.Type, StringComparer.OrdinalIgnoreCase)) return No(issuer.Kya is null ? "It is no access token." : "It says nothing about an agent.");
        if (issuer.Kya is { } terms && KyaClaims.Objection(token, terms) is { } objection) return No(objection);
        var (at, skew) = (now.ToUnixTimeSeconds(), (long)issuer.Skew.TotalSeconds);
        if (token.Moment("exp") is not { } expires || expires + skew <= at) return No(token.Has("exp") ? "It has expired." : "It does not say when it expires.");
        if (token.Has("nbf") && !(token.Moment("nbf") <= at + skew) || token.Has("iat") && !(token.Moment("iat") <= at + skew)) return No("It is not good yet.");
        if (token.Texts("aud")?.Any(a => issuer.Audience.Contains(a, StringComparer.Ordinal)) != true) return No("It is for somebody else.");
        if (issuer.Secret is { } secret) return token.IsSignedBy(secret.Bytes()) ? null : No("Its signature does not fit.");
        var source = sources.GetOrAdd(issuer.Keys!, url => new KeySource(clients(url, KeySource.Timeout, KeySource.MostBytes), url, time));
        if (await source.FindAsync(token.KeyId, token.Algorithm, ct) is not { } keys) return new Refusal(Reasons.IssuerDown, "Its issuer does not answer.") { RetryAfter = TimeSpan.FromSeconds(30) };
        return keys.Any(token.IsSignedBy) ? null : No(keys.Count == 0 ? "Its issuer has no such key." : "Its signature does not fit.");
    }

    /// <summary>The key it is bound to (RFC 9449 §6.1), empty for none, null for what is not supported: then nothing may be concluded.</summary>
    private static string? Confirmation(Jwt token)
    {
        if (!token.Claims.TryGetProperty("cnf", out var cnf)) return "";
        return cnf.ValueKind == JsonValueKind.Object && cnf.GetPropertyCount() == 1 && cnf.TryGetProperty("jkt", out var key) && key.ValueKind == JsonValueKind.String ? "jkt:" + key.GetString() : null;
    }

    private static Refusal No(string detail) => new(Reasons.InvalidToken, detail);

    private static Evidence.Invalid Bad(string detail) => new(No(detail));

    /// <summary>A token that was verified, under the settings of then.</summary>
    private sealed record Good(IdentitySettings Settings, JwtIssuer Issuer, string? Name, IReadOnlyList<string>? Scopes, long Expires, string Bound, DateTimeOffset Checked, IReadOnlyDictionary<string, string> Claims, AgentIdentity? Agent, IReadOnlyList<(IPAddress, IPAddress)>? Places);
}
