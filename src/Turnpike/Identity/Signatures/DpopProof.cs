using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Protocols.Http;
using Turnpike.Protocols.Signing;

namespace Turnpike.Identity.Signatures;

/// <summary>Proof of possession for the credential beside it (RFC 9449): this request, now, once, by the key the credential is bound to.</summary>
internal sealed class DpopProof(SeenOnce seen) : ICallerProof
{
    private const int MostNumber = 256;
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(60);
    private static readonly string[] Algorithms = ["ES256", "ES384", "ES512", "EdDSA", "Ed25519", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"];

    public string Name => "dpop";

    public ValueTask<Evidence> ExamineAsync(Call call, Presented presented, CancellationToken ct)
    {
        var lines = call.Headers["DPoP"];
        if (lines.Count == 0) return new(presented.Bound ? No("A token under the scheme DPoP comes with a proof.") : Evidence.None);
        if (lines.Count > 1 || Jwt.Read(lines.ToString()) is not { } proof) return new(No("It is no DPoP proof."));
        return JudgeAsync(call, presented, proof, ct);
    }

    private async ValueTask<Evidence> JudgeAsync(Call call, Presented presented, Jwt proof, CancellationToken ct)
    {
        if (proof.Type != "dpop+jwt" || !Algorithms.Contains(proof.Algorithm, StringComparer.Ordinal)) return No("It is no DPoP proof.");
        // A private key in the header is refused by the reader: whoever sends it has given it away.
        if (!proof.Header.TryGetProperty("jwk", out var jwk) || PublicKey.Read(jwk) is not { } key || !proof.IsSignedBy(key)) return No("Its signature does not fit.");
        if (proof.Claim("htm") != call.Method) return No("It is for another method.");
        if (!IsHere(call, proof.Claim("htu"))) return No("It is for another URL.");
        if (proof.Moment("iat") is not { } made || Math.Abs(call.Now.ToUnixTimeSeconds() - made) > (long)Skew.TotalSeconds) return No("It was not made just now.");
        var token = presented.Text ?? Presented.Prepaid(call);
        if (token is not null && proof.Claim("ath") != Base64Url.Encode(SHA256.HashData(Encoding.UTF8.GetBytes(token)))) return No("It is for another token.");
        if (proof.Claim("jti") is not { Length: > 0 and <= MostNumber } number) return No("It has no number.");
        // Last, so that only who has the key can use a number up.
        return await seen.IsFirstAsync(key.Thumbprint, number, ct) ? new Evidence.Signed(["jkt:" + key.Thumbprint], null) : No("It was used before.");
    }

    /// <summary>Compared as URLs, without query and fragment; the path to the letter.</summary>
    private static bool IsHere(Call call, string? url) =>
        url is { Length: < 8192 } && Uri.TryCreate(url, UriKind.Absolute, out var named) && Uri.TryCreate(CallerUrl.WithoutQuery(call), UriKind.Absolute, out var here)
        && named.UserInfo.Length == 0 && named.GetLeftPart(UriPartial.Path) == here.GetLeftPart(UriPartial.Path);

    private static Evidence.Invalid No(string detail) => new(new Refusal(Reasons.InvalidSignature, detail) { Challenges = [$"DPoP error=\"invalid_dpop_proof\", algs=\"{string.Join(' ', Algorithms)}\""] });
}
