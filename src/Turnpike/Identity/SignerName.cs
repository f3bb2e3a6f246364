using Turnpike.Catalog.Document;
using Turnpike.Protocols.Evm;

namespace Turnpike.Identity;

/// <summary>How a signer is named wherever one is written down: an agent's address, <c>wallet:0x…</c>, <c>tap:…</c> or <c>jkt:…</c>.</summary>
internal static class SignerName
{
    public static readonly Shape<string> Shape = new ScalarShape<string>("a signer: https://agent.example.com, wallet:0x…, tap:KEY or jkt:THUMBPRINT",
        (string t, out string? v) => (v = Read(t)) is null ? "is no signer; write an agent's address, wallet:0x…, tap:KEY or jkt:THUMBPRINT" : null);

    /// <summary>The name as signatures give it, or null.</summary>
    public static string? Read(string? text)
    {
        if (text is null || text.Length > 512 || text.Any(c => c is <= ' ' or > '~')) return null;
        if (text.StartsWith("wallet:", StringComparison.Ordinal)) return Address.TryParse(text[7..], out var address) ? "wallet:" + address.ToLowerHex() : null;
        if (text.StartsWith("jkt:", StringComparison.Ordinal)) return text.Length == 4 + 43 ? text : null;
        if (text.StartsWith("tap:", StringComparison.Ordinal)) return text.Length > 4 ? text : null;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("https" or "http") || url.UserInfo.Length > 0 || url.Query.Length > 0 || url.Fragment.Length > 0) return null;
        return url.AbsolutePath == "/" ? url.GetLeftPart(UriPartial.Authority) : url.AbsoluteUri;
    }
}
