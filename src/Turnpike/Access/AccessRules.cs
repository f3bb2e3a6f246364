using Turnpike.Access.Approvals;
using Turnpike.Access.Asking;
using Turnpike.Access.Lists;
using Turnpike.Access.Rules;
using Turnpike.Catalog;
using Turnpike.Identity;
using Turnpike.Limits;
using Turnpike.Payments;
using Turnpike.Payments.Included;

namespace Turnpike.Access;

/// <summary>May this caller, and later this payer, do this at all? A no here never becomes a 402.</summary>
internal sealed class AccessRules(IEnumerable<IAccessRule> rules, IncidentRule incidents, UpstreamRule upstreams, BreakerRule breakers, ApprovalDesk approvals, FirstPayments first, OutsideDecisions outside, CallerDirectory callers, RuleLimits limits, ListRule lists)
{
    private readonly IAccessRule[] rules = [.. rules];

    /// <summary>Before any price is told.</summary>
    public async ValueTask<Answer?> CheckAsync(Call call, CancellationToken ct)
    {
        foreach (var rule in rules)
            if (await rule.CheckAsync(call, ct) is { } no) return no;
        return await outside.AskAsync(call, AskAt.Access, null, null, null, ct);
    }

    /// <summary>When the price is known, and before anybody is shown it.</summary>
    public ValueTask<Answer?> CheckPriceAsync(Call call, CancellationToken ct) => call.Quote is { } quote ? CheckPriceAsync(call, quote, ct) : default;

    private async ValueTask<Answer?> CheckPriceAsync(Call call, Quote quote, CancellationToken ct) =>
        await breakers.CheckPriceAsync(call, ct) ?? await approvals.CheckAsync(call, ct) ?? await outside.AskAsync(call, AskAt.Price, quote.Ceiling, null, null, ct);

    /// <summary>Once more when it is known who pays: verifying takes its time, and rights may have ended meanwhile.</summary>
    public ValueTask<Answer?> CheckAsync(Payment payment, CancellationToken ct)
    {
        if (incidents.Check(payment) is { } no) return new(no);
        return payment.Method is null ? upstreams.CheckAsync(payment, ct) : StillAsync(payment, ct);
    }

    private async ValueTask<Answer?> StillAsync(Payment payment, CancellationToken ct) =>
        await lists.CheckAsync(payment, ct) ?? await StillMayAsync(payment.Call, ct) ?? await first.CheckAsync(payment, ct)
        ?? (payment is { Payer: { } payer, Method.Name: not PlanMethod.MethodName and var rail } ? await limits.AdmitPayerAsync(payment.Call, payer, rail, ct) : null) ?? await upstreams.CheckAsync(payment, ct);

    private async ValueTask<Answer?> StillMayAsync(Call call, CancellationToken ct)
    {
        if (call.Principal is not { } before) return null;
        if (await callers.StillAsync(call, ct) is { } no) return no;
        if (ReferenceEquals(call.Principal, before)) return null;
        foreach (var rule in rules)
            if (rule.IsOfRights && await rule.CheckAsync(call, ct) is { } lost) return lost;
        return null;
    }

    /// <summary>The money is there, and the answer about to leave: a no withholds it, and the money is the payer's again.</summary>
    public ValueTask<Answer?> CheckSettledAsync(Payment payment, CancellationToken ct) =>
        payment.IsPaid && payment.Metered is null ? outside.AskAsync(payment.Call, AskAt.Settled, payment.State!.Captured, payment.Payer, payment.State.Hold.Receipt, ct) : default;
}
