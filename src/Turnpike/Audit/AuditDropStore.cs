using Turnpike.Storage;

namespace Turnpike.Audit;

/// <summary>The SQL of trails whose old parts are dropped.</summary>
internal static class AuditDropStore
{
    /// <summary>Where chains begin of which an earlier part was dropped.</summary>
    public static List<AuditCheckpoint> Starts(Sql sql) =>
        sql.Query("select node, sequence, hash, signed from audit_starts order by node", row => new AuditCheckpoint(row.Text(0), row.Long(1), row.Bytes(2), row.Text(3)));

    public static AuditCheckpoint? Start(Sql sql, string node) =>
        sql.First("select node, sequence, hash, signed from audit_starts where node = $1", row => new AuditCheckpoint(row.Text(0), row.Long(1), row.Bytes(2), row.Text(3)), node);

    /// <summary>When the last event before the chain's beginning was.</summary>
    public static long StartTime(Sql sql, string node) => sql.First("select created from audit_starts where node = $1", row => row.Long(0), node);

    /// <summary>For each chain the last link that is signed and older than that.</summary>
    public static List<(AuditCheckpoint Checkpoint, long Microseconds)> SignedBefore(Sql sql, long microseconds) =>
        sql.Query("""
            select node, sequence, hash, signed, created from audit_checkpoints c
            where created < $1 and not exists (select 1 from audit_checkpoints later where later.node = c.node and later.sequence > c.sequence and later.created < $1)
            order by node
            """, row => (new AuditCheckpoint(row.Text(0), row.Long(1), row.Bytes(2), row.Text(3)), row.Long(4)), microseconds);

    /// <summary>The next links of one chain, up to one.</summary>
    public static List<AuditRow> OfNode(Sql sql, string node, long from, long after, long to, long until, int most) =>
        sql.Query("""
            select node, sequence, created, kind, correlation, reason, operation, caller, payer, address, request, method, amount, reference, detail, times, salt, erased, hash, agent, on_behalf_of
            from audit where created >= $2 and created <= $5 and node = $1 and sequence > $3 and sequence <= $4
            order by created, node, sequence limit $6
            """, AuditStore.Read, node, from, after, to, until, most);

    /// <summary>Lets the chain begin after this link: the start, and the end of what came before, in one act.</summary>
    public static void Drop(Sql sql, AuditCheckpoint start, long from, long microseconds)
    {
        sql.Run("""
            insert into audit_starts (node, sequence, created, hash, signed) values ($1, $2, $3, $4, $5)
            on conflict (node) do update set sequence = excluded.sequence, created = excluded.created, hash = excluded.hash, signed = excluded.signed
            where audit_starts.sequence < excluded.sequence
            """, start.Node, start.Sequence, microseconds, start.Hash, start.Signed);
        sql.Run("delete from audit where created >= $3 and created <= $4 and node = $1 and sequence <= $2", start.Node, start.Sequence, from, microseconds);
        sql.Run("delete from audit_checkpoints where node = $1 and sequence < $2", start.Node, start.Sequence);
    }
}
