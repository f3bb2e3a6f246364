using Turnpike.Catalog;
using Turnpike.Payments;
using Turnpike.Payments.Included;

namespace Turnpike.Access.Approvals;

/// <summary>Step-up by who pays, which is known when the payment is verified and before it is held: the first time, or when a day's payments come to much.</summary>
internal sealed class FirstPayments(ApprovalDesk desk, PayerHistoryStore history)
{
    public ValueTask<Answer?> CheckAsync(Payment payment, CancellationToken ct) =>
        payment.Call.Operation.Settings.Get<StepUp>() is { } step && (step.FirstPayment || step.DayAbove is not null) && payment is { Payer: { } payer, State: null } && payment.Method!.Name != PlanMethod.MethodName
            ? CheckAsync(payment, step, payer, ct) : default;

    private async ValueTask<Answer?> CheckAsync(Payment payment, StepUp step, string payer, CancellationToken ct)
    {
        var (call, who) = (payment.Call, payment.Call.Caller ?? payer);
        if (step.FirstPayment && !await history.HasPaidAsync(payer, ct)) return await desk.AskAsync(call, step, who, "First payments", ct);
        if (step.DayAbove is not { } most || most.Currency != payment.Ceiling.Currency) return null;
        var sum = await history.SumAsync(payer, most.Currency, call.Now - TimeSpan.FromDays(1), ct);
        return sum + payment.Ceiling.Units > most.Units ? await desk.AskAsync(call, step, who, $"Payments that come above {most} in a day", ct) : null;
    }
}
