using Turnpike.Catalog;

namespace Turnpike.Access.Rules;

/// <summary>An operation's scopes and roles. A stranger is asked who it is; a caller without them is told what is missing.</summary>
internal sealed class ScopeRule : IAccessRule
{
    public bool IsOfRights => true;

    public ValueTask<Answer?> CheckAsync(Call call, CancellationToken ct)
    {
        var (scopes, roles) = (call.Operation.Settings.Get<ScopeList>(), call.Operation.Settings.Get<RoleList>());
        if (scopes is null && roles is null) return default;
        if (call.Principal is not { } principal) return new(new Refusal(Reasons.IdentityRequired, "This operation asks for rights, and so for who you are."));
        foreach (var scope in scopes?.All ?? [])
            if (!principal.Has(scope)) return new(Missing(call, scopes!.All, principal));
        if (roles is not null && !roles.All.Any(r => principal.Caller.Roles.Contains(r, StringComparer.Ordinal)))
            return new(new Refusal(Reasons.MissingScope, $"This is for {string.Join(" or ", roles.All)}."));
        return default;
    }

    /// <summary>In the words of RFC 6750 §3.1 as well.</summary>
    private static Refusal Missing(Call call, IReadOnlyList<string> scopes, Principal principal) => new(Reasons.MissingScope, $"You were not given {string.Join(", ", scopes.Where(s => !principal.Has(s)))}.")
    {
        Challenges = [$"Bearer realm=\"{call.Catalog.Gateway.Url.Host}\", error=\"insufficient_scope\", scope=\"{string.Join(' ', scopes)}\""],
    };
}

/// <summary>The scopes an operation asks for, all of them.</summary>
internal sealed record ScopeList(IReadOnlyList<string> All);

/// <summary>The roles of which an operation asks for one.</summary>
internal sealed record RoleList(IReadOnlyList<string> All);
