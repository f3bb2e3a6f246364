using Turnpike.Audit;
using Turnpike.Ledger;
using Turnpike.Payments.Included;

namespace Turnpike.Payments;

/// <summary>Paid and not delivered becomes credit, by itself, once.</summary>
internal static class Undelivered
{
    public static string Account(string payer) => $"credit:{payer}";

    /// <summary>Where it goes back to: the budget it came from, whether that is limited or only counted, or the payer's credit.</summary>
    public static string Target(Hold hold) => hold.Legs[0].Limited || hold.Method is PlanMethod.MethodName or PostpaidMethod.MethodName ? hold.Legs[0].From : Account(hold.Payer);

    /// <summary>Gives <paramref name="amount"/> back as credit: to the grants it came from, what was spent last first, beyond what went back before.</summary>
    public static IReadOnlyList<Leg> Back(HoldState paid, string from, Money amount, Money before)
    {
        var legs = paid.Hold.Legs;
        if (!legs[0].Part) return [new Leg(from, Target(paid.Hold), amount, Limited: false)];
        List<Leg> back = [];
        var (skip, missing) = (before.Units, amount.Units);
        for (var i = legs.Count - 1; i >= 0; i--)
        {
            if (!legs[i].Part) continue;
            var moved = Legs.Moves(legs, i, paid.Captured.Units);
            var skipped = Math.Min(skip, moved);
            var units = Math.Min(moved - skipped, missing);
            (skip, missing) = (skip - skipped, missing - units);
            if (units > 0) back.Add(new Leg(from, legs[i].From, amount with { Units = units }, Limited: false, Part: true));
        }
        return back.Count == 1 ? [back[0] with { Part = false }] : back;
    }

    /// <summary>What came instead of an answer: the upstream's status and bytes, or why there was none.</summary>
    public static AuditEvent Event(Payment payment) =>
        payment.Event(AuditKinds.Undelivered, payment.Call.Refused?.Reason.Code ?? "undelivered", payment.State!.Hold.Receipt, payment.Passed);

    /// <summary>
    /// Back to where it came from, every leg of it, or onto the payer's credit: new entries, idempotent by the hold they mend. Their ids
    /// begin as no hold's does: a payer chooses how a hold's id ends, and one id for both would spoil the check of the books.
    /// </summary>
    public static IReadOnlyList<Transfer> Credits(HoldState state, AuditEvent? why = null)
    {
        var (hold, legs) = (state.Hold, state.Hold.Legs);
        List<Transfer> back = [];
        for (var i = 0; i < legs.Count; i++)
        {
            var target = i == 0 ? Target(hold) : legs[i].From;
            var amount = new Money(Legs.Moves(legs, i, state.Captured.Units), legs[i].Amount.Currency);
            back.Add(new Transfer($"undelivered:{i}:{hold.Id}", legs[i].To, target, amount, "undelivered", LimitedFrom: false, LimitedTo: legs[i].Limited || target != legs[i].From) { Correlation = hold.Correlation });
        }
        back[0] = back[0] with { Events = [.. why is null ? (ReadOnlySpan<AuditEvent>)[] : [why], new AuditEvent { Kind = AuditKinds.Credited, Correlation = hold.Correlation, Operation = hold.Operation, Payer = hold.Payer, Amount = state.Captured.ToString(), Reference = hold.Receipt, Reason = "undelivered", Request = hold.Request }] };
        return back;
    }
}
