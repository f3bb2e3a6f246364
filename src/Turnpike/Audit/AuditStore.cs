using Turnpike.Storage;

namespace Turnpike.Audit;

/// <summary>A row of the trail as it stands in the database.</summary>
internal sealed record AuditRow(long Sequence, long Microseconds, AuditEvent Event, byte[] Hash);

/// <summary>The trail's SQL.</summary>
internal static class AuditStore
{
    public static void Insert(Sql sql, long sequence, long microseconds, AuditEvent happened, byte[] hash) =>
        sql.Run("""
            insert into audit (sequence, created, kind, correlation, reason, operation, caller, payer, address, request, method, amount, reference, detail, hash)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
            """,
            sequence, microseconds, happened.Kind, happened.Correlation, happened.Reason, happened.Operation, happened.Caller, happened.Payer,
            happened.Address, happened.Request, happened.Method, happened.Amount, happened.Reference, happened.Detail, hash);

    public static (long Sequence, byte[] Hash) Head(Sql sql) =>
        sql.First("select sequence, hash from audit_head where id = 1", row => (row.Long(0), row.Bytes(1))) is { Item2: not null } head ? head : (0, AuditHash.Origin);

    public static void SetHead(Sql sql, long sequence, byte[] hash) =>
        sql.Run("insert into audit_head (id, sequence, hash) values (1, $1, $2) on conflict (id) do update set sequence = excluded.sequence, hash = excluded.hash", sequence, hash);

    /// <summary>All rows in order, as a stream.</summary>
    public static IEnumerable<AuditRow> All(Sql sql) =>
        sql.Stream("""
            select sequence, created, kind, correlation, reason, operation, caller, payer, address, request, method, amount, reference, detail, hash
            from audit order by sequence
            """, Read);

    public static List<AuditRow> Select(Sql sql, AuditFilter filter) =>
        filter.Correlation is null
            ? sql.Query("""
                select sequence, created, kind, correlation, reason, operation, caller, payer, address, request, method, amount, reference, detail, hash
                from audit
                where sequence > $1 and (cast($2 as text) is null or kind = $2) and (cast($3 as text) is null or payer = $3)
                  and (cast($4 as text) is null or operation = $4) and (cast($5 as text) is null or reference = $5)
                order by sequence limit $6
                """, Read, filter.After, filter.Kind, filter.Payer, filter.Operation, filter.Reference, filter.Most)
            : sql.Query("""
                select sequence, created, kind, correlation, reason, operation, caller, payer, address, request, method, amount, reference, detail, hash
                from audit
                where correlation = $7 and sequence > $1 and (cast($2 as text) is null or kind = $2) and (cast($3 as text) is null or payer = $3)
                  and (cast($4 as text) is null or operation = $4) and (cast($5 as text) is null or reference = $5)
                order by sequence limit $6
                """, Read, filter.After, filter.Kind, filter.Payer, filter.Operation, filter.Reference, filter.Most, filter.Correlation);

    private static AuditRow Read(SqlRow row) => new(row.Long(0), row.Long(1), new AuditEvent
    {
        Kind = row.Text(2),
        Correlation = row.Text(3),
        Reason = row.TextOrNull(4),
        Operation = row.TextOrNull(5),
        Caller = row.TextOrNull(6),
        Payer = row.TextOrNull(7),
        Address = row.TextOrNull(8),
        Request = row.TextOrNull(9),
        Method = row.TextOrNull(10),
        Amount = row.TextOrNull(11),
        Reference = row.TextOrNull(12),
        Detail = row.TextOrNull(13),
    }, row.Bytes(14));
}
