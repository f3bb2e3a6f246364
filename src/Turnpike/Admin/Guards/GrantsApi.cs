using Microsoft.AspNetCore.Http.HttpResults;
using Turnpike.Ledger;
using Turnpike.Plans;

namespace Turnpike.Admin.Guards;

/// <summary>What to give on top of a plan.</summary>
/// <param name="Id">The billing system's own id of it: the same id gives it once.</param>
/// <param name="Amount"><c>100 requests</c>, <c>1000000 total_tokens</c>, <c>5.00 USD</c>.</param>
internal sealed record GrantBody(string Id, string Amount, string? Note = null);

/// <summary>A grant, and what its caller has of that unit now.</summary>
internal sealed record GrantView(string Id, string Caller, MoneyView Amount, MoneyView Left);

/// <summary><c>/admin/v1/callers/{id}/grants</c>: raises what a caller's plan includes.</summary>
internal static class GrantsApi
{
    private const int MostId = 255;

    public static void MapGrants(this IEndpointRouteBuilder api) =>
        api.MapPost("/callers/{id}/grants", GrantAsync).Produces<GrantView>().ProducesProblem(400).ProducesProblem(409).WithTags("callers").WithName("grant")
            .WithSummary("Give a caller more than its plan includes").WithDescription("Taken when the period's allowance is used up, and kept until it is. The same id is granted once: sending it again answers the same, with another amount 409.");

    private static async Task<Results<Ok<GrantView>, ProblemHttpResult>> GrantAsync(string id, GrantBody body, Allowances allowances, ILedger ledger, CancellationToken ct)
    {
        if (body.Id is not { Length: > 0 and <= MostId }) return AdminProblem.Malformed($"id: 1 to {MostId} characters that name this grant.");
        if (!Money.TryParse(body.Amount, out var amount) || amount.IsZero) return AdminProblem.Malformed("amount: write an amount above zero, such as 100 requests.");
        var posted = await allowances.GrantAsync(id, amount, body.Id, body.Note, ct);
        if (posted == PostResult.Conflict) return AdminProblem.Of(409, "grant-exists", "There is a grant of this id with another amount", "A grant is never changed: give a new id.");
        return TypedResults.Ok(new GrantView(body.Id, id, MoneyView.Of(amount), MoneyView.Of(await ledger.AvailableAsync(PlanBook.Grants(id), amount.Currency, ct))));
    }
}
