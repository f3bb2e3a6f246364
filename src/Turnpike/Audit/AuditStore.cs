using Turnpike.Storage;

namespace Turnpike.Audit;

/// <summary>A row of the trail as it stands in the database. <see cref="Salt"/> is null after erasure, and in rows of an earlier version.</summary>
internal sealed record AuditRow(string Node, long Sequence, long Microseconds, AuditEvent Event, byte[]? Salt, byte[]? Erased, byte[] Hash);

/// <summary>The end of a node's chain: how many links, when the last, and its hash.</summary>
internal sealed record AuditHead(long Sequence, long Microseconds, byte[] Hash)
{
    /// <summary>Before the first event.</summary>
    public static AuditHead None { get; } = new(0, 0, AuditHash.Origin);
}

/// <summary>The trail's SQL.</summary>
internal static class AuditStore
{
    public static void Insert(Sql sql, string node, long sequence, long microseconds, AuditEvent happened, byte[] salt, byte[] hash) =>
        sql.RunRow("""
            insert into audit (node, sequence, created, kind, correlation, reason, operation, caller, payer, address, request, method, amount, reference, detail, times, salt, hash, agent, on_behalf_of)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
            """,
            node, sequence, microseconds, happened.Kind, happened.Correlation, happened.Reason, happened.Operation, happened.Caller, happened.Payer,
            happened.Address, happened.Request, happened.Method, happened.Amount, happened.Reference, happened.Detail,
            happened.Times > 1 ? happened.Times : SqlValue.Null, salt, hash, happened.Agent, happened.OnBehalfOf);

    public static AuditHead Head(Sql sql, string node) =>
        sql.First("select sequence, created, hash from audit_head where node = $1", row => new AuditHead(row.Long(0), row.Long(1), row.Bytes(2)), node) ?? AuditHead.None;

    public static Dictionary<string, AuditHead> Heads(Sql sql) =>
        sql.Query("select node, sequence, created, hash from audit_head order by node", row => (Node: row.Text(0), Head: new AuditHead(row.Long(1), row.Long(2), row.Bytes(3))))
            .ToDictionary(each => each.Node, each => each.Head, StringComparer.Ordinal);

    public static void SetHead(Sql sql, string node, AuditHead head) =>
        sql.Run("""
            insert into audit_head (node, sequence, created, hash) values ($1, $2, $3, $4)
            on conflict (node) do update set sequence = excluded.sequence, created = excluded.created, hash = excluded.hash
            """, node, head.Sequence, head.Microseconds, head.Hash);

    /// <summary>All rows in order, as a stream; each node's are in the order of its chain.</summary>
    public static IEnumerable<AuditRow> All(Sql sql) =>
        sql.Stream("""
            select node, sequence, created, kind, correlation, reason, operation, caller, payer, address, request, method, amount, reference, detail, times, salt, erased, hash, agent, on_behalf_of
            from audit order by created, node, sequence
            """, Read);

    public static List<AuditCheckpoint> Checkpoints(Sql sql) =>
        sql.Query("select node, sequence, hash, signed from audit_checkpoints order by node, sequence", row => new AuditCheckpoint(row.Text(0), row.Long(1), row.Bytes(2), row.Text(3)));

    public static AuditCheckpoint? LastCheckpoint(Sql sql, string node) =>
        sql.First("select node, sequence, hash, signed from audit_checkpoints where node = $1 order by sequence desc limit 1", row => new AuditCheckpoint(row.Text(0), row.Long(1), row.Bytes(2), row.Text(3)), node);

    /// <param name="microseconds">When the last event before it was.</param>
    public static void Insert(Sql sql, AuditCheckpoint checkpoint, long microseconds) =>
        sql.Run("insert into audit_checkpoints (node, sequence, created, hash, signed) values ($1, $2, $3, $4, $5) on conflict (node, sequence) do nothing",
            checkpoint.Node, checkpoint.Sequence, microseconds, checkpoint.Hash, checkpoint.Signed);

    public static AuditCheckpoint? Checkpoint(Sql sql, string node, long sequence) =>
        sql.First("select node, sequence, hash, signed from audit_checkpoints where node = $1 and sequence = $2", row => new AuditCheckpoint(row.Text(0), row.Long(1), row.Bytes(2), row.Text(3)), node, sequence);

    /// <summary>A page of what was recorded until then.</summary>
    public static List<AuditRow> Between(Sql sql, AuditPlace after, long until, int most) =>
        sql.Query("""
            select node, sequence, created, kind, correlation, reason, operation, caller, payer, address, request, method, amount, reference, detail, times, salt, erased, hash, agent, on_behalf_of
            from audit where (created, node, sequence) > ($1, $2, $3) and created < $4
            order by created, node, sequence limit $5
            """, Read, after.Microseconds, after.Node, after.Sequence, until, most);

    /// <summary>The hash of an event of which is known when it was at the latest.</summary>
    public static byte[]? HashOf(Sql sql, string node, long sequence, long latest) =>
        sql.First("select hash from audit where created <= $3 and node = $1 and sequence = $2 order by created desc limit 1", row => row.Bytes(0), node, sequence, latest);

    public static List<AuditRow> Select(Sql sql, AuditFilter filter) =>
        filter.Correlation is null
            ? sql.Query("""
                select node, sequence, created, kind, correlation, reason, operation, caller, payer, address, request, method, amount, reference, detail, times, salt, erased, hash, agent, on_behalf_of
                from audit
                where (created, node, sequence) > ($1, $2, $3) and (cast($4 as text) is null or kind = $4) and (cast($5 as text) is null or payer = $5)
                  and (cast($6 as text) is null or operation = $6) and (cast($7 as text) is null or reference = $7)
                order by created, node, sequence limit $8
                """, Read, filter.After.Microseconds, filter.After.Node, filter.After.Sequence, filter.Kind, filter.Payer, filter.Operation, filter.Reference, filter.Most)
            : sql.Query("""
                select node, sequence, created, kind, correlation, reason, operation, caller, payer, address, request, method, amount, reference, detail, times, salt, erased, hash, agent, on_behalf_of
                from audit
                where correlation = $9 and (created, node, sequence) > ($1, $2, $3) and (cast($4 as text) is null or kind = $4) and (cast($5 as text) is null or payer = $5)
                  and (cast($6 as text) is null or operation = $6) and (cast($7 as text) is null or reference = $7)
                order by created, node, sequence limit $8
                """, Read, filter.After.Microseconds, filter.After.Node, filter.After.Sequence, filter.Kind, filter.Payer, filter.Operation, filter.Reference, filter.Most, filter.Correlation);

    internal static AuditRow Read(SqlRow row) => new(row.Text(0), row.Long(1), row.Long(2), new AuditEvent
    {
        Kind = row.Text(3),
        Correlation = row.Text(4),
        Reason = row.TextOrNull(5),
        Operation = row.TextOrNull(6),
        Caller = row.TextOrNull(7),
        Payer = row.TextOrNull(8),
        Address = row.TextOrNull(9),
        Request = row.TextOrNull(10),
        Method = row.TextOrNull(11),
        Amount = row.TextOrNull(12),
        Reference = row.TextOrNull(13),
        Detail = row.TextOrNull(14),
        Times = row.LongOrNull(15) ?? 1,
        Agent = row.TextOrNull(19),
        OnBehalfOf = row.TextOrNull(20),
    }, row.IsNull(16) ? null : row.Bytes(16), row.IsNull(17) ? null : row.Bytes(17), row.Bytes(18));
}
