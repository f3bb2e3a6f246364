using Microsoft.AspNetCore.Http.HttpResults;
using Turnpike.Catalog.Loading;
using Turnpike.Plans;

namespace Turnpike.Admin.Guards;

/// <summary>What a plan includes, period by period.</summary>
internal sealed record IncludedView(string Feature, string Amount, string Per, string WhenUsedUp, string? Overage, string? Tier, IReadOnlyList<string> Operations)
{
    public static IncludedView Of(Allowance a) => new(a.Feature, a.Amount.ToString(), a.Per.Text, a.WhenUsedUp.ToString().ToLowerInvariant(), a.Overage?.ToString(), a.Tier, a.Operations);
}

/// <summary>A plan as turnpike.yaml has it.</summary>
internal sealed record PlanView(string Name, IReadOnlyList<IncludedView> Includes, IReadOnlyList<LimitView> Limits, IReadOnlyDictionary<string, IReadOnlyList<string>> Tiers, IReadOnlyDictionary<string, string> Entitlements)
{
    public static PlanView Of(Plan plan) => new(plan.Name, [.. plan.Includes.Select(IncludedView.Of)], [.. plan.Limits.Select(LimitView.Of)],
        plan.Tiers.ToDictionary(t => t.Key, t => (IReadOnlyList<string>)[.. t.Value.Order(StringComparer.Ordinal)]), plan.Entitlements.All.ToDictionary());
}

/// <summary>The plans of the document, by name.</summary>
internal sealed record PlanList(IReadOnlyList<PlanView> Plans);

/// <summary><c>/admin/v1/plans</c>: what can be bought. Plans belong to the file; who has which is changed at <c>callers</c>.</summary>
internal static class PlansApi
{
    public static void MapPlans(this IEndpointRouteBuilder api)
    {
        var plans = api.MapGroup("/plans").WithTags("plans");
        plans.MapGet("", (CatalogSource catalog) => TypedResults.Ok(new PlanList([.. Of(catalog).OrderBy(p => p.Name, StringComparer.Ordinal).Select(PlanView.Of)]))).WithName("listPlans").WithSummary("The plans of turnpike.yaml");
        plans.MapGet("/{name}", Results<Ok<PlanView>, ProblemHttpResult> (string name, CatalogSource catalog) =>
            Of(catalog).FirstOrDefault(p => p.Name == name) is { } plan ? TypedResults.Ok(PlanView.Of(plan)) : AdminProblem.NotFound("plan")).Produces<PlanView>().ProducesProblem(404).WithName("getPlan").WithSummary("What a plan includes, limits and opens");
    }

    private static IEnumerable<Plan> Of(CatalogSource catalog) => catalog.Current.Settings.Get<PlanSettings>()?.Plans.Values ?? [];
}
