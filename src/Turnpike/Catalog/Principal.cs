using System.Collections.Frozen;

namespace Turnpike.Catalog;

/// <summary>Who asks in one call, and how that was proved.</summary>
internal sealed record Principal(Caller Caller)
{
    /// <summary>What proved it, by name and never by its text: <c>key:k_…</c>. Limits by key count it.</summary>
    public required string Credential { get; init; }

    public Assurance Assurance { get; init; } = Assurance.Bearer;

    /// <summary>What it may do in this call: the caller's scopes, or as many of them as its credential was given.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>What its token says beside, where it is one text: nothing is decided by it.</summary>
    public IReadOnlyDictionary<string, string> Claims { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>The agent that sends it, and who answers for it; null: nobody said.</summary>
    public AgentIdentity? Agent { get; init; }

    /// <summary>For whom it acts, as the owner says of the caller, or else as an issuer the owner believes says of the agent.</summary>
    public string? OnBehalfOf => Caller.OnBehalfOf ?? Agent?.LegalEntity;

    /// <summary>What its credential opens.</summary>
    public CredentialRules Rules { get; init; } = CredentialRules.None;

    /// <summary>When its credential ends; null: not by itself.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>Keys of which one has to have signed this very request, or the credential proves nothing: <c>jkt:…</c>, an agent's address, a wallet.</summary>
    public IReadOnlyList<string> BoundTo { get; init; } = [];

    public bool Has(string scope) => Scopes.Contains(scope, StringComparer.Ordinal);
}

/// <summary>An agent, and who answers for it: by its own signature, or by the word of an issuer the owner believes.</summary>
/// <param name="Name">What it is called; a key directory's address, a wallet, or the issuer's name for it.</param>
internal sealed record AgentIdentity(string Name)
{
    /// <summary>Who runs it.</summary>
    public string? Operator { get; init; }

    /// <summary>The company it acts for.</summary>
    public string? LegalEntity { get; init; }

    /// <summary>The issuer says that somebody has verified whom it acts for.</summary>
    public bool IsVerified { get; init; }
}

/// <summary>How surely it is known who asks.</summary>
internal enum Assurance
{
    /// <summary>Nobody said.</summary>
    Anonymous,

    /// <summary>Whoever holds the text of a key or token is believed.</summary>
    Bearer,

    /// <summary>This very request was signed with a key that was never sent.</summary>
    Bound,
}

/// <summary>Where a credential may be used; an empty list does not restrict.</summary>
internal sealed record CredentialRules
{
    public static readonly CredentialRules None = new();

    public IReadOnlyList<string> Scopes { get; init; } = [];

    public IReadOnlyList<string> Operations { get; init; } = [];

    public IReadOnlyList<string> Methods { get; init; } = [];

    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>It was found in public: it says who asks, and whoever has it may spend nothing by it.</summary>
    public bool SpendsNothing { get; init; }

    /// <summary>Keys of which one has to sign every request that presents it.</summary>
    public IReadOnlyList<string> BoundTo { get; init; } = [];
}
