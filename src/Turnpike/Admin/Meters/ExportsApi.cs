using Microsoft.AspNetCore.Http.HttpResults;
using Turnpike.Audit;
using Turnpike.Billing.Export;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;

namespace Turnpike.Admin.Meters;

/// <summary><c>/admin/v1/usage/exports</c>: how the export of usage stands, and what to send again.</summary>
internal static class ExportsApi
{
    private const int MostDead = 1000;

    public static void MapExports(this IEndpointRouteBuilder api)
    {
        var exports = api.MapGroup("/usage/exports").WithTags("usage");
        exports.MapGet("", ListAsync).Produces<ExportList>().WithName("listExports").WithSummary("Who is told of use, and how far");
        exports.MapGet("/{name}/dead-letters", DeadAsync).Produces<DeadLetterList>().ProducesProblem(404).WithName("listDeadLetters").WithSummary("Events a destination refused, or was tried for too long");
        exports.MapPost("/{name}/replay", ReplayAsync).Produces<ReplayView>().ProducesProblem(400).ProducesProblem(404).WithName("replayExport").WithSummary("Send again")
            .WithDescription("Without from and to: the dead letters. With both: every record of that time, under the ids it had; receivers tell copies apart by them, Stripe for a day only.");
    }

    private static async Task<Ok<ExportList>> ListAsync(CatalogSource catalog, OutboxStore store, CancellationToken ct)
    {
        List<ExportView> views = [];
        foreach (var destination in Configured(catalog)?.Destinations ?? [])
        {
            var state = await store.StateAsync(destination.Name, ct);
            views.Add(new ExportView(destination.Name, state.Waiting, state.Oldest, state.Dead, state.Error));
        }
        return TypedResults.Ok(new ExportList(views));
    }

    private static async Task<Results<Ok<DeadLetterList>, ProblemHttpResult>> DeadAsync(string name, CatalogSource catalog, OutboxStore store, CancellationToken ct) => Configured(catalog)?.Find(name) is null
        ? AdminProblem.NotFound("export")
        : TypedResults.Ok(new DeadLetterList([.. (await store.DeadAsync(name, MostDead, ct)).Select(d => new DeadLetterView(d.Source, d.Id, d.Subject, d.Tries, d.Error, d.Died))]));

    private static async Task<Results<Ok<ReplayView>, ProblemHttpResult>> ReplayAsync(string name, ReplayBody body, CatalogSource catalog, OutboxStore store, IAuditTrail audit, CancellationToken ct)
    {
        if (Configured(catalog)?.Find(name) is null) return AdminProblem.NotFound("export");
        if (body.From is null != body.To is null || body.From >= body.To) return AdminProblem.Malformed("from and to go together, from before to.");
        var queued = body is { From: { } from, To: { } to } ? await store.ReplayAsync(name, from, to, ct) : await store.ReviveAsync(name, ct);
        await audit.RecordAsync(new AuditEvent { Kind = AuditKinds.UsageReplayed, Correlation = Ids.New("c"), Reference = name, Detail = $"{queued} events{(body.From is null ? ", dead letters" : $" from {body.From:u} to {body.To:u}")}" }, ct);
        return TypedResults.Ok(new ReplayView(queued));
    }

    private static ExportSettings? Configured(CatalogSource catalog) => catalog.Current.Settings.Get<ExportSettings>();
}

/// <summary>One destination: what waits, since when, what was given up, and what was wrong last.</summary>
internal sealed record ExportView(string Name, long Waiting, DateTimeOffset? Oldest, long Dead, string? Error);

/// <summary>All destinations.</summary>
internal sealed record ExportList(IReadOnlyList<ExportView> Exports);

/// <summary>An event that was given up.</summary>
internal sealed record DeadLetterView(string Source, string Id, string Subject, long Tries, string Error, DateTimeOffset Died);

/// <summary>The oldest of them, at most 1000.</summary>
internal sealed record DeadLetterList(IReadOnlyList<DeadLetterView> DeadLetters);

/// <summary>What to send again.</summary>
internal sealed record ReplayBody(DateTimeOffset? From = null, DateTimeOffset? To = null);

/// <summary>How many events wait to be sent again.</summary>
internal sealed record ReplayView(long Queued);
