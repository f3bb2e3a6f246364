using Microsoft.AspNetCore.Http.HttpResults;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Plans;
using Turnpike.Plans.Grants;

namespace Turnpike.Admin.Guards;

/// <summary><c>/admin/v1/callers/{id}/grants</c>: raises what a caller's plan includes, and fills its balance.</summary>
internal static class GrantsApi
{
    private const int MostListed = 1000;

    public static void MapGrants(this IEndpointRouteBuilder api)
    {
        var grants = api.MapGroup("/callers/{id}/grants").WithTags("callers");
        grants.MapPost("", GrantAsync).Produces<GrantView>().ProducesProblem(400).ProducesProblem(409).WithName("grant")
            .WithSummary("Give a caller more than its plan includes, or money of its own")
            .WithDescription("kind plan (unless said): taken when the period's allowance is used up, and kept until it is. kind paid or promotional: money the caller spends where it presents no payment, by priority, then expiry, then order of granting. The same id is granted once: sending it again answers the same, with other content 409.");
        grants.MapGet("", async Task<Ok<BalanceView>> (string id, GrantDesk desk, TimeProvider time, CancellationToken ct) => TypedResults.Ok(BalanceView.Of(id, await desk.ListAsync(id, MostListed, ct), time.GetUtcNow())))
            .WithName("listGrants").WithSummary("A caller's balance: every grant of money in the burn order, and what is left of it");
        grants.MapPost("/{grant}/take-back", async Task<Results<Ok<TakenBackView>, ProblemHttpResult>> (string id, string grant, ReasonBody? body, GrantDesk desk, CancellationToken ct) =>
            await desk.TakeBackAsync(id, grant, body?.Reason ?? "by an operator", ct) is { } taken ? TypedResults.Ok(new TakenBackView(grant, id, MoneyView.Of(taken.Taken))) : AdminProblem.NotFound("grant"))
            .Produces<TakenBackView>().ProducesProblem(404).WithName("takeBackGrant").WithSummary("Take back what is unused of a grant of money");
    }

    private static async Task<Results<Ok<GrantView>, ProblemHttpResult>> GrantAsync(string id, GrantBody body, Allowances allowances, GrantDesk desk, CatalogSource catalog, TimeProvider time, ILedger ledger, CancellationToken ct)
    {
        var (order, error) = GrantOrder.Read(id, body, time.GetUtcNow());
        if (order is null) return AdminProblem.Malformed(error);
        if (order.Grant is not { } wanted)
        {
            if (await allowances.GrantAsync(id, order.Amount, body.Id, body.Note, ct) == PostResult.Conflict) return Exists();
            return TypedResults.Ok(new GrantView(body.Id, id, "plan", MoneyView.Of(order.Amount), MoneyView.Of(await ledger.AvailableAsync(PlanBook.Grants(id), order.Amount.Currency, ct)), null, null, null));
        }
        if (catalog.Current.Settings.Get<PaymentSettings>() is not { Balance: true }) return NoBalance();
        return await desk.GrantAsync(wanted, ct) is { } grant ? TypedResults.Ok(await ViewAsync(grant, ledger, time, ct)) : Exists();
    }

    public static async ValueTask<GrantView> ViewAsync(Grant grant, ILedger ledger, TimeProvider time, CancellationToken ct) =>
        GrantView.Of(new GrantState(grant, await ledger.AvailableAsync(grant.Account, grant.Amount.Currency, ct), Money.Zero(grant.Amount.Currency)), time.GetUtcNow());

    public static ProblemHttpResult NoBalance() => AdminProblem.Of(409, "no-balance", "Balances are not switched on", "Set payments.balance: true.");

    public static ProblemHttpResult Exists() => AdminProblem.Of(409, "grant-exists", "There is a grant of this id with other content", "A grant is never changed: give a new id.");
}
