using Microsoft.AspNetCore.Http.HttpResults;
using Turnpike.Billing.Disputes;

namespace Turnpike.Admin.Accounts;

/// <summary>A payment its buyer took back through the bank.</summary>
internal sealed record DisputeView(string Id, string PaymentIntent, MoneyView Amount, string Status, string? Reason, DateTimeOffset? EvidenceDue, DateTimeOffset? Submitted, DateTimeOffset Created, IReadOnlyDictionary<string, string>? Evidence)
{
    public static DisputeView Of(Dispute d, IReadOnlyList<KeyValuePair<string, string>>? evidence = null) => new(d.Id, d.Intent, MoneyView.Of(d.Amount), d.Status, d.Reason, d.Due, d.Submitted, d.Created, evidence?.ToDictionary());
}

/// <summary>Disputes, newest first.</summary>
internal sealed record DisputeList(IReadOnlyList<DisputeView> Disputes);

/// <summary>What the operator adds to the evidence.</summary>
internal sealed record DisputeBody(string? Words = null);

/// <summary><c>/admin/v1/disputes</c>: what buyers took back through their banks, and our answer.</summary>
internal static class DisputesApi
{
    public static void MapDisputes(this IEndpointRouteBuilder api)
    {
        var disputes = api.MapGroup("/disputes").WithTags("disputes");
        disputes.MapGet("", async (int? limit, DisputeStore store, CancellationToken ct) => TypedResults.Ok(new DisputeList([.. (await store.ListAsync(Math.Clamp(limit ?? 50, 1, 500), ct)).Select(d => DisputeView.Of(d))]))).WithName("listDisputes").WithSummary("Disputes Stripe told of, newest first");
        disputes.MapGet("/{id}", ShowAsync).Produces<DisputeView>().ProducesProblem(404).WithName("getDispute").WithSummary("A dispute, with the evidence as it would be submitted");
        disputes.MapPost("/{id}/evidence", SubmitAsync).Produces<DisputeView>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(409).WithName("submitEvidence").WithSummary("Submit the evidence to Stripe")
            .WithDescription("What was sold, when it was shown, and every call it paid for with its receipt. Once: Stripe takes no second answer.");
    }

    private static async Task<Results<Ok<DisputeView>, ProblemHttpResult>> ShowAsync(string id, DisputeStore store, DisputeDesk desk, CancellationToken ct) =>
        await store.FindAsync(id, ct) is { } dispute ? TypedResults.Ok(DisputeView.Of(dispute, await desk.EvidenceAsync(dispute, ct))) : AdminProblem.NotFound("dispute");

    private static async Task<Results<Ok<DisputeView>, ProblemHttpResult>> SubmitAsync(string id, DisputeBody body, DisputeStore store, DisputeDesk desk, CancellationToken ct)
    {
        if (body.Words is { Length: > 5000 }) return AdminProblem.Malformed("words: at most 5000 characters.");
        if (await store.FindAsync(id, ct) is not { } dispute) return AdminProblem.NotFound("dispute");
        if (await desk.SubmitAsync(dispute, body.Words, ct) is { } why) return AdminProblem.Of(409, "evidence-refused", "The evidence was not submitted", why);
        return TypedResults.Ok(DisputeView.Of((await store.FindAsync(id, ct))!));
    }
}
