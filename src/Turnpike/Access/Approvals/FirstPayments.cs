using Turnpike.Catalog;
using Turnpike.Payments;
using Turnpike.Payments.Included;

namespace Turnpike.Access.Approvals;

/// <summary>Step-up by who pays, which is known when the payment is verified and before it is held: the first time, or when a day's payments come to much.</summary>
internal sealed class FirstPayments(ApprovalDesk desk, PayerHistoryStore history)
{
    private static readonly Period Day = new(1, "d", Period.DefaultAnchor, TimeZoneInfo.Utc);

    public ValueTask<Answer?> CheckAsync(Payment payment, CancellationToken ct) =>
        payment.Call.Operation.Settings.Get<StepUp>() is { } step && payment is { Payer: { } payer, State: null } && payment.Method!.Name != PlanMethod.MethodName
            ? CheckAsync(payment, step, payer, ct) : default;

    private async ValueTask<Answer?> CheckAsync(Payment payment, StepUp step, string payer, CancellationToken ct)
    {
        if (step is { Require: StepUpRequirement.Confirmations, Above: { } above } && payment.Ceiling.Currency == above.Currency && payment.Ceiling > above) _ = await AskAsync(payment, step, $"Calls above {above}", ct);
        if (step.FirstPayment && !await history.HasPaidAsync(payer, ct) && await AskAsync(payment, step, "First payments", ct) is { } first) return first;
        if (step.DayAbove is { } most && most.Currency == payment.Ceiling.Currency)
            payment.Line = new PayerLine(payer, payment.Call.Operation.Name, Day.At(payment.Call.Now).End, most, over => AskAsync(payment, step, $"Payments that come above {most} in a day", over));
        return null;
    }

    private ValueTask<Answer?> AskAsync(Payment payment, StepUp step, string what, CancellationToken ct)
    {
        if (step.Shadow || step.Require != StepUpRequirement.Confirmations) return desk.AskAsync(payment.Call, step, payment.Call.Caller ?? payment.Payer, what, ct);
        Confirm(payment, step);
        return default;
    }

    /// <summary>A payer nobody knows may take back on the chain what it paid, while few blocks hold it: the answer waits for more of them.</summary>
    private static void Confirm(Payment payment, StepUp step)
    {
        payment.IsConfirmedFirst = true;
        payment.Method!.Confirm(payment, step.Confirmations);
    }
}
