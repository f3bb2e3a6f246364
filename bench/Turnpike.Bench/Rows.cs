using System.Globalization;
using Turnpike.Audit;
using Turnpike.Ledger;
using Turnpike.Storage;

namespace Turnpike.Bench;

/// <summary>A call's rows, as the ledger is asked to write them, and as they are written by hand: the same statements with values of the same length.</summary>
internal static class Rows
{
    private const long Then = 1_700_000_000_000_000;
    private static readonly byte[] Hash = new byte[AuditHash.Length];
    private static readonly byte[] Salt = new byte[AuditHash.SaltLength];

    public static Money Price => new(Money.Nano / 100, "USD");

    public static string Name(long i) => "idem:token:hot:" + i.ToString("D8", CultureInfo.InvariantCulture);

    public static Hold NewHold(string id, string payer) => new()
    {
        Id = id,
        Legs = [new Leg(payer, "revenue:forecast", Price, Limited: true)],
        Binding = "GET /forecast/paris",
        Receipt = "r" + id,
        Correlation = "c" + id,
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
        Correlation = "c" + id,
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
            sequence, id, "held", "GET /forecast/paris", "r" + id, "c" + id, "forecast", payer, SqlValue.Null, "prepaid", "7", "GET /forecast/paris",
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

    public static void WriteAudit(Sql sql, long sequence, string kind, string id, string payer) =>
        AuditStore.Insert(sql, "1", sequence, Then, NewEvent(kind, id, payer), Salt, Hash);

    public static void WriteHead(Sql sql, long sequence) => AuditStore.SetHead(sql, "1", new AuditHead(sequence, Then, Hash));
}
