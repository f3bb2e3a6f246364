using Microsoft.AspNetCore.Http.HttpResults;
using Turnpike.Audit;

namespace Turnpike.Admin;

/// <summary><c>/admin/v1/audit</c>: the trail of every decision, and whether its chain holds.</summary>
internal static class AuditApi
{
    public static void MapAudit(this IEndpointRouteBuilder api)
    {
        var audit = api.MapGroup("/audit").WithTags("audit");
        audit.MapGet("", ReadAsync).Produces<EventList>().ProducesProblem(400).WithName("listEvents").WithSummary("Events in order, matching all given filters")
            .WithDescription("Filters: correlation, kind, payer, operation, reference. A page ends with next, which is given back as after.");
        audit.MapGet("/verify", VerifyAsync).Produces<AuditView>().WithName("verifyAudit").WithSummary("Recompute every node's chain from its first link");
    }

    private static async Task<Results<Ok<EventList>, ProblemHttpResult>> ReadAsync(string? correlation, string? kind, string? payer, string? operation, string? reference, string? after, int? limit, IAuditTrail trail, CancellationToken ct)
    {
        if ((after is null ? AuditPlace.Start : AuditPlace.Parse(after)) is not { } place) return AdminProblem.Malformed("after is the next of an earlier page.");
        var most = Math.Clamp(limit ?? 100, 1, 1000);
        await trail.FlushAsync(ct);
        var found = await trail.ReadAsync(new AuditFilter(correlation, kind, payer, operation, reference, most) { After = place }, ct);
        return TypedResults.Ok(new EventList([.. found.Select(EventView.Of)], found.Count == most ? found[^1].Place.ToString() : null));
    }

    private static async Task<AuditView> VerifyAsync(IAuditTrail trail, CancellationToken ct)
    {
        await trail.FlushAsync(ct);
        return AuditView.Of(await trail.VerifyAsync(ct));
    }
}
