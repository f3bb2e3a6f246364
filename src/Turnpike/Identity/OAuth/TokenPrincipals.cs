using Turnpike.Catalog;

namespace Turnpike.Identity.OAuth;

/// <summary>From what a token says to who asks here.</summary>
internal sealed class TokenPrincipals(CallerDesk desk)
{
    /// <summary>The principal, or why nobody here is meant.</summary>
    /// <param name="issuer">The owner's name for who said so.</param>
    /// <param name="name">Whom the token names.</param>
    /// <param name="scopes">What it may do; null when it does not say.</param>
    public async ValueTask<Evidence> FindAsync(Call call, string issuer, string? name, IReadOnlyList<string>? scopes, TokenCallers rule, DateTimeOffset expires, string? boundTo, CancellationToken ct)
    {
        if (name is not { Length: > 0 and <= 128 } || !name.All(c => c is > ' ' and <= '~')) return No(Reasons.InvalidToken, $"Its claim '{rule.Claim}' names nobody.");
        var granted = (scopes ?? []).Where(Scopes.IsScope).ToList();
        Caller? caller;
        // A colon is in no name of ours: whatever an issuer says, it cannot name a caller it does not own.
        if (rule.Anybody) caller = new Caller($"{issuer}:{name}") { Scopes = granted, Organisation = issuer };
        else caller = await desk.KnownAsync(call.Catalog, name, ct);
        if (caller is null) return No(Reasons.UnknownCaller, "The token is good, but whom it names is no caller here.");
        return new Evidence.Verified(new Principal(caller)
        {
            Credential = $"token:{issuer}:{name}",
            Scopes = scopes is null ? caller.Scopes : [.. granted.Where(s => caller.Scopes.Contains(s, StringComparer.Ordinal))],
            Expires = expires,
            BoundTo = boundTo is null ? [] : [boundTo],
        });
    }

    private static Evidence.Invalid No(Reason reason, string detail) => new(new Refusal(reason, detail));
}
