using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Turnpike.Metering;
using Turnpike.Storage;

namespace Turnpike.Admin.Meters;

/// <summary><c>GET /admin/v1/usage</c>: the records of use, one by one.</summary>
internal static class UsageApi
{
    public static void MapUsage(this IEndpointRouteBuilder api) => api.MapGroup("/usage").WithTags("usage").MapGet("", ListAsync).Produces<UsageList>().ProducesProblem(400).WithName("listUsage").WithSummary("Records of use, newest first")
        .WithDescription("Filters: caller, payer, operation, from and to (all, unless said). units are what counts; observed is what passed here, where it was seen. At most limit (100, up to 1000); a page ends with next, which is given back as before.");

    private static async Task<Results<Ok<UsageList>, ProblemHttpResult>> ListAsync(string? caller, string? payer, string? operation, string? from, string? to, string? before, int? limit, UsageStore records, CancellationToken ct)
    {
        if (!TryTime(from, DateTimeOffset.UnixEpoch, out var begin) || !TryTime(to, DateTimeOffset.MaxValue, out var end) || end <= begin) return AdminProblem.Malformed("from and to are times such as 2026-11-01T00:00:00Z, from before to.");
        if (!TryPlace(before, out var place)) return AdminProblem.Malformed("before is the next of an earlier page.");
        var most = Math.Clamp(limit ?? 100, 1, 1000);
        var found = await records.ListAsync(new UsageFilter(begin, end, caller, payer, operation) { Before = place }, most, ct);
        return TypedResults.Ok(new UsageList([.. found.Select(UsageView.Of)], found.Count == most ? TextOf(found[^1]) : null));
    }

    private static string TextOf(UsageRecord last) => string.Create(CultureInfo.InvariantCulture, $"{last.Happened.ToMicroseconds()}/{Uri.EscapeDataString(last.Source)}/{Uri.EscapeDataString(last.Id)}");

    private static bool TryPlace(string? text, out UsagePlace place)
    {
        place = UsagePlace.Newest;
        if (text is null) return true;
        if (text.Split('/') is not [var time, var source, var id] || !long.TryParse(time, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var happened)) return false;
        place = new UsagePlace(happened, Uri.UnescapeDataString(source), Uri.UnescapeDataString(id));
        return true;
    }

    private static bool TryTime(string? text, DateTimeOffset otherwise, out DateTimeOffset time)
    {
        time = otherwise;
        return text is null || DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);
    }
}

/// <summary>One record: what a call used, or what was told of elsewhere.</summary>
internal sealed record UsageView(string Source, string Id, DateTimeOffset Time, string Operation, string? Caller, string? Payer, string? Model, string? Asked, string Origin, string? Receipt,
    IReadOnlyDictionary<string, long> Units, IReadOnlyDictionary<string, long> Observed, IReadOnlyDictionary<string, long> Reported, MoneyView? Cost, IReadOnlyDictionary<string, string> Labels)
{
    public static UsageView Of(UsageRecord record) => new(record.Source, record.Id, record.Happened, record.Operation, record.Caller, record.Payer, record.Model, record.Asked, record.Origin, record.Receipt,
        record.Charged.ToDictionary(), record.Observed.ToDictionary(), record.Reported.ToDictionary(), record.Cost is { } cost ? new MoneyView(cost.ToDecimal(), cost.Currency) : null, record.Labels);
}

/// <summary>A page of records.</summary>
/// <param name="Next">Give it as <c>before</c> for the next page; null at the end.</param>
internal sealed record UsageList(IReadOnlyList<UsageView> Usage, string? Next);
