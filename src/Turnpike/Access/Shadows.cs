using Turnpike.Audit;
using Turnpike.Catalog;

namespace Turnpike.Access;

/// <summary>What rules in shadow would have said: it stands in the trail and stops nobody.</summary>
internal sealed class Shadows(IAuditTrail audit)
{
    /// <param name="rule">Where it is written: <c>access</c>, <c>ask</c>, <c>step-up</c>.</param>
    public ValueTask RecordAsync(Call call, string rule, Refusal no, CancellationToken ct) => audit.RecordAsync(new AuditEvent
    {
        Kind = AuditKinds.AccessShadowed,
        Correlation = call.Correlation,
        Reason = no.Reason.Code,
        Operation = call.Operation.Name,
        Caller = call.Caller,
        Agent = call.Principal?.Agent?.Name,
        OnBehalfOf = call.Principal?.OnBehalfOf,
        Payer = call.Payer,
        Address = call.Address,
        Request = call.RequestLine,
        Reference = rule,
        Detail = no.Detail,
    }, ct);
}
