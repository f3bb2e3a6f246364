using Turnpike.Storage;

namespace Turnpike.Ledger;

/// <summary>The SQL that only reads holds: look-ups, lists, the settler's work.</summary>
internal static class HoldStore
{
    /// <summary>What every query that reads holds begins with; <see cref="HoldRow.Read"/> reads its rows.</summary>
    public const string Select = """
        select id, binding, receipt, correlation, operation, payer, caller, method, price_version, request, terms, expires, legs,
               status, observed, captured, reference, broadcast, rail_amount, note, sequence, incarnation, created, changed, outcome
        from holds

        """;

    public static HoldState? FindByReceipt(Sql sql, string receipt) =>
        sql.First(Select + "where receipt = $1", HoldRow.Read, receipt);

    public static List<HoldState> Unfinished(Sql sql, string incarnation, int most) =>
        sql.Query(Select + """
            where status <> 'released' and outcome = 0 and status in ('held', 'captured', 'unknown') and (status <> 'held' or incarnation <> $1)
            order by sequence limit $2
            """, HoldRow.Read, incarnation, most);

    public static List<HoldState> Orphans(Sql sql, string incarnation) =>
        sql.Query(Select + """
            where incarnation <> $1 and status <> 'released' and outcome = 0
            order by sequence
            """, HoldRow.Read, incarnation);

    public static List<HoldState> Own(Sql sql, string incarnation, int most) =>
        sql.Query(Select + """
            where status <> 'released' and outcome = 0 and status <> 'unknown' and incarnation = $1
            order by sequence limit $2
            """, HoldRow.Read, incarnation, most);

    /// <summary>Where several nodes serve: what is unfinished of this one, and of those it is the heir of.</summary>
    public static List<HoldState> Inherited(Sql sql, string incarnation, int most) =>
        sql.Query(Select + """
            where status <> 'released' and outcome = 0 and status in ('held', 'captured', 'unknown') and (status <> 'held' or incarnation <> $1)
              and incarnation in (select incarnation from nodes where heir = $1)
            order by sequence limit $2
            """, HoldRow.Read, incarnation, most);

    public static List<HoldState> InheritedOrphans(Sql sql, string incarnation) =>
        sql.Query(Select + """
            where incarnation <> $1 and status <> 'released' and outcome = 0 and incarnation in (select incarnation from nodes where heir = $1)
            order by sequence
            """, HoldRow.Read, incarnation);

    /// <summary>All holds by id, as a stream.</summary>
    public static IEnumerable<HoldState> All(Sql sql) =>
        sql.Stream(Select + "order by id", HoldRow.Read);

    public static List<HoldState> List(Sql sql, HoldFilter filter)
    {
        var before = long.TryParse(filter.Before, System.Globalization.CultureInfo.InvariantCulture, out var sequence) ? sequence : long.MaxValue;
        return filter switch
        {
            { Correlation: { } correlation } => ByCorrelation(sql, filter, correlation, before),
            { Payer: { } payer } => ByPayer(sql, filter, payer, before),
            { Status: "held" or "captured" or "unknown" } => NewestOpen(sql, filter, before),
            _ => Newest(sql, filter, before),
        };
    }

    private static List<HoldState> Newest(Sql sql, HoldFilter filter, long before) =>
        sql.Query(Select + """
            where sequence < $1 and (cast($2 as text) is null or status = $2) and (cast($3 as text) is null or operation = $3)
              and case when substr(id, 1, 7) = 'refund:' then 1 when substr(id, 1, 4) = 'buy:' then 2 else 0 end = $5
            order by sequence desc limit $4
            """, HoldRow.Read, before, filter.Status, filter.Operation, filter.Most, filter.Purchases ? 2 : filter.Refunds ? 1 : 0);

    /// <summary>Of open holds only, by their own index: the few there are among however many ended ones.</summary>
    private static List<HoldState> NewestOpen(Sql sql, HoldFilter filter, long before) =>
        sql.Query(Select + """
            where status <> 'released' and outcome = 0 and sequence < $1 and status = $2 and (cast($3 as text) is null or operation = $3)
              and case when substr(id, 1, 7) = 'refund:' then 1 when substr(id, 1, 4) = 'buy:' then 2 else 0 end = $5
            order by sequence desc limit $4
            """, HoldRow.Read, before, filter.Status, filter.Operation, filter.Most, filter.Purchases ? 2 : filter.Refunds ? 1 : 0);

    private static List<HoldState> ByPayer(Sql sql, HoldFilter filter, string payer, long before) =>
        sql.Query(Select + """
            where payer = $5 and sequence < $1 and (cast($2 as text) is null or status = $2) and (cast($3 as text) is null or operation = $3)
              and case when substr(id, 1, 7) = 'refund:' then 1 when substr(id, 1, 4) = 'buy:' then 2 else 0 end = $6
            order by sequence desc limit $4
            """, HoldRow.Read, before, filter.Status, filter.Operation, filter.Most, payer, filter.Purchases ? 2 : filter.Refunds ? 1 : 0);

    private static List<HoldState> ByCorrelation(Sql sql, HoldFilter filter, string correlation, long before) =>
        sql.Query(Select + """
            where correlation = $5 and sequence < $1 and (cast($2 as text) is null or status = $2) and (cast($3 as text) is null or operation = $3)
              and (cast($6 as text) is null or payer = $6)
              and case when substr(id, 1, 7) = 'refund:' then 1 when substr(id, 1, 4) = 'buy:' then 2 else 0 end = $7
            order by sequence desc limit $4
            """, HoldRow.Read, before, filter.Status, filter.Operation, filter.Most, correlation, filter.Payer, filter.Purchases ? 2 : filter.Refunds ? 1 : 0);
}
