using Microsoft.AspNetCore.Http.HttpResults;
using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Limits;
using Turnpike.Storage;

namespace Turnpike.Admin.Guards;

/// <summary>A limit as turnpike.yaml has it.</summary>
/// <param name="Id">Where it stands: what counters and the trail call it.</param>
/// <param name="Per">Null: at once.</param>
/// <param name="Key">Who is counted together; empty: everybody.</param>
internal sealed record LimitView(string Id, string Name, string Amount, string? Per, string Count, IReadOnlyList<string> Key, bool Shadow)
{
    public static LimitView Of(RateRule rule) => new(rule.Id, rule.Name, rule.Amount.ToString(), rule.Per is { } per ? $"{(long)per.TotalSeconds}s" : null, rule.Count switch { RateCount.FixedWindow => "fixed-window", RateCount.SlidingWindow => "sliding-window", _ => "token-bucket" }, rule.Key, rule.Shadow);
}

/// <summary>The limits of the document, in its order.</summary>
internal sealed record LimitList(IReadOnlyList<LimitView> Limits);

/// <summary>How full a limit is for one key.</summary>
/// <param name="Who">The key's parts, joined by <c>|</c>.</param>
internal sealed record CountView(string Limit, string Who, MoneyView Amount, MoneyView Left, long RetryAfter);

/// <summary>What counts now on the node that was asked, fullest first.</summary>
internal sealed record CountList(IReadOnlyList<CountView> Counters);

/// <summary>What a limit in shadow would have refused.</summary>
internal sealed record ShadowView(string Limit, string? Caller, long Calls, DateTimeOffset Last);

/// <summary>What limits in shadow would have refused, by the audit trail.</summary>
internal sealed record ShadowList(DateTimeOffset Since, IReadOnlyList<ShadowView> Shadows);

/// <summary><c>/admin/v1/limits</c>: what is written down, how full it is now, and what shadows would have refused.</summary>
internal static class LimitsApi
{
    public static void MapLimits(this IEndpointRouteBuilder api)
    {
        var limits = api.MapGroup("/limits").WithTags("limits");
        limits.MapGet("", (CatalogSource catalog) => TypedResults.Ok(new LimitList([.. WrittenLimits.Of(catalog.Current).Select(LimitView.Of)]))).WithName("listLimits").WithSummary("The limits of turnpike.yaml, wherever they stand");
        limits.MapGet("/counters", (string? limit, string? who, int? most, CounterSet counters) =>
            TypedResults.Ok(new CountList([.. counters.Look(limit, who, Math.Clamp(most ?? 50, 1, 1000)).Select(View)]))).WithName("listCounters").WithSummary("What counts now on this node, fullest first").WithDescription("limit is the id of a limit, who the parts of its key joined by |. Counters are a node's own.");
        limits.MapDelete("/counters", ResetAsync).Produces(204).ProducesProblem(404).WithName("resetCounter").WithSummary("Begin anew for one key of a limit, on this node");
        limits.MapGet("/shadow", async Task<Ok<ShadowList>> (int? days, Database database, IAuditTrail audit, TimeProvider time, CancellationToken ct) =>
        {
            var since = time.GetUtcNow() - TimeSpan.FromDays(Math.Clamp(days ?? 7, 1, 3650));
            await audit.FlushAsync(ct);
            return TypedResults.Ok(new ShadowList(since, await database.ScanAsync(sql => ShadowStore.Count(sql, since), ct)));
        }).WithName("listShadows").WithSummary("What limits in shadow would have refused, by the audit trail");
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> ResetAsync(string limit, string? who, CounterSet counters, IAuditTrail audit, CancellationToken ct)
    {
        if (!counters.Reset(limit, who ?? "")) return AdminProblem.NotFound("counter");
        await audit.RecordAsync(new AuditEvent { Kind = AuditKinds.LimitReset, Correlation = Ids.New("c"), Caller = who, Reference = limit }, ct);
        return TypedResults.NoContent();
    }

    private static CountView View(CounterView counter) => new(counter.Rule, counter.Who, MoneyView.Of(counter.Counted.Amount), MoneyView.Of(counter.Counted.Amount with { Units = counter.Left }), (long)Math.Ceiling(counter.Until.TotalSeconds));
}
