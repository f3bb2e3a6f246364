using Turnpike.Access;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Identity;
using Turnpike.Limits;
using Turnpike.Payments;
using Turnpike.Payments.Sessions;
using Turnpike.Pricing;

namespace Turnpike.Gateway;

/// <summary>The toll gate. Every call passes through this one method, top to bottom.</summary>
internal sealed class Gate(RequestDelegate next, CatalogSource catalog, CallerDirectory callers, PriceBook prices,
                           RateLimits limits, AccessRules access, SessionPasses sessions, Cashier cashier)
{
    public async Task InvokeAsync(HttpContext http)
    {
        await using var call = http.ReadCall(catalog.Current);         // what is called? from the head alone   400 404 405
        await using var payment = cashier.Open(call);                  // from here on, leaving unsettled gives the money back
        var ct = http.RequestAborted;

        var answer = call.Rejected
                  ?? limits.Guessed(call, await callers.IdentifyAsync(call, ct)) // who asks?                   401 429
                  ?? sessions.Look(call)                               // is it open, by a session that was paid?
                  ?? await access.CheckAsync(call, ct)                 // may they, at all?                     400 403 503
                  ?? await prices.QuoteAsync(call, ct)                 // at what price, for this caller?
                  ?? await access.CheckPriceAsync(call, ct)            // is more asked for at that price?      403
                  ?? await limits.AdmitAsync(call, ct)                 // too often?                            429
                  ?? await cashier.VerifyAsync(payment, ct)            // who pays; do we believe it?           402, or what we answered before
                  ?? await access.CheckAsync(payment, ct)              // may this payer, for this?             403
                  ?? await cashier.HoldAsync(payment, ct);             // is the money there?                   402 409 503
        if (answer is not null) { await http.AnswerAsync(call, answer); return; }

        http.Carry(payment);                                           // count what passes; a caller who leaves late is still charged
        await next(http);                                              // forward; a fixed price settles in GateTransforms
        call.Delivered = http.Delivered();
        if (http.Earned()) await cashier.DeliverAsync(payment);        // what is not earned goes back
    }
}
