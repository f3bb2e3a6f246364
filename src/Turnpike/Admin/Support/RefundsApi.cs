using Microsoft.AspNetCore.Http.HttpResults;
using Turnpike.Billing;
using Turnpike.Ledger;
using Turnpike.Payments.Refunds;
using Turnpike.Protocols.Http;

namespace Turnpike.Admin.Support;

/// <summary>What is to be given back.</summary>
/// <param name="Amount">How much, <c>0.50 USD</c>; left out: all that is left.</param>
/// <param name="Reason">Why; it stands in the audit trail.</param>
/// <param name="As"><c>rail</c>: the way it came. <c>credit</c>: onto the token's budget or the payer's credit. Left out: by the rail where it can be.</param>
internal sealed record RefundBody(string Reason, string? Amount = null, string? As = null);

/// <summary><c>POST /admin/v1/payments/{id}/refund</c>: gives back, in full or in part, and never more than was taken.</summary>
internal static class RefundsApi
{
    private const int MostReason = 500;

    public static void MapRefunds(this IEndpointRouteBuilder api)
    {
        var payments = api.MapGroup("/payments").WithTags("payments");
        payments.MapPost("/{id}/refund", RefundAsync).Produces<RefundView>().Produces<RefundView>(202).ProducesProblem(400).ProducesProblem(404).ProducesProblem(409).ProducesProblem(422)
            .WithName("refundPayment").WithSummary("Give a payment back, in full or in part")
            .WithDescription("Wants an Idempotency-Key: one key is one refund, and the same order under it answers as before; one that failed is tried again. 202: the rail has not said yes yet; the gateway goes on asking. All refunds of a payment together never exceed what was taken.");
        payments.MapGet("/{id}/refunds", ListAsync).Produces<RefundList>().ProducesProblem(404).WithName("listRefunds").WithSummary("What was given back of a payment, newest first");
    }

    private static async Task<Results<Ok<RefundView>, Accepted<RefundView>, ProblemHttpResult>> RefundAsync(string id, RefundBody body, HttpRequest request, ILedger ledger, SaleRefunds refunds, CancellationToken ct)
    {
        var keys = request.Headers["Idempotency-Key"];
        if (keys.Count != 1 || StructuredFields.ParseStringOrToken(keys.ToString()) is not { Length: > 0 } key) return AdminProblem.Malformed("Idempotency-Key is wanted: one string of at most 255 printable characters.");
        if (await PaymentsApi.ByIdAsync(ledger, id, ct) is not { } payment) return AdminProblem.NotFound("payment");
        var (order, error) = Read(body, payment, key);
        if (order is null) return AdminProblem.Malformed(error);
        switch (await refunds.RefundAsync(order, ct))
        {
            case RefundResult.Refused refused: return AdminProblem.Of(refused == Refusals.KeyReused ? 422 : 409, refused.Reason, refused.Title, refused.Detail);
            case RefundResult.Ordered { State: { Status: HoldStatus.Settled } done }: return TypedResults.Ok(RefundView.Of(done));
            case RefundResult.Ordered ordered: return TypedResults.Accepted((string?)null, RefundView.Of(ordered.State));
            default: throw new InvalidOperationException();
        }
    }

    private static async Task<Results<Ok<RefundList>, ProblemHttpResult>> ListAsync(string id, ILedger ledger, CancellationToken ct) =>
        await PaymentsApi.ByIdAsync(ledger, id, ct) is { } payment ? TypedResults.Ok(new RefundList(await RefundView.OfAsync(ledger, payment, ct))) : AdminProblem.NotFound("payment");

    private static (RefundOrder? Order, string Error) Read(RefundBody body, HoldState payment, string key)
    {
        if (string.IsNullOrWhiteSpace(body.Reason) || body.Reason.Length > MostReason) return (null, $"reason: say why, in at most {MostReason} characters.");
        RefundAs? how = body.As switch { "rail" => RefundAs.Rail, "credit" => RefundAs.Credit, _ => null };
        if (how is null && body.As is not null) return (null, "as: rail or credit.");
        Money? amount = null;
        if (body.Amount is not null)
        {
            var currency = payment.Captured.Currency;
            if (!Money.TryParse(body.Amount, out var some) || some.Currency != currency || some.IsZero) return (null, $"amount: write an amount above zero in {currency}, such as 0.10 {currency}.");
            amount = some;
        }
        return (new RefundOrder(payment, amount, how, body.Reason.Trim(), key), "");
    }
}
