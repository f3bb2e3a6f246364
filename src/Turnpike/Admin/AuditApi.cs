using Turnpike.Audit;

namespace Turnpike.Admin;

/// <summary><c>/admin/v1/audit</c>: the trail of every decision, and whether its chain holds.</summary>
internal static class AuditApi
{
    public static void MapAudit(this IEndpointRouteBuilder api)
    {
        var audit = api.MapGroup("/audit").WithTags("audit");
        audit.MapGet("", ReadAsync).Produces<EventList>().WithName("listEvents").WithSummary("Events in order, matching all given filters")
            .WithDescription("Filters: correlation, kind, payer, operation, reference. A page ends with next, which is given back as after.");
        audit.MapGet("/verify", async (IAuditTrail trail, CancellationToken ct) => AuditView.Of(await trail.VerifyAsync(ct))).Produces<AuditView>().WithName("verifyAudit").WithSummary("Recompute the chain from its first link");
    }

    private static async Task<EventList> ReadAsync(string? correlation, string? kind, string? payer, string? operation, string? reference, long? after, int? limit, IAuditTrail trail, CancellationToken ct)
    {
        var most = Math.Clamp(limit ?? 100, 1, 1000);
        await trail.FlushAsync(ct);
        var found = await trail.ReadAsync(new AuditFilter(correlation, kind, payer, operation, reference, after ?? 0, most), ct);
        return new EventList([.. found.Select(EventView.Of)], found.Count == most ? found[^1].Sequence : null);
    }
}
