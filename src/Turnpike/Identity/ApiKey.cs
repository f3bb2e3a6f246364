using Turnpike.Catalog;

namespace Turnpike.Identity;

/// <summary>A key as it is kept: whose it is, what it opens, until when; never its text.</summary>
internal sealed record ApiKey(string Id, string Caller, KeyHash Hash)
{
    /// <summary>Its beginning, for its owner to know it again.</summary>
    public string Hint { get; init; } = "";

    public CredentialRules Rules { get; init; } = CredentialRules.None;

    public DateTimeOffset? Expires { get; init; }

    public DateTimeOffset? Revoked { get; init; }

    public DateTimeOffset Created { get; init; }

    /// <summary>Its text in an envelope, where it was made to be shown again.</summary>
    public byte[]? Sealed { get; init; }
}
