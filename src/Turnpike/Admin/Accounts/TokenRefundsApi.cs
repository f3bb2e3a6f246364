using Microsoft.AspNetCore.Http.HttpResults;
using Turnpike.Billing;
using Turnpike.Ledger;
using Turnpike.Protocols.Http;
using Turnpike.Tokens;

namespace Turnpike.Admin.Accounts;

/// <summary>What is to be given back of a bought token.</summary>
/// <param name="Amount">How much, <c>0.50 USD</c>; left out: what the token has left, and no more than its price.</param>
internal sealed record TokenRefundBody(string Reason, string? Amount = null);

/// <summary>What the token has after it.</summary>
internal sealed record TokenRefundView(string Token, string Purchase, string Status, MoneyView Left);

/// <summary><c>POST /admin/v1/tokens/{id}/refund</c>: the money for a bought token goes back the way it came.</summary>
internal static class TokenRefundsApi
{
    public static void MapTokenRefunds(this IEndpointRouteBuilder api) => api.MapPost("/tokens/{id}/refund", RefundAsync).Produces<TokenRefundView>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(409).WithTags("tokens").WithName("refundToken")
        .WithSummary("Give the money for a bought token back through Stripe").WithDescription("Wants an Idempotency-Key: one key is one refund. The platform's fee goes back with it. The same amount comes off the token; all of it ends the token.");

    private static async Task<Results<Ok<TokenRefundView>, ProblemHttpResult>> RefundAsync(string id, TokenRefundBody body, HttpRequest request, PurchaseRefunds refunds, TokenDesk tokens, CancellationToken ct)
    {
        var keys = request.Headers["Idempotency-Key"];
        if (keys.Count != 1 || StructuredFields.ParseStringOrToken(keys.ToString()) is not { Length: > 0 and <= 64 } key) return AdminProblem.Malformed("Idempotency-Key is wanted: one string of at most 64 printable characters.");
        if (string.IsNullOrWhiteSpace(body.Reason)) return AdminProblem.Malformed("reason: say why.");
        if (await refunds.OfAsync(id, ct) is not { } order) return AdminProblem.NotFound("bought token");
        Money? amount = null;
        if (body.Amount is not null)
        {
            if (!Money.TryParse(body.Amount, out var some) || some.Currency != order.Price.Currency || some.IsZero) return AdminProblem.Malformed($"amount: write an amount above zero in {order.Price.Currency}.");
            amount = some;
        }
        if (await refunds.RefundAsync(order, amount, body.Reason.Trim(), key, ct) is { } why) return AdminProblem.Of(409, "refund-refused", "Nothing was given back", why);
        var token = (await tokens.FindAsync(order.Token, ct))!;
        var (left, _) = await tokens.LeftAsync(token, ct);
        return TypedResults.Ok(new TokenRefundView(token.Id, order.Id, token.Status.ToString().ToLowerInvariant(), MoneyView.Of(left)));
    }
}
