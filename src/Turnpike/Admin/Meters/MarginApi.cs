using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Turnpike.Metering;

namespace Turnpike.Admin.Meters;

/// <summary><c>GET /admin/v1/usage/margin</c>: what calls brought in, what they cost, and what is left.</summary>
internal static class MarginApi
{
    public static void MapMargin(this IEndpointRouteBuilder api) => api.MapGroup("/usage").WithTags("usage").MapGet("/margin", AskAsync).Produces<MarginList>().ProducesProblem(400).WithName("queryMargin").WithSummary("Revenue, own cost and margin")
        .WithDescription("from (a day ago) and to (now) bound it. groupBy: operation, caller, payer, model, with commas; without, caller and operation. Only operations that are recorded: with meters, usage, a metered price or a cost. Amounts are decimal text; withoutCost are paid calls whose cost nobody wrote down.");

    private static async Task<Results<Ok<MarginList>, ProblemHttpResult>> AskAsync(string? from, string? to, string? groupBy, MarginQueries margins, TimeProvider time, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        if (!TryTime(from, now.AddDays(-1), out var begin) || !TryTime(to, now, out var end) || end <= begin) return AdminProblem.Malformed("from and to are times such as 2026-11-01T00:00:00Z, from before to.");
        var dimensions = groupBy?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? ["caller", "operation"];
        if (dimensions.Any(d => !MeterDefinition.Dimensions.Contains(d))) return AdminProblem.Malformed($"groupBy is of {string.Join(", ", MeterDefinition.Dimensions)}.");
        var rows = await margins.AskAsync(begin, end, dimensions, ct);
        return TypedResults.Ok(new MarginList(begin, end, [.. rows.Select(row => new MarginView(dimensions.Select((d, i) => (d, row.Group[i])).ToDictionary(p => p.d, p => p.Item2), row.Currency, row.Calls, row.WithoutCost, row.Revenue.ToDecimal(), row.Cost.ToDecimal(), row.Left.ToDecimal()))]));
    }

    private static bool TryTime(string? text, DateTimeOffset otherwise, out DateTimeOffset time)
    {
        time = otherwise;
        return text is null || DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);
    }
}

/// <summary>One group in one currency; amounts are decimal text.</summary>
internal sealed record MarginView(IReadOnlyDictionary<string, string?> Group, string Currency, long Calls, long WithoutCost, string Revenue, string Cost, string Margin);

/// <summary>All groups.</summary>
internal sealed record MarginList(DateTimeOffset From, DateTimeOffset To, IReadOnlyList<MarginView> Data);
