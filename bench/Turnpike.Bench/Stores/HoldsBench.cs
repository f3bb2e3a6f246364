using System.Diagnostics;
using System.Globalization;
using Turnpike.Audit;
using Turnpike.Ledger;
using Turnpike.Storage;

namespace Turnpike.Bench.Stores;

/// <summary>
/// Does a hold take longer when the books are long? A million holds, half of them left open, half captured and delivered; then a
/// thousand one after the other there and a thousand in empty books, in turns, on SQLite and on PostgreSQL. And what a call through
/// the gateway leaves on disk.
/// </summary>
internal static class HoldsBench
{
    private const int Tokens = 10_000;
    private const int Callers = 512;
    private const int Measured = 1_000;

    public static async Task RunAsync(string[] args)
    {
        var (holds, rounds, seconds) = (Program.Option(args, "--holds", 1_000_000), Program.Option(args, "--rounds", 3), Program.Option(args, "--seconds", 10));
        var folder = Directory.CreateTempSubdirectory("turnpike-bench-");
        try
        {
            var files = 0;
            await MeasureAsync("SQLite", holds, rounds, () => Task.FromResult($"sqlite:{Path.Combine(folder.FullName, $"{++files}.db")}"), static () => Task.CompletedTask);
            await WeighFileAsync(seconds);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
        await using var cluster = await PostgresCluster.StartAsync();
        if (cluster is null)
        {
            Table.Skipped("holds on PostgreSQL", "skipped: PostgreSQL is not installed (Debian package postgresql-15)");
            return;
        }
        await MeasureAsync("PostgreSQL", holds, rounds, cluster.DatabaseAsync, cluster.CheckpointAsync);
        await WeighServerAsync(cluster, seconds);
    }

    private static async Task MeasureAsync(string store, int holds, int rounds, Func<Task<string>> fresh, Func<Task> settle)
    {
        using (var warm = new Booked(await fresh()))
        {
            await warm.FundAsync();
            await warm.TimeAsync(Measured);
        }
        using var large = new Booked(await fresh());
        var watch = Stopwatch.StartNew();
        await large.FundAsync();
        await large.FillAsync(holds);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"holds: {store}: {holds:N0} holds, half of them captured and delivered, in {watch.Elapsed.TotalSeconds:N0} s"));
        await settle();
        List<double> early = [], late = [];
        for (var round = 0; round < rounds; round++)
        {
            using var empty = new Booked(await fresh());
            await empty.FundAsync();
            await settle();
            early.AddRange(await empty.TimeAsync(Measured));
            late.AddRange(await large.TimeAsync(Measured));
        }
        if (!await large.BalancesAsync()) throw new InvalidOperationException("The books do not balance.");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"holds: {store}: median of a hold {Median(early):F3} ms in empty books, {Median(late):F3} ms after {holds:N0}"));
        Table.AtMost(string.Create(CultureInfo.InvariantCulture, $"{store}, latency of a hold after {holds:N0} holds / of the first thousand"), Median(late) / Median(early), 1.2, "×");
    }

    private static async Task WeighFileAsync(int seconds)
    {
        await using var stage = await Stage.SetAsync();
        var file = new FileInfo(stage.Store["sqlite:".Length..]);
        if (await CallAsync(stage, seconds, () => { file.Refresh(); return Task.FromResult(file.Length); }) is { } bytes) Say("SQLite", bytes);
    }

    private static async Task WeighServerAsync(PostgresCluster cluster, int seconds)
    {
        var store = await cluster.DatabaseAsync();
        await using var stage = await Stage.SetAsync(store);
        if (await CallAsync(stage, seconds, async () => (long)(await cluster.AskAsync("select pg_database_size(current_database())", store[(store.LastIndexOf('/') + 1)..]))!) is { } bytes) Say("PostgreSQL", bytes);
    }

    private static async Task<long?> CallAsync(Stage stage, int seconds, Func<Task<long>> size)
    {
        var before = await size();
        if (await Wrk.RunAsync(new Uri(stage.Gateway, "/forecast/paris"), 64, seconds, stage.Token) is not { } run) return null;
        if (run.NotGood > 0) throw new InvalidOperationException($"{run.NotGood} of {run.Requests} answers were not 2xx.");
        await stage.StopGatewaysAsync();
        return (await size() - before) / run.Requests;
    }

    private static void Say(string store, long bytes) => Table.Told(string.Create(CultureInfo.InvariantCulture, $"{store}, bytes on disk a paid call, with indexes, audit and usage"), bytes.ToString("N0", CultureInfo.InvariantCulture));

    private static double Median(List<double> given)
    {
        double[] values = [.. given.Order()];
        return values[values.Length / 2];
    }

    /// <summary>Books with ten thousand tokens, and how many holds they have.</summary>
    private sealed class Booked : IDisposable
    {
        private readonly Database database;
        private readonly AuditTrail audit;
        private readonly SqlLedger ledger;
        private int holds;

        public Booked(string store)
        {
            database = Database.Open(new StorageOptions(store), TimeProvider.System);
            audit = new AuditTrail(database, TimeProvider.System, "1");
            ledger = new SqlLedger(database, audit, "bench");
        }

        public async Task FillAsync(int count)
        {
            await EachAsync(count, async () =>
            {
                var id = await HoldAsync();
                if (id % 2 == 0) return;
                await ledger.CaptureAsync(new Capture(Rows.Name(id), Rows.Price) { Reference = "r", Events = [Rows.NewEvent(AuditKinds.Settled, Rows.Name(id), "t")] }, default);
                await ledger.FinishAsync(Rows.Name(id), HoldOutcome.Delivered, [], default, soon: true);
            });
        }

        /// <summary>Milliseconds of each.</summary>
        public async Task<List<double>> TimeAsync(int count)
        {
            List<double> took = [];
            for (var i = 0; i < count; i++)
            {
                var watch = Stopwatch.StartNew();
                await HoldAsync();
                took.Add(watch.Elapsed.TotalMilliseconds);
            }
            return took;
        }

        public async Task<bool> BalancesAsync() => (await ledger.VerifyAsync(default)).Balanced;

        public void Dispose()
        {
            audit.Dispose();
            database.Dispose();
        }

        public async Task FundAsync()
        {
            var next = -1;
            await EachAsync(Tokens, async () =>
            {
                var i = Interlocked.Increment(ref next);
                await ledger.PostAsync(new Transfer($"budget:{i}", "external:bench", Account(i), new Money(10_000 * Money.Nano, "USD"), "bench", false, true), default);
            });
        }

        private async Task<int> HoldAsync()
        {
            var id = Interlocked.Increment(ref holds);
            var held = await ledger.HoldAsync(Rows.NewHold(Rows.Name(id), Account((int)((long)id * 7919 % Tokens))), default);
            return held is HoldResult.Held ? id : throw new InvalidOperationException($"A token ran dry: {held}");
        }

        private static string Account(int i) => "token:" + i.ToString("D6", CultureInfo.InvariantCulture);

        private static Task EachAsync(int count, Func<Task> act)
        {
            var left = count;
            return Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => Task.Run(async () =>
            {
                while (Interlocked.Decrement(ref left) >= 0) await act();
            })));
        }
    }
}
