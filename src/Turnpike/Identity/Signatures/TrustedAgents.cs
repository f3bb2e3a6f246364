using Turnpike.Catalog;
using Turnpike.Identity.OAuth;
using Turnpike.Protocols.Signatures;

namespace Turnpike.Identity.Signatures;

/// <summary>Visa's Trusted Agent Protocol: agents of a register, for eight minutes at most, and once.</summary>
internal sealed class TrustedAgents(HttpClients clients, TimeProvider time) : ISignerScheme
{
    private const int MostBytes = 256 * 1024;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5), Longest = TimeSpan.FromMinutes(8);
    private readonly Recent<Uri, KeySource> sources = new(16);

    public string Name => "tap";

    public bool Claims(MessageSignature signature) => signature.Tag is "agent-browser-auth" or "agent-payer-auth";

    public TimeSpan? MaxAge(SignatureSettings settings) => settings.Tap is null ? null : Longest;

    public async ValueTask<Signer> VerifyAsync(Call call, MessageSignature signature, SignatureSettings settings, CancellationToken ct)
    {
        if (!signature.Covers("@authority") || !signature.Covers("@path")) return Signer.Wrong("It does not cover where it is sent.");
        if (signature.KeyId is not { } id || signature.Nonce is not { Length: > 0 } || signature.Expires - signature.Created is not (> 0 and <= 480)) return Signer.Wrong("It names no key, no nonce, or no end within eight minutes.");
        var url = settings.Tap!.Keys;
        if (!sources.TryGet(url, out var source)) sources.Keep(url, source = new KeySource(clients(url, Timeout, MostBytes), url, time), sources.Stamp);
        if (await source.FindAsync(id, null, ct) is not { } keys) return Signer.Unknown("The register's keys cannot be had.");
        return keys.FirstOrDefault(signature.IsSignedBy) is { } key ? Signer.Of(settings.Tap.Anybody, "tap:" + id, "jkt:" + key.Thumbprint) : Signer.Wrong("No agent of the register made it.");
    }
}
