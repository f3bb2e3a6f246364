using Turnpike.Ledger;

namespace Turnpike.Payments;

/// <summary>Paid and not delivered becomes credit, by itself, once.</summary>
internal static class Undelivered
{
    public static string Account(string payer) => $"credit:{payer}";

    /// <summary>Back to the budget it came from, or onto the payer's credit: a new entry, idempotent by the hold it mends.</summary>
    public static Transfer Credit(HoldState state)
    {
        var from = state.Hold.Legs[0];
        return new Transfer($"{state.Hold.Id}:undelivered", from.To, from.Limited ? from.From : Account(state.Hold.Payer), state.Captured, "undelivered", LimitedFrom: false, LimitedTo: true)
        {
            Correlation = state.Hold.Correlation,
            Events = [new Audit.AuditEvent { Kind = Audit.AuditKinds.Credited, Correlation = state.Hold.Correlation, Operation = state.Hold.Operation, Payer = state.Hold.Payer, Amount = state.Captured.ToString(), Reference = state.Hold.Receipt, Reason = "undelivered", Request = state.Hold.Request }],
        };
    }
}
