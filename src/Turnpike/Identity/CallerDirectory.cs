using Turnpike.Catalog;
using Turnpike.Identity.Organisations;

namespace Turnpike.Identity;

/// <summary>Who asks. A credential that is presented is checked even where none is needed: a bad one is 401, never ignored.</summary>
internal sealed class CallerDirectory(IEnumerable<ICallerProof> proofs, KeyProof keys, OrganisationDesk organisations)
{
    private readonly ICallerProof[] proofs = [.. proofs];

    public async ValueTask<Answer?> IdentifyAsync(Call call, CancellationToken ct)
    {
        var presented = Presented.Read(call);
        call.KeyInAuthorization = presented.InAuthorization;
        if (call.Operation.Identity == IdentityRule.Upstream)
        {
            call.ForUpstream = presented.Text is not null;
            return null;
        }
        if (presented.Several) return new Refusal(Reasons.MalformedRequest, "Two different keys are presented; present one.");
        var (rest, signed) = (presented, default(Evidence.Signed));
        foreach (var proof in proofs)
        {
            switch (await proof.ExamineAsync(call, rest, ct))
            {
                case Evidence.Invalid invalid: return invalid.Refusal;
                case Evidence.Signed by: signed = signed is null ? by : new([.. signed.By, .. by.By], signed.Principal ?? by.Principal); break;
                case Evidence.Verified verified: (call.Principal, rest) = (verified.Principal, default); break;
            }
        }
        if (rest.Text is not null) return new Refusal(Reasons.UnknownKey, "No caller of this gateway has the key you present.");
        if (signed is not null) call.SignedBy = signed.By;
        var refused = Conclude(call, presented, signed);
        return refused ?? await OfServedAsync(call, ct);
    }

    /// <summary>
    /// Is a key that was good when the call began still good? Verifying a payment takes its time, and nobody shall pay for what is refused.
    /// Where it may do something else by now, the call says so from here on.
    /// </summary>
    public async ValueTask<Answer?> StillAsync(Call call, CancellationToken ct)
    {
        if (call.Principal is not { } before || !before.Credential.StartsWith("key:", StringComparison.Ordinal)) return null;
        return await keys.ExamineAsync(call, Presented.Read(call), ct) switch
        {
            Evidence.Verified verified => Served(Now(call, before, verified.Principal)) ?? await OfServedAsync(call, ct),
            Evidence.Invalid invalid => invalid.Refusal,
            _ => new Refusal(Reasons.UnknownKey, "No caller of this gateway has the key you present."),
        };
    }

    /// <summary>The plan stays the one the price was told for.</summary>
    private static Principal Now(Call call, Principal before, Principal now)
    {
        if (!ReferenceEquals(now.Caller, before.Caller) || !ReferenceEquals(now.Rules, before.Rules))
            call.Principal = before with { Caller = now.Caller with { Plan = before.Caller.Plan, Term = before.Caller.Term }, Scopes = now.Scopes, Rules = now.Rules };
        return now;
    }

    /// <summary>Bearer and signature, taken together: what is bound counts only beside the signature it is bound to.</summary>
    private static Refusal? Conclude(Call call, Presented presented, Evidence.Signed? signed)
    {
        if ((call.Principal ?? signed?.Principal) is not { } principal)
            return call.Operation.Identity == IdentityRule.Required ? new Refusal(Reasons.IdentityRequired, "Present the key you were given.") : null;
        if (principal.BoundTo.Count > 0)
        {
            // Without this, a bound credential that is stolen would be as good as any other (RFC 9449 §7.2, downgrade).
            if (signed?.By.Any(by => principal.BoundTo.Contains(by, StringComparer.Ordinal)) != true) return ProofRequired(call);
            principal = principal with { Assurance = Assurance.Bound };
        }
        else if (presented.Bound) return new Refusal(Reasons.InvalidToken, "It was presented with a proof and is bound to no key.");
        call.Principal = principal;
        return Served(principal);
    }

    private static Refusal ProofRequired(Call call) => new(Reasons.ProofRequired, "It counts only beside a signature of this request by the key it is bound to.")
    {
        Challenges = [$"DPoP realm=\"{call.Catalog.Gateway.Url.Host}\", error=\"invalid_token\", algs=\"ES256 EdDSA PS256 RS256\""],
    };

    /// <summary>Whom the caller belongs to, whose callers may not be served.</summary>
    private async ValueTask<Refusal?> OfServedAsync(Call call, CancellationToken ct)
    {
        if (call.Principal?.Caller.Organisation is { } organisation) call.Organisation = await organisations.KnownAsync(call.Catalog, organisation, ct);
        return call.Organisation is { Suspended: true } ? new Refusal(Reasons.CallerSuspended, $"'{call.Organisation.Name}', to which '{call.Principal!.Caller.Name}' belongs, is suspended.") : null;
    }

    private static Refusal? Served(Principal principal) =>
        principal.Caller.Status == CallerStatus.Active ? null : new Refusal(Reasons.CallerSuspended, $"'{principal.Caller.Name}' is {principal.Caller.Status.ToString().ToLowerInvariant()}.");
}
