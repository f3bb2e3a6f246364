using System.Diagnostics;
using System.Globalization;
using Turnpike.Audit;
using Turnpike.Ledger;
using Turnpike.Storage;

namespace Turnpike.Bench.Stores;

/// <summary>
/// Durable holds on PostgreSQL, each with its audit row, asked for by 512 callers at once, on one hot token and over many; beside a
/// loop that does nothing but send the same statements in batches of the same size, in the same run on the same machine.
/// </summary>
internal static class PostgresBench
{
    private const int Callers = 512;
    private const int Many = 10_000;

    public static async Task RunAsync(string[] args)
    {
        var (rounds, operations) = (Program.Option(args, "--rounds", 3), Program.Option(args, "--operations", 100_000));
        await using var cluster = await PostgresCluster.StartAsync();
        if (cluster is null)
        {
            Table.Skipped("postgres", "skipped: PostgreSQL is not installed (Debian package postgresql-15)");
            return;
        }
        await MeasureLedgerAsync(cluster, operations / 4, Many, nodes: 1); // the compiler warms up on another database
        await MeasureRawAsync(cluster, operations / 4, Many, 256, writers: 1);
        await MeasureAsync(cluster, "one hot token", 1, nodes: 1, rounds, operations, 15_000);
        await MeasureAsync(cluster, "many tokens, one node", Many, nodes: 1, rounds, operations, wanted: null);
        await MeasureAsync(cluster, "many tokens, two nodes", Many, nodes: 2, rounds, operations, 30_000);
    }

