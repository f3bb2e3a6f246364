using Turnpike.Catalog;

namespace Turnpike.Identity;

/// <summary>The <c>identity:</c> section: who else is believed when it says who asks.</summary>
internal sealed record IdentitySettings
{
    public IReadOnlyList<JwtIssuer> Issuers { get; init; } = [];

    /// <summary>Are tokens about agents looked for, in a header of their own?</summary>
    public bool TakesKya { get; init; }

    public Introspection? Introspection { get; init; }

    public Signatures.SignatureSettings? Signatures { get; init; }

    /// <summary>What keys made here begin with, the underscore included.</summary>
    public string KeyPrefix { get; init; } = KeyText.Prefix;

    /// <summary>Opens the texts of keys that were made to be shown again; null: none is.</summary>
    public KeyVault? Vault { get; init; }

    /// <summary>A DPoP proof has to carry a nonce of ours.</summary>
    public bool DpopNonces { get; init; }

    /// <summary>Where a caller gets tokens; told in our resource metadata (RFC 9728).</summary>
    public IReadOnlyList<Uri> AuthorizationServers { get; init; } = [];
}

/// <summary>Somebody whose signed tokens are believed.</summary>
/// <param name="Name">The owner's name for it.</param>
/// <param name="Issuer">The exact <c>iss</c>.</param>
/// <param name="Audience">One of them has to be in <c>aud</c>: a token for somebody else is no token here.</param>
internal sealed record JwtIssuer(string Name, string Issuer, IReadOnlyList<string> Audience, TokenCallers Callers)
{
    /// <summary>Its published keys; null where a secret is shared.</summary>
    public Uri? Keys { get; init; }

    public Secret? Secret { get; init; }

    /// <summary>JOSE names, all of one kind: by public keys, or by a shared secret.</summary>
    public required IReadOnlyList<string> Algorithms { get; init; }

    public TimeSpan Skew { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Its tokens say who answers for an agent; null: they are access tokens.</summary>
    public KyaTerms? Kya { get; init; }
}

/// <summary>For whom a Know Your Agent token has to be; null: anybody of that audience.</summary>
internal sealed record KyaTerms(string? Service, string? Domain, string? Environment);

/// <summary>A service that says whether a token is good (RFC 7662).</summary>
internal sealed record Introspection(Uri Url, string ClientId, Secret ClientSecret, IReadOnlyList<string> Audience, TokenCallers Callers)
{
    /// <summary>How long an answer is believed: so late may a revocation be noticed.</summary>
    public TimeSpan Keep { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>Which caller a token names.</summary>
/// <param name="Claim">The claim with its name.</param>
/// <param name="Anybody">True: whoever the issuer vouches for is a caller, <c>issuer:name</c>; false: only callers that are known here.</param>
/// <param name="Scopes">The claim with what the token may do.</param>
internal sealed record TokenCallers(string Claim, bool Anybody, string Scopes)
{
    public static readonly TokenCallers Default = new("sub", false, "scope");
}
