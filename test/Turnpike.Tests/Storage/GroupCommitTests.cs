using Turnpike.Storage;

namespace Turnpike.Tests.Storage;

/// <summary>Many commands, one transaction; one bad command, one failure.</summary>
public sealed class GroupCommitTests
{
    private static readonly Migration Numbers = new(1, "numbers", "create table numbers (n integer primary key)");

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(199)]
    public async Task A_failed_batch_is_halved_until_the_bad_command_alone_fails(int bad)
    {
        using var folder = new TemporaryFolder();
        using var database = Open(folder);
        var batches = new Batches();
        database.Writer.Join(batches);
        var writes = WriteTogether(database, Enumerable.Range(0, 200), n => n == bad ? throw new InvalidOperationException("bad") : n);
        foreach (var (write, n) in writes.Select((write, n) => (write, n)))
        {
            if (n == bad) await Should.ThrowAsync<InvalidOperationException>(write);
            else await write;
        }
        (await CountAsync(database)).ShouldBe(199);
        batches.Undone.ShouldBeInRange(7, 9); // 200 halves to one in eight steps
    }

    [Fact]
    public async Task A_statement_the_database_refuses_fails_its_own_command_only()
    {
        using var folder = new TemporaryFolder();
        using var database = Open(folder);
        var writes = WriteTogether(database, [1, 2, 2, 3], n => n);
        (await Task.WhenAll(writes.Select(async write =>
        {
            try
            {
                await write;
                return true;
            }
            catch (StorageException)
            {
                return false;
            }
        }))).ShouldBe([true, true, false, true]);
        (await CountAsync(database)).ShouldBe(3);
        database.Writer.Failure.ShouldBeNull();
    }

    [Fact]
    public async Task What_waits_is_taken_together_and_at_most_256_at_a_time()
    {
        using var folder = new TemporaryFolder();
        using var database = Open(folder);
        var batches = new Batches();
        database.Writer.Join(batches);
        await Task.WhenAll(WriteTogether(database, Enumerable.Range(0, 1000), n => n));
        batches.Sizes.ShouldBe([1, 256, 256, 256, 232]);
    }

    [Fact]
    public async Task A_clean_stop_writes_what_was_queued()
    {
        using var folder = new TemporaryFolder();
        var database = Open(folder);
        var writes = Enumerable.Range(0, 3000).Select(n => database.WriteAsync(sql => sql.Run("insert into numbers (n) values ($1)", n), default).AsTask()).ToList();
        database.Dispose();
        await Task.WhenAll(writes);
        await Should.ThrowAsync<StorageUnavailableException>(async () => await database.WriteAsync(_ => { }, default));
        using var again = Open(folder);
        (await CountAsync(again)).ShouldBe(3000);
    }

    [Fact]
    public async Task After_the_disk_fails_nothing_is_acknowledged_any_more()
    {
        using var folder = new TemporaryFolder();
        using var database = Open(folder);
        await database.WriteAsync(sql => sql.Run("insert into numbers (n) values (1)"), default);
        // A page limit makes SQLite itself say SQLITE_FULL, as a full disk does.
        await database.WriteAsync(sql => sql.Query("pragma max_page_count = 3", row => row.Long(0)), default);
        await Should.ThrowAsync<StorageUnavailableException>(async () =>
            await database.WriteAsync(sql => sql.Run("create table big as with recursive c (x) as (select 1 union all select x + 1 from c where x < 10000) select x, hex(randomblob(50)) from c"), default));
        database.Writer.Failure.ShouldBeOfType<StorageException>().IsFatal.ShouldBeTrue();
        await Should.ThrowAsync<StorageUnavailableException>(async () => await database.WriteAsync(sql => sql.Run("insert into numbers (n) values (2)"), default));
        (await CountAsync(database)).ShouldBe(1);
    }

    [Fact]
    public async Task A_failed_commit_stops_the_store_and_what_was_waiting_is_told()
    {
        using var folder = new TemporaryFolder();
        using var database = Open(folder);
        // Deferred foreign keys are checked by the commit itself: the only failure of a commit one can bring about from here.
        await database.WriteAsync(sql => sql.Script("create table child (n integer references numbers (n) deferrable initially deferred)"), default);
        var writes = WriteTogether(database, [1, 2, 3], n => n, "insert into child (n) values (77)");
        foreach (var write in writes) await Should.ThrowAsync<StorageUnavailableException>(write);
        database.Writer.Failure.ShouldNotBeNull();
        (await CountAsync(database)).ShouldBe(0);
    }

    [Fact]
    public async Task Continuations_do_not_run_on_the_writer()
    {
        using var folder = new TemporaryFolder();
        using var database = Open(folder);
        await Task.Run(async () => // without the test's own context, a continuation runs wherever it is resumed
        {
            for (var i = 0; i < 50; i++)
            {
                await database.WriteAsync(_ => { }, default);
                Thread.CurrentThread.Name.ShouldNotBe("turnpike writer");
            }
        });
    }

    // Keeps the writer busy with one command until all others are queued, so that they are one batch.
    private static List<Task> WriteTogether(Database database, IEnumerable<int> numbers, Func<int, int> check, string also = "select 1")
    {
        using var queued = new ManualResetEventSlim();
        using var started = new ManualResetEventSlim();
        _ = database.WriteAsync(_ => { started.Set(); queued.Wait(); }, default).AsTask();
        started.Wait();
        var writes = numbers.Select(n => database.WriteAsync(sql =>
        {
            sql.Run("insert into numbers (n) values ($1)", check(n));
            sql.Script(also);
        }, default).AsTask()).ToList();
        queued.Set();
        return writes;
    }

    private static async Task<long> CountAsync(Database database) => await database.ReadAsync(sql => sql.First("select count(*) from numbers", row => row.Long(0)), default);

    /// <summary>What nobody waits for needs nobody else's command, and is not left for later when there is much of it.</summary>
    [Fact]
    public async Task What_does_not_hurry_is_written_soon_and_all_of_it_in_few_transactions()
    {
        using var folder = new TemporaryFolder();
        using var database = Open(folder);
        var batches = new Batches();
        database.Writer.Join(batches);
        await database.WriteAsync(_ => { }, default); // the writer is there
        await Task.WhenAll(Enumerable.Range(0, 1000).Select(n => database.Writer.WriteLaterAsync(new StoreWrite<bool>(sql => { sql.Run("insert into numbers values ($1)", n); return true; }), GroupCommit.Sometime).AsTask()));
        (await CountAsync(database)).ShouldBe(1000);
        batches.Sizes.Sum().ShouldBeInRange(1001, 1030);
    }

    private static Database Open(TemporaryFolder folder) => Database.Open(folder.Options, TimeProvider.System, [Numbers]);

    private sealed class Batches : IWriteParticipant
    {
        public List<int> Sizes { get; } = [];

        public int Undone { get; private set; }

        public void Begin(Sql sql, ReadOnlySpan<WriteCommand> batch, DateTimeOffset now) => Sizes.Add(batch.Length);

        public void End(Sql sql)
        {
        }

        public void Committed()
        {
        }

        public void RolledBack() => Undone++;

        public void Stopped()
        {
        }
    }
}
