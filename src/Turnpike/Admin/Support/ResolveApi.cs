using Microsoft.AspNetCore.Http.HttpResults;
using Turnpike.Audit;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Payments.Refunds;

namespace Turnpike.Admin.Support;

/// <summary>What an operator found out about a payment nobody knew the outcome of.</summary>
/// <param name="As"><c>settled</c>, <c>released</c> or <c>credited</c>.</param>
/// <param name="Reference">The rail's name for the money: a transaction hash, a PaymentIntent. Wanted for <c>settled</c>.</param>
/// <param name="Reason">How you know; it stands in the audit trail.</param>
internal sealed record ResolveBody(string As, string? Reference, string Reason);

/// <summary><c>POST /admin/v1/payments/{id}/resolve</c>: an operator decides what the rail would not say.</summary>
internal static class ResolveApi
{
    private const int MostText = 500;

    public static void MapResolve(this IEndpointRouteBuilder api) =>
        api.MapPost("/payments/{id}/resolve", ResolveAsync).Produces<PaymentView>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(409).WithTags("payments")
            .WithName("resolvePayment").WithSummary("Decide what became of a payment whose outcome is unknown")
            .WithDescription("settled: the rail has the money, under this reference. released: it has not and never will, which is refused while the proof is still good. credited: nobody will ever know. Settled and credited give the payer the amount as credit, because the answer never left. The same decision again answers as before; a payment that is not unknown is 409.");

    private static async Task<Results<Ok<PaymentView>, ProblemHttpResult>> ResolveAsync(string id, ResolveBody body, ILedger ledger, IAuditTrail audit, Settler settler, TimeProvider time, CancellationToken ct)
    {
        var (resolution, error) = Read(body);
        if (resolution is null) return AdminProblem.Malformed(error);
        if (await PaymentsApi.ByIdAsync(ledger, id, ct) is not { } state) return AdminProblem.NotFound("payment");
        if (state.Status == HoldStatus.Unknown)
        {
            if (resolution.As == ResolvedAs.Credited && (state.Hold.IsRefund || state.Hold.IsPurchase)) return AdminProblem.Malformed("as: a refund, or what was paid to an upstream, is settled or released.");
            // Released, it would be offered anew, and then the rail could take it twice.
            if (resolution.As == ResolvedAs.Released && state.Hold.Expires is { } expires && expires > time.GetUtcNow())
                return AdminProblem.Of(409, "still-payable", "The rail can still take this payment", $"Its proof is good until {expires:u}. Resolve it then, or as credited.");
            await settler.ResolveAsync(state, resolution, ct);
            state = (await ledger.FindAsync(state.Hold.Id, ct))!;
        }
        return await IsOursAsync(audit, state, resolution, ct)
            ? TypedResults.Ok(PaymentView.Of(state, time.GetUtcNow()))
            : AdminProblem.Of(409, "not-unknown", "The payment is not unknown", $"It is {HoldRow.Text(state.Status)}, and its answer {state.Outcome.ToString().ToLowerInvariant()}.");
    }

    /// <summary>True when this very decision ended it: then the same request again is answered as the first.</summary>
    private static async ValueTask<bool> IsOursAsync(IAuditTrail audit, HoldState state, Resolution resolution, CancellationToken ct)
    {
        var decided = await audit.ReadAsync(new AuditFilter(state.Hold.Correlation, AuditKinds.Resolved, Reference: state.Hold.Id), ct);
        return decided.Any(d => d.Event.Reason == Resolution.Text(resolution.As) && d.Event.Detail == resolution.Reason);
    }

    private static (Resolution? Resolution, string Error) Read(ResolveBody body)
    {
        ResolvedAs? how = body.As switch { "settled" => ResolvedAs.Settled, "released" => ResolvedAs.Released, "credited" => ResolvedAs.Credited, _ => null };
        if (how is null) return (null, "as: settled, released or credited.");
        if (string.IsNullOrWhiteSpace(body.Reason) || body.Reason.Length > MostText) return (null, $"reason: say how you know, in at most {MostText} characters.");
        var reference = string.IsNullOrWhiteSpace(body.Reference) ? null : body.Reference.Trim();
        if (reference?.Length > MostText) return (null, $"reference: at most {MostText} characters.");
        if (how == ResolvedAs.Settled && reference is null) return (null, "reference: the rail's name for the money, such as a transaction hash.");
        if (how != ResolvedAs.Settled && reference is not null) return (null, "reference: only what the rail has paid has one.");
        return (new Resolution(how.Value, reference, body.Reason.Trim()), "");
    }
}
