using Turnpike.Audit;
using Turnpike.Ledger;
using Turnpike.Payments.Doubts;
using Turnpike.Telemetry;

namespace Turnpike.Payments.Metered;

/// <summary>What the trail is told with a collection: that it is settled, and what the owner has to hear of what was used.</summary>
internal static class CollectedEvents
{
    public static List<AuditEvent> Of(Payment payment, HoldState held, ILogger log)
    {
        List<AuditEvent> events = [payment.Event(AuditKinds.Settled, reference: held.Hold.Receipt)];
        if (payment.Metered is not { } quote) return events;
        foreach (var (kind, detail) in MeteredCharge.Alarms(payment, quote))
        {
            events.Add(payment.Event(kind, reference: held.Hold.Receipt) with { Detail = detail });
            Instruments.Alarmed(held.Hold.Operation, kind);
            CashierDoubts.Alarm(log, held.Hold.Operation, detail);
        }
        return events;
    }
}
