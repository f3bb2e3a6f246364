using Turnpike.Billing.Export;
using Turnpike.Metering;
using Turnpike.Storage;
using Turnpike.Storage.Nodes;

namespace Turnpike.EndToEnd.Storage.Nodes;

/// <summary>The queue of usage export on a database that several nodes share.</summary>
public sealed class UsageOutboxTests : IDisposable
{
    private readonly TemporaryDatabase place = new();
    private readonly List<IDisposable> open = [];

    [Fact]
    public async Task One_node_at_a_time_sends_to_a_destination()
    {
        var (a, b) = (await JoinAsync("a"), await JoinAsync("b"));
        (await a.ClaimAsync("hook", default), await b.ClaimAsync("hook", default), await a.ClaimAsync("hook", default)).ShouldBe((true, false, true));
        (await b.ClaimAsync("other", default)).ShouldBeTrue("another destination is anybody's");
        await a.LeaveAsync(default);
        (await b.ClaimAsync("hook", default), await a.ClaimAsync("hook", default)).ShouldBe((true, false));
    }

    [Fact]
    public async Task What_one_node_queued_another_sends_in_order_and_a_subject_that_failed_waits_alone()
    {
        var (a, b) = (await JoinAsync("a"), await JoinAsync("b"));
        foreach (var (id, subject) in new[] { ("1", "acme"), ("2", "zeta"), ("3", "acme"), ("1", "acme") }) await Records("a").AddAsync(Of(id, subject), default);
        var next = await b.NextAsync("hook", 10, default);
        next.Select(row => row.Record.Id).ShouldBe(["1", "2", "3"]);
        await b.LaterAsync("hook", [next[0]], TimeSpan.FromHours(1), "500", default);
        (await a.NextAsync("hook", 10, default)).Select(row => row.Record.Id).ShouldBe(["2"]);
        await b.DoneAsync("hook", [next[1]], null, default);
        await b.BuryAsync("hook", [next[0]], "gone", default);
        (await a.NextAsync("hook", 10, default)).Select(row => row.Record.Id).ShouldBe(["3"]);
        (await a.DeadAsync("hook", 10, default)).ShouldHaveSingleItem().Error.ShouldBe("gone");
        (await a.ReviveAsync("hook", default)).ShouldBe(1);
        (await b.NextAsync("hook", 10, default)).Select(row => row.Record.Id).ShouldBe(["3", "1"]);
        (await a.ReplayAsync("hook", DateTimeOffset.UnixEpoch, DateTimeOffset.UtcNow.AddDays(1), default)).ShouldBe(3);
        (await b.StateAsync("hook", default)).Waiting.ShouldBe(5);
        await b.ClaimAsync("hook", default);
        await b.SetPlaceAsync("hook", new FilePlace("f", 0), default);
        await b.DoneAsync("hook", await b.NextAsync("hook", 10, default), new FilePlace("f", 12), default);
        (await a.PlaceAsync("hook", default)).ShouldBe(new FilePlace("f", 12));
        (await a.StateAsync("hook", default)).ShouldBe(new QueueState(0, null, 0, null));
    }

    public void Dispose()
    {
        foreach (var each in Enumerable.Reverse(open)) each.Dispose();
        place.Dispose();
    }

    private readonly Dictionary<string, Database> databases = [];

    private UsageStore Records(string node) => new(databases[node], static () => ["hook"], TimeProvider.System);

    private async Task<OutboxStore> JoinAsync(string name)
    {
        var database = databases[name] = place.Open();
        open.Add(database);
        return new OutboxStore(database, await NodeLease.OpenAsync(database, name, "v", TimeProvider.System, default), TimeProvider.System);
    }

    private static UsageRecord Of(string id, string subject) =>
        new() { Source = "elsewhere", Id = id, Happened = DateTimeOffset.UtcNow, Operation = "chat", Caller = subject, Origin = "reported", Charged = new Counts { [Units.Output] = 5 } };
}
