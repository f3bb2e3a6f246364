using Turnpike.Ledger;

namespace Turnpike.Payments;

/// <summary>Paid and not delivered becomes credit, by itself, once.</summary>
internal static class Undelivered
{
    public static string Account(string payer) => $"credit:{payer}";

    /// <summary>Everything the hold moved: the money, and what was counted with it (calls, requests, a cap's part).</summary>
    public static IEnumerable<Transfer> Credits(HoldState state)
    {
        yield return Credit(state);
        for (var i = 1; i < state.Hold.Legs.Count; i++)
        {
            var leg = state.Hold.Legs[i];
            var moved = new Money(Legs.Moves(state.Hold.Legs, i, state.Captured.Units), leg.Amount.Currency);
            if (leg.Limited) yield return new Transfer($"{state.Hold.Id}:undelivered:{i}", leg.To, leg.From, moved, "undelivered", LimitedFrom: false, LimitedTo: true) { Correlation = state.Hold.Correlation };
        }
    }

    /// <summary>Back to the budget it came from, or onto the payer's credit: a new entry, idempotent by the hold it mends.</summary>
    private static Transfer Credit(HoldState state)
    {
        var from = state.Hold.Legs[0];
        return new Transfer($"{state.Hold.Id}:undelivered", from.To, from.Limited ? from.From : Account(state.Hold.Payer), state.Captured, "undelivered", LimitedFrom: false, LimitedTo: true)
        {
            Correlation = state.Hold.Correlation,
            Events = [new Audit.AuditEvent { Kind = Audit.AuditKinds.Credited, Correlation = state.Hold.Correlation, Operation = state.Hold.Operation, Payer = state.Hold.Payer, Amount = state.Captured.ToString(), Reference = state.Hold.Receipt, Reason = "undelivered", Request = state.Hold.Request }],
        };
    }
}
