using Microsoft.AspNetCore.Http.HttpResults;
using Turnpike.Billing;
using Turnpike.Billing.Automatic;

namespace Turnpike.Admin.Accounts;

/// <summary>What one automatic top-up came to: <c>paid</c>, <c>open</c> (being charged, or unknown), <c>ended</c> (never charged).</summary>
internal sealed record TopUpChargeView(string Purchase, MoneyView Price, string Status, DateTimeOffset Created);

/// <summary>What a buyer agreed to: that the token is topped up by itself.</summary>
/// <param name="Token">The first token of the account; those that took its place are topped up as well.</param>
/// <param name="Status"><c>asked</c> (not paid yet), <c>active</c>, <c>paused</c>, <c>ended</c>.</param>
/// <param name="Why">Why it is paused or has ended: the bank's word, <c>authentication_required</c>, <c>reversed</c> …</param>
/// <param name="Charged">In this calendar month; what is not known to have failed counts.</param>
/// <param name="Pending">The order that is being charged.</param>
internal sealed record TopUpAgreementView(string Id, string Token, string Operation, string Status, string? Why, MoneyView Price, MoneyView Budget, MoneyView Below, MoneyView Monthly, MoneyView Charged, string? Pending, bool Sandbox, DateTimeOffset Agreed, string Purchase, IReadOnlyList<TopUpChargeView>? Charges)
{
    public static TopUpAgreementView Of(MandateView view, bool charges)
    {
        var (mandate, terms) = (view.Mandate, view.Mandate.Terms);
        return new TopUpAgreementView(mandate.Id, mandate.Token, mandate.Operation, view.Status, mandate.Why, MoneyView.Of(terms.Price), MoneyView.Of(terms.Budget), MoneyView.Of(terms.Below), MoneyView.Of(terms.Monthly),
            MoneyView.Of(view.Charged), mandate.Pending, mandate.Status != MandateStatus.Asked && mandate.Customer is null, mandate.Created, mandate.Purchase,
            charges ? [.. view.Charges.Select(c => new TopUpChargeView(c.Id, MoneyView.Of(c.Price), c.Status switch { PurchaseStatus.Paid => "paid", PurchaseStatus.Ended => "ended", _ => "open" }, c.Created))] : null);
    }
}

/// <summary>Agreements, newest first.</summary>
/// <param name="Next">Give it as <c>before</c> for the next page; null at the end.</param>
internal sealed record TopUpAgreementList(IReadOnlyList<TopUpAgreementView> TopUps, string? Next);

/// <summary><c>/admin/v1/top-ups</c>: what buyers agreed to have charged by itself, to be looked at and switched off.</summary>
internal static class TopUpsApi
{
    private const int MostCharges = 500;

    public static void MapTopUpAgreements(this IEndpointRouteBuilder api)
    {
        var all = api.MapGroup("/top-ups").WithTags("top-ups");
        all.MapGet("", ListAsync).WithName("listTopUps").WithSummary("Agreements to automatic top-ups, newest first");
        all.MapGet("/{id}", ShowAsync).Produces<TopUpAgreementView>().ProducesProblem(404).WithName("getTopUp").WithSummary("An agreement, by its id or its token's, with what was charged");
        all.MapPost("/{id}/end", EndAsync).Produces<TopUpAgreementView>().ProducesProblem(404).WithName("endTopUp").WithSummary("Switch an automatic top-up off, for good")
            .WithDescription("What was not sent to Stripe yet is not charged; what was, may still come, and is put onto the token. Only the buyer can agree anew, with a purchase.");
    }

    private static async Task<Ok<TopUpAgreementList>> ListAsync(string? before, int? limit, MandateStore store, TopUpView views, CancellationToken ct)
    {
        var most = Math.Clamp(limit ?? 50, 1, 500);
        var (found, told) = (await store.ListAsync(before, most, ct), new List<TopUpAgreementView>());
        foreach (var mandate in found) told.Add(TopUpAgreementView.Of(await views.OfAsync(mandate, 0, ct), charges: false));
        return TypedResults.Ok(new TopUpAgreementList(told, found.Count == most ? found[^1].Id : null));
    }

    private static async Task<Results<Ok<TopUpAgreementView>, ProblemHttpResult>> ShowAsync(string id, MandateStore store, TopUpView views, CancellationToken ct) =>
        await FindAsync(id, store, views, ct) is { } mandate ? TypedResults.Ok(TopUpAgreementView.Of(await views.OfAsync(mandate, MostCharges, ct), charges: true)) : AdminProblem.NotFound("top-up");

    private static async Task<Results<Ok<TopUpAgreementView>, ProblemHttpResult>> EndAsync(string id, ReasonBody? body, MandateStore store, TopUpView views, TopUps topUps, CancellationToken ct)
    {
        if (await FindAsync(id, store, views, ct) is not { } mandate) return AdminProblem.NotFound("top-up");
        if (body?.Reason is { Length: > 500 }) return AdminProblem.Malformed("reason: at most 500 characters.");
        await topUps.EndAsync(mandate, body?.Reason ?? "by an operator", ct);
        return TypedResults.Ok(TopUpAgreementView.Of(await views.OfAsync((await store.FindAsync(mandate.Id, ct))!, MostCharges, ct), charges: true));
    }

    /// <summary>By its own id, or the id of a token of it.</summary>
    private static async ValueTask<Mandate?> FindAsync(string id, MandateStore store, TopUpView views, CancellationToken ct) =>
        await store.FindAsync(id, ct) ?? (await views.OfTokenAsync(id, ct))?.Mandate;
}
