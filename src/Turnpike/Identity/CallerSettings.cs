using System.Collections.Frozen;
using Turnpike.Catalog;

namespace Turnpike.Identity;

/// <summary>The <c>callers:</c> section: who is named in the file, and by which keys they are known.</summary>
internal sealed class CallerSettings(IReadOnlyList<FileCaller> callers)
{
    private readonly FrozenDictionary<string, FileCaller> byName = callers.ToFrozenDictionary(c => c.Caller.Name, StringComparer.Ordinal);
    private readonly FrozenDictionary<KeyHash, Principal> byKey = callers.SelectMany(c => c.Keys.Select(k => (k.Hash, Principal: Of(c.Caller, k)))).DistinctBy(k => k.Hash).ToFrozenDictionary(k => k.Hash, k => k.Principal);

    private readonly FrozenDictionary<string, Caller> bySigner = callers.SelectMany(c => c.SignsAs.Select(s => (Signer: s, c.Caller))).DistinctBy(s => s.Signer).ToFrozenDictionary(s => s.Signer, s => s.Caller, StringComparer.Ordinal);

    public IReadOnlyList<FileCaller> All => callers;

    public Caller? Find(string name) => byName.GetValueOrDefault(name)?.Caller;

    public IReadOnlyList<FileKey> KeysOf(string name) => byName.GetValueOrDefault(name)?.Keys ?? [];

    public Principal? Find(KeyHash key) => byKey.GetValueOrDefault(key);

    /// <summary>The caller that signs by this name: an agent's address, a wallet, a key's thumbprint.</summary>
    public Caller? FindSigner(string name) => bySigner.GetValueOrDefault(name);

    private static Principal Of(Caller caller, FileKey key) => new(caller)
    {
        Credential = "key:" + key.Id(caller.Name),
        Scopes = Scopes.Within(caller.Scopes, key.Rules.Scopes),
        Rules = key.Rules,
        BoundTo = key.Rules.BoundTo,
        Expires = key.Expires,
    };
}

/// <summary>A caller as the file names it.</summary>
internal sealed record FileCaller(Caller Caller, IReadOnlyList<FileKey> Keys)
{
    public IReadOnlyList<string> SignsAs => Caller.SignsAs;
}

/// <summary>A key as the file refers to it.</summary>
internal sealed record FileKey(KeyHash Hash)
{
    public CredentialRules Rules { get; init; } = CredentialRules.None;

    public DateTimeOffset? Expires { get; init; }

    /// <summary>Where it stands among its caller's keys, from 1.</summary>
    public int Number { get; init; } = 1;

    /// <summary>What limits and the trail call it.</summary>
    public string Id(string caller) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{caller}/{Number}");
}

/// <summary>What a credential may do of what its caller may.</summary>
internal static class Scopes
{
    /// <summary>A credential that names no scopes has its caller's; one that does has those of them the caller has as well.</summary>
    public static IReadOnlyList<string> Within(IReadOnlyList<string> caller, IReadOnlyList<string> credential) =>
        credential.Count == 0 ? caller : [.. credential.Where(s => caller.Contains(s, StringComparer.Ordinal))];

    /// <summary>A scope is a scope-token of RFC 6749 §3.3, so that it may stand in a header.</summary>
    public static bool IsScope(string text) => text.Length is > 0 and <= 128 && text.All(c => c is > ' ' and <= '~' and not ('"' or '\\'));
}
