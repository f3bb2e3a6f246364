using System.Globalization;
using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Storage;

namespace Turnpike.Bench;

/// <summary>
/// A call's rows, as the ledger is asked to write them, and as they are written by hand: the same statements with values of the same
/// length. Holds are named by what callers draw, receipts and correlations as the gateway names them (<see cref="Ids"/>).
/// </summary>
internal static class Rows
{
    private const long Then = 1_700_000_000_000_000;
    private static readonly byte[] Hash = new byte[AuditHash.Length];
    private static readonly byte[] Salt = new byte[AuditHash.SaltLength];

    public static Money Price => new(Money.Nano / 100, "USD");

    /// <summary>Neighbours in time are no neighbours by name, as with keys and nonces that callers draw: an index over them grows everywhere at once.</summary>
    public static string Name(long i) => "idem:token:hot:" + ((ulong)i * 0x9E3779B97F4A7C15).ToString("x16", CultureInfo.InvariantCulture);

    public static Hold NewHold(string id, string payer) => new()
    {
        Id = id,
        Legs = [new Leg(payer, "revenue:forecast", Price, Limited: true)],
        Binding = "GET /forecast/paris",
        Receipt = Ids.New("r"),
        Correlation = Ids.New("c"),
        Operation = "forecast",
        Payer = payer,
        Method = "prepaid",
        PriceVersion = "7",
        Request = "GET /forecast/paris",
        Events = [NewEvent(AuditKinds.Held, id, payer)],
    };

    public static AuditEvent NewEvent(string kind, string id, string payer) => new()
    {
        Kind = kind,
        Correlation = Ids.New("c"),
        Operation = "forecast",
        Payer = payer,
        Address = "127.0.0.1",
        Request = "GET /forecast/paris",
        Method = "prepaid",
        Amount = "0.01 USD",
        Reference = id,
    };

    public static void WriteHold(Sql sql, long sequence, string id, string payer) =>
        sql.RunRow("""
            insert into holds (sequence, id, status, binding, receipt, correlation, operation, payer, caller, method, price_version, request,
                               terms, expires, legs, observed, captured, reference, broadcast, rail_amount, note, incarnation, created, changed, outcome)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)
            """,
            sequence, id, "held", "GET /forecast/paris", Ids.New("r"), Ids.New("c"), "forecast", payer, SqlValue.Null, "prepaid", "7", "GET /forecast/paris",
            SqlValue.Null, SqlValue.Null, $$"""[{"from":"{{payer}}","to":"revenue:forecast","units":10000000,"currency":"USD","limited":true}]""", 0, 0, SqlValue.Null, SqlValue.Null, SqlValue.Null, SqlValue.Null,
            "bench", Then, Then, 0);

    public static void WriteCapture(Sql sql, string id) =>
        sql.RunRow("""
            update holds set status = $2, observed = $3, captured = $4, reference = $5, broadcast = $6, rail_amount = $7, note = $8, changed = $9, outcome = $10
            where id = $1
            """, id, "settled", 0, Price.Units, id, SqlValue.Null, SqlValue.Null, SqlValue.Null, Then, 0);

    public static void WriteEntry(Sql sql, long sequence, string account, long units, string id) =>
        sql.RunRow("insert into entries (account, currency, sequence, units, source, kind, created) values ($1, $2, $3, $4, $5, $6, $7)",
            account, "USD", sequence, units, id, "capture", Then);

    public static void WriteBalance(Sql sql, string account, long done) =>
        sql.RunRow("""
            insert into accounts (account, currency, posted, held, raised) values ($1, $2, $3, $4, $5)
            on conflict (account, currency) do update set posted = excluded.posted, held = excluded.held, raised = excluded.raised
            """, account, "USD", long.MaxValue / 2 - done, done, 0);

    public static void WriteChange(Sql sql, string account, long done) =>
        sql.RunRow("update accounts set posted = $3, held = $4, raised = $5 where account = $1 and currency = $2", account, "USD", long.MaxValue / 2 - done, done, 0);

    public static void WriteAudit(Sql sql, long sequence, string kind, string id, string payer, string node = "1") =>
        AuditStore.Insert(sql, node, sequence, Then, NewEvent(kind, id, payer), Salt, Hash);

    public static void WriteHead(Sql sql, long sequence, string node = "1") => AuditStore.SetHead(sql, node, new AuditHead(sequence, Then, Hash));
}
