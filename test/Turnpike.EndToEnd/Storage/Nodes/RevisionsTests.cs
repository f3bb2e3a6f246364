using Microsoft.Extensions.Logging.Abstractions;
using Turnpike.Catalog;
using Turnpike.EndToEnd.Harness;
using Turnpike.Storage;
using Turnpike.Storage.Nodes;

namespace Turnpike.EndToEnd.Storage.Nodes;

/// <summary>What one node changes the others forget: because they hear of it, and because they look.</summary>
public sealed class RevisionsTests : IDisposable
{
    private const string Listeners = "select count(*) from pg_stat_activity where datname = current_database() and query like '%listen turnpike%' and state = 'idle' and pid <> pg_backend_pid()";
    private static readonly TimeSpan Never = TimeSpan.FromHours(1);

    private readonly string store = TemporaryDatabase.NewEmpty();
    private readonly List<IDisposable> open = [];
    private int listening;

    [Fact]
    public async Task It_is_heard_without_looking()
    {
        var (a, b) = (await JoinAsync(Never, listens: true), await JoinAsync(Never, listens: true));
        await ToldAsync(a, b);
        await ToldAsync(b, a);
    }

    [Fact]
    public async Task It_is_found_without_hearing()
    {
        var (a, b) = (await JoinAsync(TimeSpan.FromMilliseconds(250), listens: false), await JoinAsync(TimeSpan.FromMilliseconds(250), listens: false));
        await ToldAsync(a, b);
    }

    [Fact]
    public async Task A_listener_whose_connection_was_cut_hears_what_it_missed_and_what_comes()
    {
        var (a, b) = (await JoinAsync(Never, listens: true), await JoinAsync(Never, listens: true));
        await ToldAsync(a, b);
        var told = new TaskCompletionSource();
        b.Revisions.On("missed", told.SetResult);
        await (await SharedPostgres.GetAsync()).RunAsync("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like '%listen turnpike%' and pid <> pg_backend_pid()", store[(store.LastIndexOf('/') + 1)..]);
        await a.Database.WriteAsync(sql => a.Revisions.Bump(sql, "missed"), default);
        await told.Task.WaitAsync(Until.Patience);
        await ToldAsync(a, b);
    }

    [Fact]
    public async Task What_is_undone_is_told_to_nobody()
    {
        var (a, b) = (await JoinAsync(Never, listens: true), await JoinAsync(Never, listens: true));
        await ToldAsync(a, b);
        var told = 0;
        b.Revisions.On("undone", () => told++);
        await Should.ThrowAsync<InvalidOperationException>(async () => await a.Database.WriteAsync(sql =>
        {
            a.Revisions.Bump(sql, "undone");
            throw new InvalidOperationException("never mind");
        }, default));
        await ToldAsync(a, b);
        told.ShouldBe(0);
    }

    public void Dispose()
    {
        foreach (var each in Enumerable.Reverse(open)) each.Dispose();
    }

    private static async Task ToldAsync((Database Database, Revisions Revisions) from, (Database Database, Revisions Revisions) to)
    {
        var (told, name) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), Ids.New("x"));
        to.Revisions.On(name, () => told.TrySetResult());
        await from.Database.WriteAsync(sql => from.Revisions.Bump(sql, name), default);
        await told.Task.WaitAsync(Until.Patience);
    }

    private async Task<(Database Database, Revisions Revisions)> JoinAsync(TimeSpan look, bool listens)
    {
        var database = Database.Open(new StorageOptions(store), TimeProvider.System);
        open.Add(database);
        var revisions = new Revisions(database, TimeProvider.System, NullLogger<Revisions>.Instance) { Look = look, Listens = listens };
        open.Add(revisions);
        await revisions.StartAsync(default);
        if (listens) listening++;
        await Until.HoldsAsync("it listens", async () => (long)(await (await SharedPostgres.GetAsync()).AskAsync(Listeners, store[(store.LastIndexOf('/') + 1)..]))! >= listening);
        return (database, revisions);
    }
}
