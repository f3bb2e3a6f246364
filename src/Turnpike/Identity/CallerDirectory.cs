using Turnpike.Catalog;

namespace Turnpike.Identity;

/// <summary>Who asks. A credential that is presented is checked even where none is needed: a bad one is 401, never ignored.</summary>
internal sealed class CallerDirectory(IEnumerable<ICallerProof> proofs, KeyProof keys)
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
        foreach (var proof in proofs)
        {
            switch (await proof.ExamineAsync(call, presented, ct))
            {
                case Evidence.Invalid invalid: return invalid.Refusal;
                case Evidence.Verified verified: call.Principal ??= verified.Principal; break;
            }
        }
        if (call.Principal is not { } principal)
        {
            if (presented.Text is not null) return new Refusal(Reasons.UnknownKey, "No caller of this gateway has the key you present.");
            return call.Operation.Identity == IdentityRule.Required ? new Refusal(Reasons.IdentityRequired, "Present the key you were given.") : null;
        }
        return Served(principal);
    }

    /// <summary>Is a key that was good when the call began still good? Verifying a payment takes its time, and nobody shall pay for what is refused.</summary>
    public async ValueTask<Answer?> StillAsync(Call call, CancellationToken ct)
    {
        if (call.Principal?.Credential.StartsWith("key:", StringComparison.Ordinal) != true) return null;
        return await keys.ExamineAsync(call, Presented.Read(call), ct) switch
        {
            Evidence.Verified verified => Served(verified.Principal),
            Evidence.Invalid invalid => invalid.Refusal,
            _ => new Refusal(Reasons.UnknownKey, "No caller of this gateway has the key you present."),
        };
    }

    private static Refusal? Served(Principal principal) =>
        principal.Caller.Status == CallerStatus.Active ? null : new Refusal(Reasons.CallerSuspended, $"'{principal.Caller.Name}' is {principal.Caller.Status.ToString().ToLowerInvariant()}.");
}
