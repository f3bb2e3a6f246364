using Turnpike.Catalog;
using Turnpike.Limits.Incidents;
using Turnpike.Payments;
using Turnpike.Payments.Included;
using Turnpike.Pricing;

namespace Turnpike.Access.Rules;

/// <summary>What is switched off answers 503 with the owner's reason: before anything else is looked at, and again before money is held.</summary>
internal sealed class IncidentRule(IncidentBoard board, PaymentRegistry rails) : IAccessRule
{
    public ValueTask<Answer?> CheckAsync(Call call, CancellationToken ct) => board.IsQuiet ? default : new(Check(call, money: false));

    /// <summary>The last word before money is held. What a plan includes is no new payment, and what was paid for is answered by now.</summary>
    public Answer? Check(Payment payment)
    {
        if (board.IsQuiet) return null;
        var pays = payment.Method is { } method && method.Name != PlanMethod.MethodName;
        if (pays && board.OfRail(payment.Method!.Name, payment.Method.Protocol) is { } rail) return Refuse(rail, Reasons.NoNewPayments);
        return Check(payment.Call, pays);
    }

    private Refusal? Check(Call call, bool money)
    {
        foreach (var incident in board.Of(call))
        {
            var free = call.Operation.Settings.Get<PriceModel>() is null;
            if (incident.Mode == IncidentMode.Closed) return Refuse(incident, Reasons.Closed);
            if (incident.Mode == IncidentMode.ReadOnly && call.Method is not ("GET" or "HEAD")) return Refuse(incident, Reasons.ReadOnly);
            if (incident.Mode == IncidentMode.PaidOnly && free) return Refuse(incident, Reasons.PaidOnly);
            // Terms would invite a payment that is then refused. A proof may be of something paid before: that is found out first. A session was paid before.
            if (incident.Mode == IncidentMode.NoNewPayments && !free && call.Pass is null && (money || call.Plan is null && rails.Read(call) is null)) return Refuse(incident, Reasons.NoNewPayments);
        }
        return null;
    }

    private static Refusal Refuse(Incident incident, Reason reason) => new(reason, incident.Reason) { RetryAfter = TimeSpan.FromMinutes(1) };
}
