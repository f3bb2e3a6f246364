using Turnpike.Access.Approvals;
using Turnpike.Catalog;
using Turnpike.Limits.Breakers;
using Turnpike.Payments;

namespace Turnpike.Access.Rules;

/// <summary>An agent that has run away is stopped before it is told anything, and before money is looked at; one that only asks for terms spends none.</summary>
internal sealed class BreakerRule(BreakerBoard board, ApprovalDesk desk, PaymentRegistry rails) : IAccessRule
{
    public ValueTask<Answer?> CheckAsync(Call call, CancellationToken ct) => Then(board.CheckAsync(call, ct), call, ct);

    /// <summary>Spending, when the price is known.</summary>
    public ValueTask<Answer?> CheckPriceAsync(Call call, CancellationToken ct) =>
        call.Catalog.Settings.Get<BreakerSettings>() is { AnyOfSpending: true } && (call.Plan is not null || rails.Read(call) is not null) ? Then(board.CheckSpendingAsync(call, ct), call, ct) : default;

    private ValueTask<Answer?> Then(ValueTask<(Breaker, Tripped)?> checking, Call call, CancellationToken ct) =>
        checking is { IsCompletedSuccessfully: true, Result: null } ? default : RefuseAsync(checking, call, ct);

    private async ValueTask<Answer?> RefuseAsync(ValueTask<(Breaker Breaker, Tripped Tripped)?> checking, Call call, CancellationToken ct)
    {
        if (await checking is not var (breaker, tripped)) return null;
        if (breaker.Action == BreakerAction.Ask) return await desk.AskAsync(call, tripped, ct);
        return new Refusal(Reasons.AbnormalUsage, tripped.Evidence)
        {
            RetryAfter = tripped.Until - call.Now,
            Limit = new LimitState(breaker.Name, breaker.MoreThan, breaker.MoreThan, tripped.Until, breaker.Within),
        };
    }
}
