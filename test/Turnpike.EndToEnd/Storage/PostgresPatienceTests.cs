using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Turnpike.Audit;
using Turnpike.Ledger;
using Turnpike.Storage;
using Turnpike.Storage.Postgres;
using static Turnpike.Tests.Ledger.Some;

namespace Turnpike.EndToEnd.Storage;

/// <summary>Nothing waits for ever: not for a connection, not for a statement, not for somebody else's lock.</summary>
public sealed class PostgresPatienceTests
{
    [Fact]
    public async Task A_server_that_accepts_and_says_nothing_is_given_up_in_seconds()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var watch = Stopwatch.StartNew();
        var store = new StorageOptions($"postgres://me:hush@127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}/books");
        var refused = await Should.ThrowAsync<StorageException>(() => Task.Run(() => Database.Open(store, TimeProvider.System)));
        refused.Fault.ShouldBe(StorageFault.Away);
        refused.ToString().ShouldNotContain("hush");
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task A_statement_that_takes_too_long_is_ended_and_the_writer_goes_on()
    {
        using var place = new TemporaryDatabase();
        using var database = place.Open();
        await Should.ThrowAsync<StorageUnavailableException>(async () => await database.WriteAsync(sql =>
        {
            sql.Run("set local statement_timeout = '100ms'");
            sql.Run("select pg_sleep(20)");
        }, default));
        await WriteAgainAsync(database);
    }

    [Fact]
    public async Task A_connection_that_is_closed_when_its_transaction_is_to_be_undone_does_not_end_the_writer()
    {
        using var place = new TemporaryDatabase();
        using var database = place.Open();
        await Should.ThrowAsync<InvalidOperationException>(async () => await database.WriteAsync(sql =>
        {
            sql.Run("insert into counters (name, value) values ('x', 7)");
            ((PostgresSql)sql).Connect().Close();
            throw new InvalidOperationException("The command has a fault of its own.");
        }, default));
        await WriteAgainAsync(database);
    }

    [Fact]
    public async Task Writers_readers_and_presence_have_the_time_outs_they_should()
    {
        using var place = new TemporaryDatabase();
        using var database = place.Open();
        const string asked = "select current_setting('statement_timeout') || ' ' || current_setting('lock_timeout') || ' ' || current_setting('idle_in_transaction_session_timeout')";
        (await database.WriteAsync(sql => sql.First(asked, row => row.Text(0)), default)).ShouldBe("30s 10s 1min");
        (await database.ReadAsync(sql => sql.First(asked, row => row.Text(0)), default)).ShouldBe("0 0 10min");
    }

    [Fact]
    public async Task Many_that_read_for_long_keep_nobody_waiting_who_reads_or_writes_a_little()
    {
        using var place = new TemporaryDatabase();
        using var database = place.Open();
        using var enough = new ManualResetEventSlim();
        using var begun = new CountdownEvent(4);
        var reading = 0;
        var scans = Enumerable.Range(0, 64).Select(_ => database.ScanAsync(sql =>
        {
            Interlocked.Increment(ref reading);
            if (!begun.IsSet) begun.Signal();
            enough.Wait();
            return sql.First("select 1", row => row.Long(0));
        }, default).AsTask()).ToArray();
        try
        {
            begun.Wait(TimeSpan.FromSeconds(60)).ShouldBeTrue();
            (await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => Task.Run(() => database.ReadAsync(sql => sql.First("select 2", row => row.Long(0)), default).AsTask())))).ShouldAllBe(n => n == 2);
            await database.WriteAsync(sql => sql.Run("insert into counters (name, value) values ('x', 1)"), default);
            reading.ShouldBe(4, "as many connections as docs/operate.md says");
        }
        finally
        {
            enough.Set();
        }
        (await Task.WhenAll(scans)).ShouldAllBe(n => n == 1);
    }

    [Fact]
    public async Task A_row_that_somebody_else_keeps_for_a_moment_is_waited_for()
    {
        using var place = new TemporaryDatabase();
        using var database = place.Open();
        using var audit = new AuditTrail(database, TimeProvider.System);
        var ledger = new SqlLedger(database, audit, "here");
        await ledger.PostAsync(TopUp("t", "token:a", Usd(100)), default);
        using var other = Database.Source(place.Options, TimeProvider.System, Migrations.Embedded);
        other.Writer!.Begin();
        other.Writer.Lock("select account from accounts where account = $1", row => row.Text(0), ["token:a"]).ShouldBe(["token:a"]);
        var held = ledger.HoldAsync(Hold("h", Usd(40)), default).AsTask();
        await Task.Delay(TimeSpan.FromSeconds(1)); // less than callers are kept waiting
        held.IsCompleted.ShouldBeFalse();
        other.Writer.Rollback();
        (await held).ShouldBeOfType<HoldResult.Held>();
        (await ledger.AvailableAsync("token:a", "USD", default)).ShouldBe(Usd(60));
    }

    private static async Task WriteAgainAsync(Database database)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await database.WriteAsync(sql => sql.Run("insert into counters (name, value) values ('x', 1)"), default);
                break;
            }
            catch (StorageUnavailableException) when (watch.Elapsed < TimeSpan.FromMinutes(2))
            {
                await Task.Delay(100); // until somebody has looked whether it is back
            }
        }
    }
}
