using Turnpike.Metering;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Metering;

/// <summary>Each way to make many quantities one, with corrections and what came late.</summary>
public sealed class AggregationTests : IDisposable
{
    private const string Meters = """
        meters:
          sum: { sum: pages }
          count: { count: pages }
          calls: { count: requests }
          mean: { average: pages }
          least: { min: pages }
          most: { max: pages }
          kinds: { unique: pages }
          callers: { unique: caller, group-by: [operation] }
          last: { latest: pages }

        """;

    private static readonly DateTimeOffset Day = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly TestGate gate = new(Meters);

    public void Dispose() => gate.Dispose();

    [Fact]
    public async Task Every_aggregation_tells_what_it_says()
    {
        await AddAsync("a", 4, hour: 1, caller: "x");
        await AddAsync("b", 10, hour: 3, caller: "y");
        await AddAsync("c", 4, hour: 2, caller: "x");
        await AddAsync("d", null, hour: 4, caller: "z"); // a call that tells no pages
        (await AskAsync("sum"), await AskAsync("count"), await AskAsync("calls"), await AskAsync("mean")).ShouldBe(("18", "3", "4", "6"));
        (await AskAsync("least"), await AskAsync("most"), await AskAsync("kinds"), await AskAsync("callers"), await AskAsync("last")).ShouldBe(("4", "10", "2", "3", "10"));
    }

    [Fact]
    public async Task A_mean_has_six_decimals_and_nothing_at_all_has_no_mean()
    {
        (await AskAsync("mean")).ShouldBeNull();
        (await AskAsync("last")).ShouldBeNull();
        foreach (var (id, pages) in new[] { ("a", 1), ("b", 1), ("c", 2) }) await AddAsync(id, pages, hour: 1);
        (await AskAsync("mean")).ShouldBe("1.333333");
    }

    [Fact]
    public async Task A_correction_moves_sums_alone_and_is_itself_told_once()
    {
        await AddAsync("a", 4, hour: 1);
        for (var i = 0; i < 2; i++) await AddAsync("a-corrected", -3, hour: 1, origin: "correction");
        (await AskAsync("sum"), await AskAsync("count"), await AskAsync("calls"), await AskAsync("least"), await AskAsync("last")).ShouldBe(("1", "1", "1", "4", "4"));
    }

    [Fact]
    public async Task A_correction_is_no_value_that_anybody_told()
    {
        await AddAsync("a", 4, hour: 1, caller: "x");
        await AddAsync("a-corrected", -3, hour: 1, caller: "y", origin: "correction");
        (await AskAsync("kinds"), await AskAsync("callers")).ShouldBe(("1", "1"));
    }

    [Fact]
    public async Task What_comes_late_is_in_the_window_it_happened_in()
    {
        await AddAsync("late", 7, hour: 5);
        await AddAsync("early", 2, hour: 1);
        var meter = gate.Of<Turnpike.Catalog.Loading.CatalogSource>().Current.Settings.Get<MeterSet>()!.ByName["sum"];
        var values = await gate.Of<MeterQueries>().AskAsync(meter, new MeterQuery(Day, Day.AddDays(1), MeterWindow.Hour, TimeZoneInfo.Utc), default);
        values.Select(v => (v.From.Hour, v.Value)).ShouldBe([(1, "2"), (5, "7")]);
    }

    private ValueTask AddAsync(string id, long? pages, int hour, string? caller = null, string origin = "reported")
    {
        var counts = new Counts();
        if (pages is { } some) counts["pages"] = some;
        return gate.Of<UsageStore>().AddAsync(new UsageRecord { Source = "elsewhere", Id = id, Happened = Day.AddHours(hour), Operation = "scan", Caller = caller, Origin = origin, Charged = counts }, default);
    }

    private async Task<string?> AskAsync(string name)
    {
        var meter = gate.Of<Turnpike.Catalog.Loading.CatalogSource>().Current.Settings.Get<MeterSet>()!.ByName[name];
        return (await gate.Of<MeterQueries>().AskAsync(meter, new MeterQuery(Day, Day.AddDays(1), null, TimeZoneInfo.Utc), default)).SingleOrDefault()?.Value;
    }
}
