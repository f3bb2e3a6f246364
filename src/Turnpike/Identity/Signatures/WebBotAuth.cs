using Turnpike.Catalog;
using Turnpike.Identity.OAuth;
using Turnpike.Protocols.Signatures;

namespace Turnpike.Identity.Signatures;

/// <summary>
/// Web Bot Auth (draft-ietf-webbotauth-httpsig-protocol): an agent names where its keys are, and signs with one of them. It is
/// called by that address; keys are looked up by address and thumbprint together, so that nobody can sign in another's name.
/// </summary>
internal sealed class WebBotAuth(HttpClients clients, PublicClient outside, TimeProvider time) : ISignerScheme, IDisposable
{
    private const string Directory = "/.well-known/http-message-signatures-directory";
    private const int MostAgents = 1_000, MostBytes = 64 * 1024;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    /// <summary>Keys that everybody has: those of RFC 9421, appendix B.</summary>
    private static readonly string[] Published = ["poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U", "oD0HwocPBSfpNy5W3bpJeyFGY_IQ_YpqxSjQ3Yd-CLA", "ydQXMtvbsOsZyFir-Y7A8t7fKEM1gbKPvyFkdpu4fvI"];

    private readonly Recent<string, KeySource> sources = new(MostAgents);
    private HttpClient? anybodys;

    public string Name => "web-bot-auth";

    public bool Claims(MessageSignature signature) => signature.Tag == Name;

    public TimeSpan? MaxAge(SignatureSettings settings) => settings.WebBotAuth?.MaxAge;

    public async ValueTask<Signer> VerifyAsync(Call call, MessageSignature signature, SignatureSettings settings, CancellationToken ct)
    {
        if (!signature.Covers("@authority") && !signature.Covers("@target-uri")) return Signer.Wrong("It does not cover where it is sent.");
        if (signature.KeyId is not { } id || signature.Expires is null) return Signer.Wrong("It names no key, or no end.");
        if (Published.Contains(id, StringComparer.Ordinal)) return Signer.Wrong("Everybody has this key.");
        if (AgentOf(call, signature) is not { } agent) return Signer.Wrong("It does not cover a Signature-Agent that says where its keys are.");
        if (settings.WebBotAuth!.Agents is { } listed && !listed.Contains(agent)) return Signer.Unknown("This agent is not one that is looked at here.");
        if (await SourceOf(agent, settings.WebBotAuth).FindAsync(id, null, ct) is not { } keys) return Signer.Unknown("The agent's keys cannot be had.");
        // The directory's own names are its to choose; a thumbprint is not.
        if (keys.FirstOrDefault(k => k.Thumbprint == id) is not { } key || !signature.IsSignedBy(key)) return Signer.Wrong("No key of that agent made it.");
        return Signer.Of(settings.WebBotAuth.Anybody, agent.AbsoluteUri.EndsWith(Directory, StringComparison.Ordinal) ? agent.GetLeftPart(UriPartial.Authority) : agent.AbsoluteUri, "jkt:" + key.Thumbprint);
    }

    public void Dispose() => anybodys?.Dispose();

    /// <summary>
    /// Where the agent's keys are. Three forms are deployed: a member of a dictionary, covered by its key; the whole header, when it is
    /// one bare text; and the whole header, when it is a dictionary of one.
    /// </summary>
    private static Uri? AgentOf(Call call, MessageSignature signature)
    {
        var header = string.Join(", ", call.Headers["Signature-Agent"].OfType<string>());
        if (SignatureAgent.Read(header) is not { } agents) return null;
        if (agents.FirstOrDefault(a => a.Label is { } label && signature.CoversMember("signature-agent", label)) is { Value: not null } member) return Where(member);
        return agents is [var only] && signature.Covers("signature-agent") ? Where(only) : null;
    }

    private static Uri? Where(SignatureAgent agent)
    {
        if (!Uri.TryCreate(agent.Value, UriKind.Absolute, out var url) || url.UserInfo.Length > 0 || url.Scheme != "https" && !(url.Scheme == "http" && url.IsLoopback)) return null;
        return agent.Type switch
        {
            null or "directory" => url.AbsolutePath is "/" or Directory ? new Uri(url, Directory) : null,
            "jwks_uri" => new Uri(url.GetLeftPart(UriPartial.Path)),
            _ => null,
        };
    }

    /// <summary>An address the owner listed may be private; one that a stranger names may not, or it would be our hand in our own house (SSRF).</summary>
    private KeySource SourceOf(Uri agent, WebBotAuthSettings settings)
    {
        var name = $"{(settings.Agents is null ? "any" : "listed")} {agent}";
        if (sources.TryGet(name, out var known)) return known;
        var client = settings.Agents is null ? anybodys ??= outside(Timeout, MostBytes) : clients(agent, Timeout, MostBytes);
        var source = new KeySource(client, agent, time);
        sources.Keep(name, source, sources.Stamp);
        return source;
    }
}
