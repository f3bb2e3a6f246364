using Turnpike.Storage;

namespace Turnpike.Admin.Data;

/// <summary>The SQL of what is dropped with time; each statement takes a step.</summary>
internal static class RetentionStore
{
    public const int Step = 1000;

    /// <summary>What somebody is still to be told of stays until they have been, or until it is given up for good.</summary>
    public static int DropUsage(Sql sql, DateTimeOffset before) =>
        sql.Change("""
            delete from usage_records where (source, id) in (
                select source, id from usage_records
                where happened < $1 and (source, id) not in (select source, id from usage_outbox) and (source, id) not in (select source, id from usage_dead_letters)
                order by happened limit $2)
            """, before, Step);

    /// <summary>How a price came about goes with the record of what it was for.</summary>
    public static int DropTakes(Sql sql, DateTimeOffset before) =>
        sql.Change("delete from price_takes where (receipt, unit) in (select receipt, unit from price_takes where happened < $1 order by happened limit $2)", before, Step);

    public static int DropApprovals(Sql sql, DateTimeOffset before) =>
        sql.Change("delete from approvals where id in (select id from approvals where status <> 'pending' and created < $1 order by id limit $2)", before, Step);

    /// <summary>The last of the next holds that are old enough; null when there is none.</summary>
    public static long? NextPayments(Sql sql, long after, DateTimeOffset before) =>
        sql.First("select max(sequence) from (select sequence, created from holds where sequence > $1 order by sequence limit $2) next where created < $3", row => row.LongOrNull(0), after, Step, before);

    /// <summary>Leaves the money of payments that have ended, and nothing else. What is open, or undelivered, is untouched.</summary>
    public static int EmptyPayments(Sql sql, long after, long last, DateTimeOffset before) =>
        sql.Change("""
            update holds set request = '', caller = null, terms = null, broadcast = null, note = null
            where sequence > $1 and sequence <= $2 and changed < $3 and (status = 'released' or status = 'settled' and outcome <> 0)
            """, after, last, before);
}
