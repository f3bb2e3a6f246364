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
        await ledger.PostAsync(new Transfer("budget", "external:bench", "token:hot", new Money(long.MaxValue / 2, "USD"), "bench", false, true), default);
        var next = 0;
        var before = GC.GetTotalAllocatedBytes();
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref next) is var i && i <= operations)
            {
                var id = Name(i);
                if (await ledger.HoldAsync(NewHold(id), default) is not HoldResult.Held) throw new InvalidOperationException("The hot token ran dry.");
                await ledger.CaptureAsync(new Capture(id, Price) { Reference = id, Events = [NewEvent(AuditKinds.Settled, id)] }, default);
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
        var hash = new byte[AuditHash.Length];
        long audited = 0;
        long entered = 0;
        var watch = Stopwatch.StartNew();
        for (var done = 0; done < operations; done += PerTransaction)
        {
            sql.Begin();
            for (var i = done; i < done + PerTransaction; i++) WriteHold(sql, i + 1, ++audited, hash);
            WriteBalance(sql, done);
            sql.Commit();
            sql.Begin();
            for (var i = done; i < done + PerTransaction; i++) WriteCapture(sql, i + 1, ++audited, hash, ref entered);
            WriteBalance(sql, done);
            sql.Commit();
        }
        return operations * Stopwatch.Frequency / watch.ElapsedTicks;
    }

    private static void WriteHold(Sql sql, int i, long audited, byte[] hash)
    {
        var id = Name(i);
        sql.Run("""
            insert into holds (sequence, id, status, binding, receipt, correlation, operation, payer, caller, method, price_version, request,
                               terms, expires, legs, observed, captured, reference, broadcast, rail_amount, note, incarnation, created, changed, outcome)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)
            """,
            i, id, "held", "GET /forecast/paris", "r" + id, "c" + id, "forecast", "token:hot", SqlValue.Null, "prepaid", "7", "GET /forecast/paris",
            SqlValue.Null, SqlValue.Null, """[{"from":"token:hot","to":"revenue:forecast","units":10000000,"currency":"USD","limited":true}]""", 0, 0, SqlValue.Null, SqlValue.Null, SqlValue.Null, SqlValue.Null,
            "bench", 1_700_000_000_000_000, 1_700_000_000_000_000, 0);
        WriteAudit(sql, audited, AuditKinds.Held, id, hash);
    }

    private static void WriteCapture(Sql sql, int i, long audited, byte[] hash, ref long entered)
    {
        var id = Name(i);
        sql.Run("""
            update holds set status = $2, observed = $3, captured = $4, reference = $5, broadcast = $6, rail_amount = $7, note = $8, changed = $9, outcome = $10
            where id = $1
            """, id, "settled", 0, Price.Units, id, SqlValue.Null, SqlValue.Null, SqlValue.Null, 1_700_000_000_000_000, 0);
        WriteEntry(sql, ++entered, "token:hot", -Price.Units, id);
        WriteEntry(sql, ++entered, "revenue:forecast", Price.Units, id);
        WriteAudit(sql, audited, AuditKinds.Settled, id, hash);
    }

    private static void WriteEntry(Sql sql, long sequence, string account, long units, string id) =>
        sql.Run("insert into entries (account, currency, sequence, units, source, kind, created) values ($1, $2, $3, $4, $5, $6, $7)",
            account, "USD", sequence, units, id, "capture", 1_700_000_000_000_000);

    private static void WriteBalance(Sql sql, int done) =>
        sql.Run("""
            insert into accounts (account, currency, posted, held) values ($1, $2, $3, $4)
            on conflict (account, currency) do update set posted = excluded.posted, held = excluded.held
            """, "token:hot", "USD", long.MaxValue / 2 - done, done);

    private static void WriteAudit(Sql sql, long sequence, string kind, string id, byte[] hash) =>
        sql.Run("""
            insert into audit (sequence, created, kind, correlation, reason, operation, caller, payer, address, request, method, amount, reference, detail, hash)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
            """, sequence, 1_700_000_000_000_000, kind, "c" + id, SqlValue.Null, "forecast", SqlValue.Null, "token:hot", "127.0.0.1", "GET /forecast/paris", "prepaid", "0.01 USD", id, SqlValue.Null, hash);

    private static Money Price => new(Money.Nano / 100, "USD");

    private static string Name(int i) => "idem:token:hot:" + i.ToString("D8", CultureInfo.InvariantCulture);

    private static Hold NewHold(string id) => new()
    {
        Id = id,
        Legs = [new Leg("token:hot", "revenue:forecast", Price, Limited: true)],
        Binding = "GET /forecast/paris",
        Receipt = "r" + id,
        Correlation = "c" + id,
        Operation = "forecast",
        Payer = "token:hot",
        Method = "prepaid",
        PriceVersion = "7",
        Request = "GET /forecast/paris",
        Events = [NewEvent(AuditKinds.Held, id)],
    };

    private static AuditEvent NewEvent(string kind, string id) => new()
    {
        Kind = kind,
        Correlation = "c" + id,
        Operation = "forecast",
        Payer = "token:hot",
        Address = "127.0.0.1",
        Request = "GET /forecast/paris",
        Method = "prepaid",
        Amount = "0.01 USD",
        Reference = id,
    };
}
