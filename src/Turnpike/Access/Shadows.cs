using Turnpike.Audit;
using Turnpike.Catalog;

namespace Turnpike.Access;

/// <summary>What rules in shadow would have said: it stands in the trail and stops nobody.</summary>
internal sealed class Shadows(IAuditTrail audit)
{
    /// <param name="rule">Where it is written: <c>access</c>, <c>ask</c>, <c>step-up</c>.</param>
    public ValueTask RecordAsync(Call call, string rule, Refusal no, CancellationToken ct) => 
        audit.RecordAsync(call.Event(AuditKinds.AccessShadowed, no.Reason.Code, rule, no.Detail, call.Payer), ct);
}
