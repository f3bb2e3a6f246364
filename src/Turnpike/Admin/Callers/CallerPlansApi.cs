using Microsoft.AspNetCore.Http.HttpResults;
using Turnpike.Catalog.Loading;
using Turnpike.Identity;
using Turnpike.Plans;

namespace Turnpike.Admin.Callers;

/// <summary>The plan a caller is to have.</summary>
/// <param name="Plan">Left out: none.</param>
/// <param name="For">How long from now, <c>14d</c>: a trial. Or <paramref name="Until"/>; left out: for good.</param>
/// <param name="Grace">How much longer it is served all the same.</param>
/// <param name="Then">The plan afterwards; left out: none.</param>
internal sealed record PlanBody(string? Plan = null, string? For = null, DateTimeOffset? Until = null, string? Grace = null, string? Then = null);

/// <summary>An allowance as its caller has it now; limit, used and resetAt are null for what was granted on top.</summary>
internal sealed record AllowanceView(string Feature, MoneyView? Limit, MoneyView? Used, MoneyView Left, DateTimeOffset? ResetAt)
{
    public static AllowanceView Of(AllowanceState s) => new(s.Feature, s.Limit is { } limit ? MoneyView.Of(limit) : null, s.Used is { } used ? MoneyView.Of(used) : null, MoneyView.Of(s.Left), s.ResetAt);
}

/// <summary>What a caller has of its plan now.</summary>
internal sealed record AllowanceList(string Caller, string? Plan, IReadOnlyList<AllowanceView> Allowances);

/// <summary><c>/admin/v1/callers/{name}/plan</c> and <c>/allowances</c>: what a caller has bought, and what is left of it.</summary>
internal static class CallerPlansApi
{
    public static void MapCallerPlans(this IEndpointRouteBuilder api)
    {
        var callers = api.MapGroup("/callers/{name}").WithTags("callers");
        callers.MapPut("/plan", async Task<Results<Ok<CallerView>, ProblemHttpResult>> (string name, PlanBody body, CallerRegister register, CatalogSource catalog, CancellationToken ct) =>
        {
            var (view, denied) = await register.SetPlanAsync(catalog.Current, name, body, ct);
            return view is not null ? TypedResults.Ok(view) : AdminProblem.Of(denied!.Status, denied.Reason, denied.Title, denied.Detail);
        }).Produces<CallerView>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(409).WithName("putPlan").WithSummary("Change a caller's plan, from the next call on")
            .WithDescription("More is there at once: the new amount less what was used of the period. Less begins with the next period: what was given is not taken back.");
        callers.MapGet("/allowances", async Task<Results<Ok<AllowanceList>, ProblemHttpResult>> (string name, CallerDesk desk, Allowances allowances, CatalogSource catalog, TimeProvider time, CancellationToken ct) =>
        {
            if (await desk.FindAsync(catalog.Current, name, ct) is not { } caller) return AdminProblem.NotFound("caller");
            var now = time.GetUtcNow();
            var plan = caller.PlanAt(now);
            var states = await allowances.LeftAsync(name, PlanBook.Of(catalog.Current, plan), now, ct);
            return TypedResults.Ok(new AllowanceList(name, plan, [.. states.Select(AllowanceView.Of)]));
        }).Produces<AllowanceList>().ProducesProblem(404).WithName("getAllowances").WithSummary("What is left of what a caller's plan includes, and of grants");
    }
}
