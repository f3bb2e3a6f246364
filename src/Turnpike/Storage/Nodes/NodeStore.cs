namespace Turnpike.Storage.Nodes;

/// <summary>A process that serves, or served, on this database.</summary>
internal sealed record NodeRow(string Incarnation, string Node, string Heir, DateTimeOffset Lease, string Catalog, DateTimeOffset Started);

/// <summary>The SQL of nodes and their leases.</summary>
internal static class NodeStore
{
    /// <summary>Until when somebody of this name holds a lease; null: nobody does.</summary>
    public static DateTimeOffset? HeldUntil(Sql sql, string node, DateTimeOffset now) =>
        sql.First<DateTimeOffset?>("select lease from nodes where node = $1 and lease > $2 order by lease desc limit 1", row => row.Time(0), node, now);

    public static void Add(Sql sql, NodeRow node) =>
        sql.Run("insert into nodes (incarnation, node, heir, lease, catalog, started) values ($1, $2, $3, $4, $5, $6)", node.Incarnation, node.Node, node.Heir, node.Lease, node.Catalog, node.Started);

    /// <summary>Where one process writes, everybody else is gone.</summary>
    public static void RemoveAll(Sql sql) => sql.Run("delete from nodes");

    /// <summary>Open holds of incarnations nobody wrote down (a store that was copied here, or is older than this list) become a lapsed one's, to be inherited.</summary>
    public static void AddForgotten(Sql sql) =>
        sql.Run("""
            insert into nodes (incarnation, node, heir, lease, catalog, started)
            select distinct incarnation, 'before', incarnation, 0, '', 0 from holds
            where status <> 'released' and outcome = 0 and incarnation not in (select incarnation from nodes)
            """);

    /// <summary>Those long gone that left nothing open.</summary>
    public static void RemoveOld(Sql sql, DateTimeOffset before) =>
        sql.Run("delete from nodes where lease < $1 and incarnation not in (select incarnation from holds where status <> 'released' and outcome = 0)", before);

    /// <summary>False when somebody else has become the heir: the lease is lost for good.</summary>
    public static bool Renew(Sql sql, string incarnation, DateTimeOffset until, string catalog) =>
        sql.Change("update nodes set lease = $2, catalog = $3 where incarnation = $1 and heir = $1", incarnation, until, catalog) == 1;

    /// <summary>Becomes the heir of all whose heir (at first themselves) has lapsed. Two who try at once: the second finds them taken.</summary>
    public static void Inherit(Sql sql, string incarnation, DateTimeOffset now) =>
        sql.Run("update nodes set heir = $1 where heir <> $1 and heir in (select incarnation from nodes where lease <= $2)", incarnation, now);

    public static List<NodeRow> All(Sql sql) =>
        sql.Query("select incarnation, node, heir, lease, catalog, started from nodes order by started, incarnation",
            row => new NodeRow(row.Text(0), row.Text(1), row.Text(2), row.Time(3), row.Text(4), row.Time(5)));
}
