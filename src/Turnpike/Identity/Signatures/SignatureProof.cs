using Turnpike.Catalog;
using Turnpike.Protocols.Http;
using Turnpike.Protocols.Signatures;

namespace Turnpike.Identity.Signatures;

/// <summary>
/// Signed requests (RFC 9421). A signature that is wrong refuses; one that cannot be checked is as none. Only one that covers all
/// of the request proves possession of a key: what covers the host alone can be taken and used for any other request.
/// </summary>
internal sealed class SignatureProof(IEnumerable<ISignerScheme> schemes, SeenOnce seen, CallerDesk desk) : ICallerProof
{
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(30);
    private readonly ISignerScheme[] schemes = [.. schemes];

    public string Name => "signature";

    public ValueTask<Evidence> ExamineAsync(Call call, Presented presented, CancellationToken ct) =>
        call.Headers["Signature-Input"].Count == 0 && call.Headers["Signature"].Count == 0 ? new(Evidence.None) : VerifyAsync(call, ct);

    private async ValueTask<Evidence> VerifyAsync(Call call, CancellationToken ct)
    {
        if (call.Catalog.Settings.Get<IdentitySettings>()?.Signatures is not { } settings) return new Evidence.Unverified("signatures are not looked at here");
        var message = new SignedMessage(call.Method, CallerUrl.Scheme(call), CallerUrl.Authority(call), call.Target.Value, name => [.. call.Headers[name].OfType<string>()]);
        if (MessageSignature.Read(message) is not { } signatures) return No("The headers Signature and Signature-Input do not belong together.");
        Evidence.Signed? signed = null;
        foreach (var signature in signatures)
        {
            var scheme = Array.Find(schemes, s => s.Claims(signature));
            if (scheme?.MaxAge(settings) is not { } most) continue;
            if (WrongTime(signature, call.Now, most) is { } wrong) return No(wrong);
            var signer = await scheme.VerifyAsync(call, signature, settings, ct);
            if (signer is { Objection: { } objection, Open: false }) return No(objection);
            if (signer.Names.Count == 0) continue;
            if (await WrongBodyAsync(call, signature, ct) is { } body) return No(body);
            if (signature.Nonce is { } nonce && !await seen.IsFirstAsync(signer.Names[0], nonce, ct)) return No("Its nonce was used before.");
            var whole = CoversAll(call, signature);
            signed = new([.. signed?.By ?? [], .. whole ? signer.Names : []], signed?.Principal ?? await PrincipalOfAsync(call, scheme, signer, whole, ct));
        }
        return signed ?? (Evidence)new Evidence.Unverified("no signature that can be checked here");
    }

    private static string? WrongTime(MessageSignature signature, DateTimeOffset now, TimeSpan most)
    {
        var (at, skew) = (now.ToUnixTimeSeconds(), (long)Skew.TotalSeconds);
        if (signature.IsMalformed || signature.Created is not { } created) return "It does not say when it was made.";
        if (created > at + skew) return "It is from the future.";
        if (signature.Expires is { } expires && expires <= at) return "It has expired.";
        if (at - created > (long)most.TotalSeconds + skew) return $"It is older than {(long)most.TotalSeconds} seconds.";
        return signature.Base is null ? "It covers something that is not there, or that can be read in two ways." : null;
    }

    /// <summary>A digest that is covered has to be that of the body, or the signature would be for another one.</summary>
    private static async ValueTask<string?> WrongBodyAsync(Call call, MessageSignature signature, CancellationToken ct)
    {
        if (!signature.Covers("content-digest")) return null;
        var body = call.ReadBody is null ? default : await call.ReadBody(ct);
        return ContentDigest.Fits(string.Join(", ", call.Headers["Content-Digest"].OfType<string>()), body.Span) ? null : "The body is not the one that was signed.";
    }

    /// <summary>Method, where, what is asked, and the body if there is one.</summary>
    private static bool CoversAll(Call call, MessageSignature signature)
    {
        if (!signature.Covers("@method") || call.ReadBody is not null && !signature.Covers("content-digest")) return false;
        if (signature.Covers("@target-uri")) return true;
        return signature.Covers("@authority") && (signature.Covers("@request-target") || signature.Covers("@path") && (call.Target.Query.Length == 0 || signature.Covers("@query")));
    }

    private async ValueTask<Principal?> PrincipalOfAsync(Call call, ISignerScheme scheme, Signer signer, bool whole, CancellationToken ct)
    {
        Caller? caller = null;
        foreach (var name in signer.Names) caller ??= await desk.SignerAsync(call.Catalog, name, ct);
        if (caller is null && signer.Anybody) caller = new Caller("agent:" + signer.Names[0]);
        return caller is null ? null : new Principal(caller)
        {
            Credential = $"{scheme.Name}:{signer.Names[0]}",
            Scopes = caller.Scopes,
            Assurance = whole ? Assurance.Bound : Assurance.Bearer,
            Agent = new AgentIdentity(signer.Names[0]),
        };
    }

    private static Evidence.Invalid No(string detail) => new(new Refusal(Reasons.InvalidSignature, detail));
}
