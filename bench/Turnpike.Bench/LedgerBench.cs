using System.Diagnostics;
using System.Globalization;
using Turnpike.Audit;
using Turnpike.Ledger;
using Turnpike.Storage;

namespace Turnpike.Bench;

/// <summary>
/// Durable hold and capture with their two audit rows on one hot token, asked for by 512 callers at once, against a loop that does
/// nothing but write the same rows with the same statements, 256 commands to a transaction, in the same run.
/// </summary>
internal static class LedgerBench
{
    private const string Hot = "token:hot";
    private const int Callers = 512;
    private const int Operations = 60_000;
    private const int PerTransaction = 256;

    private static long allocated;

    public static async Task RunAsync()
    {
        var folder = Directory.CreateTempSubdirectory("turnpike-bench-");
        try
        {
            await MeasureLedgerAsync(Path.Combine(folder.FullName, "warm.db"), Operations / 6); // the compiler warms up on another file
            MeasureRaw(Path.Combine(folder.FullName, "warm-raw.db"), Operations / 6);
            var raw = MeasureRaw(Path.Combine(folder.FullName, "raw1.db"), Operations);
            var ledger = await MeasureLedgerAsync(Path.Combine(folder.FullName, "ledger1.db"), Operations);
            raw = Math.Max(raw, MeasureRaw(Path.Combine(folder.FullName, "raw2.db"), Operations));
            ledger = Math.Max(ledger, await MeasureLedgerAsync(Path.Combine(folder.FullName, "ledger2.db"), Operations));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"ledger: hold+capture+2 audit rows, {Callers} callers, one token: {ledger}/s; the same rows written raw: {raw}/s; ratio {ledger * 100 / raw / 100m}; {allocated} bytes allocated each"));
            Table.AtLeast("ledger hold + capture, 512 callers / the same rows raw", (double)ledger / raw, 0.5);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<long> MeasureLedgerAsync(string path, int operations)
    {
        using var database = Database.Open(new StorageOptions("sqlite:" + path), TimeProvider.System);
        using var audit = new AuditTrail(database, TimeProvider.System);
        var ledger = new SqlLedger(database, audit, "bench");
        await ledger.PostAsync(new Transfer("budget", "external:bench", Hot, new Money(long.MaxValue / 2, "USD"), "bench", false, true), default);
        var next = 0;
        var before = GC.GetTotalAllocatedBytes();
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref next) is var i && i <= operations)
            {
                var id = Rows.Name(i);
                if (await ledger.HoldAsync(Rows.NewHold(id, Hot), default) is not HoldResult.Held) throw new InvalidOperationException("The hot token ran dry.");
                await ledger.CaptureAsync(new Capture(id, Rows.Price) { Reference = id, Events = [Rows.NewEvent(AuditKinds.Settled, id, Hot)] }, default);
            }
        })));
        var rate = operations * Stopwatch.Frequency / watch.ElapsedTicks;
        allocated = (GC.GetTotalAllocatedBytes() - before) / operations;
        var report = await ledger.VerifyAsync(default);
        if (!report.Balanced || report.Holds != operations || !(await audit.VerifyAsync(default)).Intact) throw new InvalidOperationException("The books do not balance.");
        return rate;
    }

    private static long MeasureRaw(string path, int operations)
    {
        using (Database.Open(new StorageOptions("sqlite:" + path), TimeProvider.System))
        {
            // Opening it is what lays out the tables.
        }
        using var sql = new Turnpike.Storage.Sqlite.SqliteSql(path, readOnly: false);
        sql.Script("pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -32768; pragma wal_autocheckpoint = 4000;");
        long audited = 0;
        long entered = 0;
        var watch = Stopwatch.StartNew();
        for (var done = 0; done < operations; done += PerTransaction)
        {
            sql.Begin();
            for (var i = done; i < done + PerTransaction; i++) WriteHold(sql, i + 1, ++audited);
            Rows.WriteBalance(sql, Hot, done);
            sql.Commit();
            sql.Begin();
            for (var i = done; i < done + PerTransaction; i++) WriteCapture(sql, i + 1, ++audited, ref entered);
            Rows.WriteBalance(sql, Hot, done);
            sql.Commit();
        }
        return operations * Stopwatch.Frequency / watch.ElapsedTicks;
    }

    private static void WriteHold(Sql sql, int i, long audited)
    {
        Rows.WriteHold(sql, i, Rows.Name(i), Hot);
        Rows.WriteAudit(sql, audited, AuditKinds.Held, Rows.Name(i), Hot);
    }

    private static void WriteCapture(Sql sql, int i, long audited, ref long entered)
    {
        var id = Rows.Name(i);
        Rows.WriteCapture(sql, id);
        Rows.WriteEntry(sql, ++entered, Hot, -Rows.Price.Units, id);
        Rows.WriteEntry(sql, ++entered, "revenue:forecast", Rows.Price.Units, id);
        Rows.WriteAudit(sql, audited, AuditKinds.Settled, id, Hot);
    }
}
