using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Payments;

namespace Turnpike.Gateway.Doors;

/// <summary>
/// The door under a flood. A call that may be refused waits for its place in the trail; when the store cannot keep up, those who
/// bring no payment are sent away before they wait, and when there is no place left, everybody is. Who is inside goes on.
/// </summary>
internal sealed class Pressure(RequestDelegate next, IAuditTrail audit, PaymentRegistry rails)
{
    public Task InvokeAsync(HttpContext http) => audit.Pressure switch
    {
        AuditPressure.None => next(http),
        AuditPressure.Crowded when MayPay(http) => next(http),
        _ => SendAwayAsync(http),
    };

    private bool MayPay(HttpContext http) => rails.Protocols.Any(protocol => protocol.CredentialHeaders.Any(http.Request.Headers.ContainsKey));

    private async Task SendAwayAsync(HttpContext http)
    {
        // Without who and what, so that all of them are one event: its memory must not grow with the flood.
        await audit.RefusedAsync(new AuditEvent { Kind = AuditKinds.Refused, Correlation = Ids.New("c"), Reason = Reasons.TrailFull.Code }, CancellationToken.None);
        await Faults.AnswerAsync(http, Reasons.TrailFull, retryAfter: 1);
    }
}