    private static async Task MeasureAsync(PostgresCluster cluster, string what, int accounts, int nodes, int rounds, int operations, int? wanted)
    {
        List<Measured> ledger = [];
        List<long> raw = [];
        for (var round = 0; round < rounds; round++)
        {
            await cluster.CheckpointAsync();
            ledger.Add(await MeasureLedgerAsync(cluster, operations, accounts, nodes));
            await cluster.CheckpointAsync();
            raw.Add(await MeasureRawAsync(cluster, operations, accounts, ledger[^1].PerBatch, nodes));
        }
        var best = ledger.MaxBy(each => each.Rate)!;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"postgres: holds with their audit row, {Callers} callers, {what}: {best.Rate}/s in batches of {best.PerBatch}; the same statements alone: {raw.Max()}/s; each took {best.Here.TotalMicroseconds:N0} µs of a processor and {best.Allocated} bytes here, {best.There.TotalMicroseconds:N0} µs in the server"));
        if (wanted is { } least) Table.AtLeast($"PostgreSQL, durable holds a second, {what}", best.Rate, least, "/s");
        else Table.Told($"PostgreSQL, durable holds a second, {what}", string.Create(CultureInfo.InvariantCulture, $"{best.Rate:N0}/s"));
        Table.AtLeast($"PostgreSQL, {what} / the same statements alone", (double)best.Rate / raw.Max(), 0.5);
    }

    /// <param name="nodes">Gateways over the one database, each with its own writer and chain; the callers are divided among them.</param>
    private static async Task<Measured> MeasureLedgerAsync(PostgresCluster cluster, int operations, int accounts, int nodes)
    {
        var location = new StorageOptions(await cluster.DatabaseAsync());
        var databases = Enumerable.Range(0, nodes).Select(_ => Database.Open(location, TimeProvider.System)).ToArray();
        var audits = databases.Select((database, i) => new AuditTrail(database, TimeProvider.System, $"{i + 1}")).ToArray();
        try
        {
            var ledgers = audits.Select((audit, i) => new SqlLedger(databases[i], audit, $"bench-{i + 1}")).ToArray();
            await EachAsync(accounts, async i => await ledgers[0].PostAsync(new Transfer($"budget:{i}", "external:bench", Account(i), new Money(10_000 * Money.Nano, "USD"), "bench", false, true), default));
            var batches = 0;
            foreach (var database in databases) database.Writer.Join(new Counting(() => Interlocked.Increment(ref batches)));
            var (before, here, there) = (GC.GetTotalAllocatedBytes(), Environment.CpuUsage.TotalTime, cluster.ProcessorTime());
            var watch = Stopwatch.StartNew();
            await EachAsync(operations, async i =>
            {
                var held = await ledgers[i % nodes].HoldAsync(Rows.NewHold(Rows.Name(i), Account(Spread(i, accounts))), default);
                if (held is not HoldResult.Held) throw new InvalidOperationException($"A token ran dry: {held}");
            });
            var rate = operations * Stopwatch.Frequency / watch.ElapsedTicks;
            var allocated = (GC.GetTotalAllocatedBytes() - before) / operations;
            (here, there) = (Environment.CpuUsage.TotalTime - here, cluster.ProcessorTime() - there);
            var report = await ledgers[0].VerifyAsync(default);
            if (!report.Balanced || report.Holds != operations || !(await audits[0].VerifyAsync(default)).Intact) throw new InvalidOperationException("The books do not balance.");
            return new Measured(rate, operations / Math.Max(batches, 1), allocated, here / operations, there / operations);
        }
        finally
        {
            foreach (var audit in audits) audit.Dispose();
            foreach (var database in databases) database.Dispose();
        }
    }

    /// <param name="writers">Each on a connection of its own, as nodes have.</param>
    private static async Task<long> MeasureRawAsync(PostgresCluster cluster, int operations, int accounts, int perBatch, int writers)
    {
        var location = new StorageOptions(await cluster.DatabaseAsync());
        var sources = Enumerable.Range(0, writers).Select(_ => Storage.Postgres.PostgresSource.Open(location, TimeProvider.System, Migrations.Embedded)).ToArray();
        try
        {
            var sql = sources[0].Writer!;
            sql.Begin();
            for (var i = 0; i < accounts; i++) Rows.WriteBalance(sql, Account(i), 0);
            sql.Commit();
            var each = operations / writers;
            var watch = Stopwatch.StartNew();
            await Task.WhenAll(sources.Select((source, i) => Task.Factory.StartNew(() => WriteRaw(source.Writer!, $"{i + 1}", i * each, (i + 1) * each, accounts, perBatch), TaskCreationOptions.LongRunning)));
            return operations * Stopwatch.Frequency / watch.ElapsedTicks;
        }
        finally
        {
            foreach (var source in sources) source.Dispose();
        }
    }

    private static void WriteRaw(Sql sql, string node, int from, int to, int accounts, int perBatch)
    {
        long audited = 0;
        for (var done = from; done < to; done += perBatch)
        {
            var numbers = Enumerable.Range(done + 1, Math.Min(perBatch, to - done)).ToArray();
            var ids = numbers.Select(i => Rows.Name(i)).Order(StringComparer.Ordinal).ToArray();
            var payers = numbers.Select(i => Account(Spread(i, accounts))).ToArray();
            string[] distinct = [.. payers.Append("revenue:forecast").Distinct().Order(StringComparer.Ordinal)];
            sql.Begin();
            sql.Share(SqlShare.Accounts, alone: false);
            var sequence = LedgerStore.TakeNumbers(sql);
            LedgerStore.LockHolds(sql, ids);
            LedgerStore.LockBalances(sql, distinct, [.. distinct.Select(_ => "USD")]);
            for (var i = 0; i < ids.Length; i++) Rows.WriteHold(sql, sequence + i, ids[i], payers[i]);
            foreach (var payer in distinct)
                if (payer != "revenue:forecast")
                    Rows.WriteChange(sql, payer, done);
            for (var i = 0; i < ids.Length; i++) Rows.WriteAudit(sql, ++audited, AuditKinds.Held, ids[i], payers[i], node);
            Rows.WriteHead(sql, audited, node);
            sql.Commit();
        }
    }

    private static string Account(int i) => "token:" + i.ToString("D6", CultureInfo.InvariantCulture);

    // Neighbours in time are no neighbours in the table.
    private static int Spread(int i, int accounts) => (int)((long)i * 7919 % accounts);

    private static Task EachAsync(int count, Func<int, Task> act)
    {
        var next = -1;
        return Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref next) is var i && i < count) await act(i);
        })));
    }

    private sealed record Measured(long Rate, int PerBatch, long Allocated, TimeSpan Here, TimeSpan There);

    /// <summary>Counts batches as they commit.</summary>
    private sealed class Counting(Action committed) : IWriteParticipant
    {
        public void Begin(Sql sql, ReadOnlySpan<WriteCommand> batch, DateTimeOffset now)
        {
        }

        public void End(Sql sql)
        {
        }

        public void Committed() => committed();

        public void RolledBack()
        {
        }

        public void Stopped()
        {
        }
    }
}
