using Turnpike.Audit;
using Turnpike.Ledger;

namespace Turnpike.Payments;

/// <summary>Paid and not delivered becomes credit, by itself, once.</summary>
internal static class Undelivered
{
    public static string Account(string payer) => $"credit:{payer}";

    /// <summary>What came instead of an answer: the upstream's status and bytes, or why there was none.</summary>
    public static AuditEvent Event(Payment payment) =>
        payment.Event(AuditKinds.Undelivered, payment.Call.Refused?.Reason.Code ?? "undelivered", payment.State!.Hold.Receipt) with { Detail = payment.Passed };

    /// <summary>Back to the budgets it came from, every leg of it, or onto the payer's credit: new entries, idempotent by the hold they mend.</summary>
    public static IReadOnlyList<Transfer> Credits(HoldState state, AuditEvent? why = null)
    {
        var legs = state.Hold.Legs;
        List<Transfer> back = [new Transfer($"{state.Hold.Id}:undelivered", legs[0].To, legs[0].Limited ? legs[0].From : Account(state.Hold.Payer), state.Captured, "undelivered", LimitedFrom: false, LimitedTo: true)
        {
            Correlation = state.Hold.Correlation,
            Events = [.. why is null ? (ReadOnlySpan<AuditEvent>)[] : [why], new AuditEvent { Kind = AuditKinds.Credited, Correlation = state.Hold.Correlation, Operation = state.Hold.Operation, Payer = state.Hold.Payer, Amount = state.Captured.ToString(), Reference = state.Hold.Receipt, Reason = "undelivered", Request = state.Hold.Request }],
        }];
        for (var i = 1; i < legs.Count; i++)
            if (legs[i].Limited)
                back.Add(new Transfer($"{state.Hold.Id}:undelivered:{i}", legs[i].To, legs[i].From, new Money(Legs.Moves(legs, i, state.Captured.Units), legs[i].Amount.Currency), "undelivered", LimitedFrom: false, LimitedTo: true) { Correlation = state.Hold.Correlation });
        return back;
    }
}
