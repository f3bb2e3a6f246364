using Turnpike.Catalog;
using Turnpike.Identity.Organisations;

namespace Turnpike.Identity;

/// <summary>Who asks. A credential that is presented is checked even where none is needed: a bad one is 401, never ignored.</summary>
internal sealed class CallerDirectory(IEnumerable<ICallerProof> proofs, KeyProof keys, CallerDesk desk, OrganisationDesk organisations)
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
    /// Is who asked when the call began still served? Verifying a payment takes its time, and nobody shall pay for what is refused.
    /// Where it may do something else by now, the call says so from here on.
    /// </summary>
    public async ValueTask<Answer?> StillAsync(Call call, CancellationToken ct)
    {
        if (call.Principal is not { } before) return null;
        var lost = before.Credential.StartsWith("key:", StringComparison.Ordinal) ? await StillHasKeyAsync(call, before, ct) : await StillIsCallerAsync(call, before, ct);
        return lost ?? await OfServedAsync(call, ct);
    }

    private async ValueTask<Refusal?> StillHasKeyAsync(Call call, Principal before, CancellationToken ct)
    {
        switch (await keys.ExamineAsync(call, Presented.Read(call), ct))
        {
            case Evidence.Verified { Principal: var now }:
                Change(call, before, now.Caller, now.Scopes, now.Rules);
                return Served(now);
            case Evidence.Invalid invalid: return invalid.Refusal;
            default: return new Refusal(Reasons.UnknownKey, "No caller of this gateway has the key you present.");
        }
    }

    /// <summary>Whom a token or a signature named; the token itself was looked at when the call began.</summary>
    private async ValueTask<Refusal?> StillIsCallerAsync(Call call, Principal before, CancellationToken ct)
    {
        // A colon is in no name of ours: whom an issuer names, and who signs in nobody's name, is not kept here.
        if (before.Caller.Name.Contains(':', StringComparison.Ordinal)) return null;
        var now = await desk.KnownAsync(call.Catalog, before.Caller.Name, ct);
        if (now is null || !before.Credential.StartsWith("token:", StringComparison.Ordinal) && before.Caller.SignsAs.Except(now.SignsAs, StringComparer.Ordinal).Any(Signed))
            return new Refusal(Reasons.UnknownCaller, $"'{before.Caller.Name}' is no caller here any more, or you do not sign in its name.");
        // What it was given besides in this moment counts from the next call on.
        Change(call, before, now, [.. before.Scopes.Where(s => now.Scopes.Contains(s, StringComparer.Ordinal))], before.Rules);
        return Served(call.Principal!);

        bool Signed(string name) => before.Agent?.Name == name || call.SignedBy.Contains(name, StringComparer.Ordinal);
    }

    /// <summary>The plan stays the one the price was told for.</summary>
    private static void Change(Call call, Principal before, Caller caller, IReadOnlyList<string> scopes, CredentialRules rules)
    {
        if (!ReferenceEquals(caller, before.Caller) || !ReferenceEquals(rules, before.Rules))
            call.Principal = before with { Caller = caller with { Plan = before.Caller.Plan, Term = before.Caller.Term }, Scopes = scopes, Rules = rules };
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
