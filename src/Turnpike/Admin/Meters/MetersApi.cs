using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;
using Turnpike.Metering;

namespace Turnpike.Admin.Meters;

/// <summary><c>/admin/v1/meters</c> and <c>/admin/v1/usage</c>: questions to the records of use, and records from elsewhere.</summary>
internal static class MetersApi
{
    private const int MostWindows = 50_000;

    /// <summary>Far more than one record can have used, and so little that what many come to can still be told.</summary>
    private const long MostUnits = 1_000_000_000_000_000;

    public static void MapMeters(this IEndpointRouteBuilder api)
    {
        var meters = api.MapGroup("/meters").WithTags("meters");
        meters.MapGet("", List).Produces<MeterList>().WithName("listMeters").WithSummary("The meters of the configuration");
        meters.MapGet("/{name}/query", AskAsync).Produces<MeterAnswer>().ProducesProblem(400).ProducesProblem(404).WithName("queryMeter").WithSummary("A meter's values")
            .WithDescription("window: minute, hour, day or month in timeZone (UTC); without, the whole time. from (a day ago) and to (now) bound it. groupBy: operation, caller, payer, model, with commas; without, the meter's own, header:NAME, path:NAME and claim:NAME among them. Any of these names as a parameter filters. Groups beyond the meter's bound are told together as (others).");
        api.MapGroup("/usage").WithTags("usage").MapPost("", AddAsync).Produces(204).ProducesProblem(400).WithName("addUsage").WithSummary("Record use from elsewhere, or a correction")
            .WithDescription("Idempotent by source and id; quantities up to 10^15. A correction is a record of its own, whose quantities may be negative; nothing is ever edited.");
    }

    private static MeterList List(CatalogSource catalog) =>
        new([.. (catalog.Current.Settings.Get<MeterSet>()?.ByName.Values ?? []).Select(m => new MeterView(m.Name, m.Aggregation.ToString().ToLowerInvariant(), m.Unit, m.GroupBy))]);

    private static async Task<Results<Ok<MeterAnswer>, ProblemHttpResult>> AskAsync(string name, string? window, string? timeZone, string? from, string? to, string? groupBy, HttpRequest asked,
        CatalogSource catalog, MeterQueries meters, TimeProvider time, CancellationToken ct)
    {
        if (catalog.Current.Settings.Get<MeterSet>()?.ByName.GetValueOrDefault(name) is not { } meter) return AdminProblem.NotFound("meter");
        MeterWindow? size = null;
        if (window is not null && (!Enum.TryParse<MeterWindow>(window, ignoreCase: true, out var read) || !Enum.IsDefined(read) || char.IsAsciiDigit(window[0]))) return AdminProblem.Malformed("window is minute, hour, day or month.");
        else if (window is not null) size = Enum.Parse<MeterWindow>(window, ignoreCase: true);
        if (!TimeZoneInfo.TryFindSystemTimeZoneById(timeZone ?? "UTC", out var zone)) return AdminProblem.Malformed("timeZone is a name such as Europe/Berlin.");
        var now = time.GetUtcNow();
        if (!TryTime(from, now.AddDays(-1), out var begin) || !TryTime(to, now, out var end) || end <= begin) return AdminProblem.Malformed("from and to are times such as 2026-11-01T00:00:00Z, from before to.");
        if ((end - begin) / LengthOf(size) > MostWindows) return AdminProblem.Malformed($"That is more than {MostWindows} windows: ask for a shorter time or longer windows.");
        var dimensions = groupBy?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        string[] known = [.. MeterDefinition.Dimensions, .. meter.GroupBy.Where(MeterDefinition.IsLabel)];
        if (dimensions?.FirstOrDefault(d => !meter.Knows(d)) is not null) return AdminProblem.Malformed($"groupBy is of {string.Join(", ", known)}.");
        var filters = known.Where(asked.Query.ContainsKey).ToDictionary(d => d, d => asked.Query[d].ToString());
        var values = await meters.AskAsync(meter, new MeterQuery(begin, end, size, zone) { GroupBy = dimensions, Filters = filters }, ct);
        return TypedResults.Ok(new MeterAnswer(begin, end, [.. values.Select(v => new MeterPoint(v.From, v.To, v.Group, v.Value))]));
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> AddAsync(UsageBody body, UsageStore records, TimeProvider time, CancellationToken ct)
    {
        if (body is not { Source: not null, Id: not null, Operation: not null, Units: not null }) return AdminProblem.Malformed("source, id, operation and units are wanted.");
        if (body.Source.Length is 0 or > 200 || body.Id.Length is 0 or > 200 || body.Source == UsageRecord.Here) return AdminProblem.Malformed($"source and id name the record, at most 200 characters each; '{UsageRecord.Here}' is our own.");
        if (OperationSection.CheckName(body.Operation) is not null) return AdminProblem.Malformed("operation is a name.");
        if (body.Time is { Year: < 1970 or > 9000 }) return AdminProblem.Malformed("time is when it was used.");
        var charged = new Counts();
        foreach (var (unit, count) in body.Units)
        {
            if (count is < -MostUnits or > MostUnits) return AdminProblem.Malformed($"a quantity is at most {MostUnits}.");
            if (Units.CheckName(unit) is not null || count < 0 && !body.Correction) return AdminProblem.Malformed("units are quantities by unit; only a correction has negative ones.");
            charged[unit] = count;
        }
        await records.AddAsync(new UsageRecord
        {
            Source = body.Source, Id = body.Id, Happened = body.Time ?? time.GetUtcNow(), Operation = body.Operation, Caller = body.Caller, Payer = body.Payer, Model = body.Model,
            Origin = body.Correction ? "correction" : "reported", Charged = charged, Reported = body.Correction ? new() : charged,
        }, ct);
        return TypedResults.NoContent();
    }

    private static TimeSpan LengthOf(MeterWindow? window) => window switch { MeterWindow.Minute => TimeSpan.FromMinutes(1), MeterWindow.Hour => TimeSpan.FromHours(1), MeterWindow.Day => TimeSpan.FromDays(1), MeterWindow.Month => TimeSpan.FromDays(28), _ => TimeSpan.MaxValue };

    private static bool TryTime(string? text, DateTimeOffset otherwise, out DateTimeOffset time)
    {
        time = otherwise;
        return text is null || DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);
    }
}

/// <summary>A meter as the configuration has it.</summary>
internal sealed record MeterView(string Name, string Aggregation, string Unit, IReadOnlyList<string> GroupBy);

/// <summary>All meters.</summary>
internal sealed record MeterList(IReadOnlyList<MeterView> Meters);

/// <summary>One value, of a window and a group. <c>value</c> is decimal text.</summary>
internal sealed record MeterPoint(DateTimeOffset From, DateTimeOffset To, IReadOnlyDictionary<string, string?> Group, string Value);

/// <summary>What a meter says.</summary>
internal sealed record MeterAnswer(DateTimeOffset From, DateTimeOffset To, IReadOnlyList<MeterPoint> Data);

/// <summary>A record of use from elsewhere.</summary>
internal sealed record UsageBody(string Source, string Id, string Operation, IReadOnlyDictionary<string, long> Units)
{
    public DateTimeOffset? Time { get; init; }

    public string? Caller { get; init; }

    public string? Payer { get; init; }

    public string? Model { get; init; }

    public bool Correction { get; init; }
}
