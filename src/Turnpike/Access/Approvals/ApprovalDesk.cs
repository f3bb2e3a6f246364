using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;
using Turnpike.Limits.Breakers;
using Turnpike.Limits.Notices;

namespace Turnpike.Access.Approvals;

/// <summary>
/// Asks for more where more is at stake: when the price is known, before anybody is shown terms and before anything is held.
/// </summary>
internal sealed class ApprovalDesk(ApprovalStore store, CatalogSource catalog, BreakerBoard breakers, Notices notices, IAuditTrail audit, Shadows shadows, TimeProvider time)
{
    /// <summary>What a question about a breaker is of, where others are of an operation.</summary>
    private const string OfBreaker = "breaker:";

    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(30);

    public ValueTask<Answer?> CheckAsync(Call call, CancellationToken ct) =>
        call.Quote is { } quote && call.Operation.Settings.Get<StepUp>() is { Above: { } above, Require: not StepUpRequirement.Confirmations } step && quote.Ceiling.Currency == above.Currency && quote.Ceiling > above
            ? AskAsync(call, step, call.Caller, $"Calls above {above}", ct) : default;

    /// <summary>An operator's word. False when there was one before.</summary>
    public async ValueTask<bool> DecideAsync(Approval asked, bool yes, string? note, CancellationToken ct)
    {
        var breaker = asked.Operation.StartsWith(OfBreaker, StringComparison.Ordinal) ? asked.Operation[OfBreaker.Length..] : null;
        // A yes closes the breaker, and is used up by that: when it trips again it is asked again.
        var valid = breaker is not null && yes ? TimeSpan.Zero : catalog.Current.Operations.GetValueOrDefault(asked.Operation)?.Settings.Get<StepUp>()?.Valid ?? TimeSpan.FromDays(1);
        if (!await store.DecideAsync(asked.Id, yes ? ApprovalStatus.Approved : ApprovalStatus.Denied, time.GetUtcNow() + valid, ct)) return false;
        if (breaker is not null && yes) await breakers.ResetAsync(breaker, asked.Caller, ct);
        await audit.RecordAsync(new AuditEvent { Kind = AuditKinds.ApprovalDecided, Correlation = Ids.New("c"), Reason = yes ? "approved" : "denied", Operation = asked.Operation, Caller = asked.Caller, Amount = asked.Amount.ToString(), Reference = asked.Id, Detail = note }, ct);
        return true;
    }

    /// <summary>Asks for what a step-up asks for.</summary>
    /// <param name="who">Whom one yes is for: the caller, or the payer.</param>
    /// <param name="what">What asks for it, as the first words of a sentence.</param>
    public async ValueTask<Answer?> AskAsync(Call call, StepUp step, string? who, string what, CancellationToken ct)
    {
        if (step.Shadow)
        {
            if (step.Require != StepUpRequirement.Identity || call.Principal is not { Assurance: >= Assurance.Bound })
                await shadows.RecordAsync(call, "step-up", new Refusal(step.Require == StepUpRequirement.Identity ? Reasons.StrongerIdentity : Reasons.ApprovalRequired, $"{what} would have been asked for {step.Require.ToString().ToLowerInvariant()}."), ct);
            return null;
        }
        if (step.Require == StepUpRequirement.Identity)
            return call.Principal is { Assurance: >= Assurance.Bound } ? null : new Refusal(call.Principal is null ? Reasons.IdentityRequired : Reasons.StrongerIdentity, $"{what} are for requests that are signed.");
        if (who is null) return new Refusal(Reasons.IdentityRequired, $"{what} are for callers that say who they are.");
        return await AskAsync(call, who, call.Operation.Name, call.Quote!.Ceiling, what, ct);
    }

    /// <summary>A breaker has opened that an operator closes: may this caller go on?</summary>
    public async ValueTask<Answer?> AskAsync(Call call, Tripped tripped, CancellationToken ct) =>
        await AskAsync(call, tripped.Who, OfBreaker + tripped.Breaker, Money.Zero(RateRule.Requests), $"{tripped.Evidence} Further calls", ct)
        // Said yes in this very moment.
        ?? new Refusal(Reasons.ApprovalRequired, tripped.Evidence) { RetryAfter = TimeSpan.FromSeconds(1) };

    private async ValueTask<Answer?> AskAsync(Call call, string who, string operation, Money amount, string what, CancellationToken ct)
    {
        var standing = await store.CurrentAsync(who, operation, call.Now, ct) ?? await AskAsync(call, who, operation, amount, ct);
        return standing.Status switch
        {
            ApprovalStatus.Approved => null,
            ApprovalStatus.Denied => new Refusal(Reasons.ApprovalDenied, $"An operator has said no, until {standing.Until!.Value.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}.") { ApprovalUrl = Url(call, standing) },
            _ => new Refusal(Reasons.ApprovalRequired, $"{what} need an operator's yes; it has been asked for.") { RetryAfter = Poll, ApprovalUrl = Url(call, standing) },
        };
    }

    private async ValueTask<Approval> AskAsync(Call call, string who, string operation, Money amount, CancellationToken ct)
    {
        var asked = await store.AskAsync(who, operation, amount, call.Now, ct);
        var happened = call.Event(AuditKinds.ApprovalAsked, reference: asked.Id, detail: who == call.Caller ? null : who, amount: asked.Amount.ToString());
        await audit.RecordAsync(happened, ct);
        await notices.PostAsync(happened, ct);
        return asked;
    }

    private static string Url(Call call, Approval approval) => $"{call.Catalog.Gateway.Url.GetLeftPart(UriPartial.Authority)}/approvals/{approval.Id}";
}
