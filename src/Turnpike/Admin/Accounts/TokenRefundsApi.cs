using Microsoft.AspNetCore.Http.HttpResults;
using Turnpike.Billing;
using Turnpike.Ledger;
using Turnpike.Protocols.Http;
using Turnpike.Tokens;

namespace Turnpike.Admin.Accounts;

/// <summary>What is to be given back of a bought token.</summary>
/// <param name="Amount">How much, <c>0.50 USD</c>; left out: what the token has left, and no more than is left of its price.</param>
/// <param name="Purchase">Which of its purchases, <c>buy_…</c>: a top-up; left out: the one that made it.</param>
internal sealed record TokenRefundBody(string Reason, string? Amount = null, string? Purchase = null);

/// <summary>What the token has after it.</summary>
/// <param name="Sandbox">It was test money: nobody paid, and nobody has anything back.</param>
internal sealed record TokenRefundView(string Token, string Purchase, string Status, MoneyView Left, bool Sandbox);

/// <summary>One purchase of a token.</summary>
/// <param name="Refunded">What went back of its price.</param>
/// <param name="Sandbox">It was paid with test money.</param>
internal sealed record PurchaseView(string Id, string Operation, MoneyView Price, MoneyView Budget, bool TopUp, MoneyView Refunded, bool Sandbox, DateTimeOffset Created);

/// <summary>The purchases of a token, the one that made it first.</summary>
internal sealed record PurchaseList(IReadOnlyList<PurchaseView> Purchases);

/// <summary><c>POST /admin/v1/tokens/{id}/refund</c>: the money for a bought token goes back the way it came.</summary>
internal static class TokenRefundsApi
{
    public static void MapTokenRefunds(this IEndpointRouteBuilder api)
    {
        var tokens = api.MapGroup("/tokens/{id}").WithTags("tokens");
        tokens.MapPost("/refund", RefundAsync).Produces<TokenRefundView>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(409).WithName("refundToken")
            .WithSummary("Give the money for a bought token, or for a top-up, back the way it came").WithDescription("Wants an Idempotency-Key: one key is one refund. By Stripe, the platform's fee with it; test money as test money. The same amount comes off the token; all of it ends the token.");
        tokens.MapGet("/purchases", ListAsync).Produces<PurchaseList>().ProducesProblem(404).WithName("listTokenPurchases").WithSummary("What was bought of a token, and what of it went back");
    }

    private static async Task<Results<Ok<PurchaseList>, ProblemHttpResult>> ListAsync(string id, PurchaseRefunds refunds, TokenDesk tokens, CancellationToken ct)
    {
        if (await tokens.FindAsync(id, ct) is null) return AdminProblem.NotFound("token");
        List<PurchaseView> list = [];
        foreach (var order in await refunds.OfAsync(id, ct))
            list.Add(new PurchaseView(order.Id, order.Operation, MoneyView.Of(order.Price), MoneyView.Of(order.Budget), order.TopUp, MoneyView.Of(await refunds.RefundedAsync(order, ct)), order.ByTestMoney, order.Created));
        return TypedResults.Ok(new PurchaseList(list));
    }

    private static async Task<Results<Ok<TokenRefundView>, ProblemHttpResult>> RefundAsync(string id, TokenRefundBody body, HttpRequest request, PurchaseRefunds refunds, TokenDesk tokens, CancellationToken ct)
    {
        var keys = request.Headers["Idempotency-Key"];
        if (keys.Count != 1 || StructuredFields.ParseStringOrToken(keys.ToString()) is not { Length: > 0 and <= 64 } key) return AdminProblem.Malformed("Idempotency-Key is wanted: one string of at most 64 printable characters.");
        if (string.IsNullOrWhiteSpace(body.Reason)) return AdminProblem.Malformed("reason: say why.");
        if ((await refunds.OfAsync(id, ct)).FirstOrDefault(o => body.Purchase is null ? !o.TopUp : o.Id == body.Purchase) is not { } order) return AdminProblem.NotFound(body.Purchase is null ? "bought token" : "purchase of this token");
        Money? amount = null;
        if (body.Amount is not null)
        {
            if (!Money.TryParse(body.Amount, out var some) || some.Currency != order.Price.Currency || some.IsZero) return AdminProblem.Malformed($"amount: write an amount above zero in {order.Price.Currency}.");
            amount = some;
        }
        if (await refunds.RefundAsync(order, amount, body.Reason.Trim(), key, ct) is { } why) return AdminProblem.Of(409, "refund-refused", "Nothing was given back", why);
        var token = (await tokens.CurrentAsync(order.Token, ct))!;
        var (left, _) = await tokens.LeftAsync(token, ct);
        return TypedResults.Ok(new TokenRefundView(token.Id, order.Id, token.Status.ToString().ToLowerInvariant(), MoneyView.Of(left), order.ByTestMoney));
    }
}
