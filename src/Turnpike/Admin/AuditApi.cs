using Microsoft.AspNetCore.Http.HttpResults;
using Turnpike.Audit;
using Turnpike.Catalog.Loading;
using Turnpike.Storage;

namespace Turnpike.Admin;

/// <summary><c>/admin/v1/audit</c>: the trail of every decision, and whether its chain holds.</summary>
internal static class AuditApi
{
    private const string Lines = "application/x-ndjson";

    public static void MapAudit(this IEndpointRouteBuilder api)
    {
        var audit = api.MapGroup("/audit").WithTags("audit");
        audit.MapGet("", ReadAsync).Produces<EventList>().ProducesProblem(400).WithName("listEvents").WithSummary("Events in order, matching all given filters")
            .WithDescription("Filters: correlation, kind, payer, operation, reference. A page ends with next, which is given back as after.");
        audit.MapGet("/verify", VerifyAsync).Produces<AuditView>().WithName("verifyAudit").WithSummary("Recompute every node's chain from its first link");
        audit.MapGet("/export", ExportAsync).Produces(200, contentType: Lines).ProducesProblem(400).WithName("exportAudit").WithSummary("The trail between two times, line by line, verifiable offline")
            .WithDescription("from (inclusive) and to (exclusive) are days or times by ISO 8601; format is jsonl or cloudevents. What has happened until now is signed first.");
    }

    private static async Task<Results<PushStreamHttpResult, ProblemHttpResult>> ExportAsync(string? from, string? to, string? format, AuditRounds rounds, Database database, CatalogSource catalog, CancellationToken ct)
    {
        if (!AuditExport.TryTime(from, DateTimeOffset.UnixEpoch, out var start)) return AdminProblem.Malformed("from is a day or a time by ISO 8601, such as 2026-11-01 or 2026-11-01T12:00:00Z.");
        if (!AuditExport.TryTime(to, DateTimeOffset.MaxValue, out var end)) return AdminProblem.Malformed("to is a day or a time by ISO 8601, such as 2026-11-01 or 2026-11-01T12:00:00Z.");
        if (!AuditExport.TryFormat(format, out var written)) return AdminProblem.Malformed("format is jsonl or cloudevents.");
        await rounds.RoundAsync(ct);
        var export = new AuditExport(database, written, catalog.Current.Gateway.Url);
        return TypedResults.Stream(async body =>
        {
            await foreach (var lines in export.LinesAsync(start, end, ct)) await body.WriteAsync(lines, ct);
        }, Lines, "audit.jsonl");
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
