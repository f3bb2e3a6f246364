using Turnpike.Catalog;
using Turnpike.Pricing;
using Turnpike.Pricing.Periods;
using Turnpike.Storage;

namespace Turnpike.EndToEnd.Storage.Nodes;

/// <summary>Tiers of a period on a database that several nodes share.</summary>
public sealed class PricePeriodTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);
    private static readonly Rate Tiers = new Rate.Graduated([new Tier(100, new Rate.Flat(50_000_000, 1), 0), new Tier(300, new Rate.Flat(30_000_000, 1), 0), new Tier(long.MaxValue, new Rate.Flat(7_000_000, 1), 0)]) { Over = new Period(1, "mo", Period.DefaultAnchor, TimeZoneInfo.Utc) };

    private readonly TemporaryDatabase place = new();
    private readonly List<Database> open = [];

    [Fact]
    public async Task Calls_at_once_on_three_nodes_come_to_what_one_would()
    {
        PeriodStore[] nodes = [Join(), Join(), Join()];
        Int128 sum = 0;
        var guard = new Lock();
        await Task.WhenAll(Enumerable.Range(0, 600).Select(i => Task.Run(async () =>
        {
            Int128 due = 0; // the last run of the statement counts: it may be repeated
            await nodes[i % 3].TakeAsync($"r_{i}", "acme", [new PeriodUse("pages", "o//pages", Tiers, 1)], Now, told => { due = told["pages"]; return 0; }, default);
            lock (guard) sum += due;
        })));
        sum.ShouldBe(Tiers.Of(600));
        (await nodes[1].FindAsync("r_0", default)).ShouldHaveSingleItem().Quantity.ShouldBe(1);
        await nodes[0].GiveBackAsync("r_0", "acme", default);
        (await nodes[2].FindAsync("r_0", default)).ShouldBeEmpty();
    }

    public void Dispose()
    {
        foreach (var each in open) each.Dispose();
        place.Dispose();
    }

    private PeriodStore Join()
    {
        var database = place.Open();
        open.Add(database);
        return new PeriodStore(database);
    }
}
