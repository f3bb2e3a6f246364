using Turnpike.Catalog;

namespace Turnpike.Access.Rules;

/// <summary>How surely it has to be known who asks: where a stolen key must not be enough, the request has to be signed.</summary>
internal sealed class AssuranceRule : IAccessRule
{
    public bool IsOfRights => true;

    public ValueTask<Answer?> CheckAsync(Call call, CancellationToken ct)
    {
        if (call.Operation.Settings.Get<LeastAssurance>() is not { } least) return default;
        if (call.Principal is not { } principal) return new(new Refusal(Reasons.IdentityRequired, "This operation asks who you are."));
        return principal.Assurance >= least.Level ? default : new(new Refusal(Reasons.AssuranceRequired, "Whoever holds your credential could have sent this request: sign all of it with a key of yours."));
    }
}

/// <summary>The least an operation is content with.</summary>
internal sealed record LeastAssurance(Assurance Level);
