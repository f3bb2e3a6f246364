namespace Turnpike.Storage.Nodes;

/// <summary>A process that serves, or served, on this database.</summary>
/// <param name="Catalog">The version of the configuration in force there, <paramref name="Since"/> then.</param>
/// <param name="Version">Which release it is.</param>
internal sealed record NodeRow(string Incarnation, string Node, string Heir, DateTimeOffset Lease, string Catalog, DateTimeOffset Since, string Version, DateTimeOffset Started)
{
    /// <summary>It has said goodbye.</summary>
    public bool HasEnded => Lease == DateTimeOffset.UnixEpoch;

    /// <summary>When it last renewed its lease; null once it has ended.</summary>
    public DateTimeOffset? Seen => HasEnded ? null : Lease - NodeLease.Length;

    public bool Lives(DateTimeOffset now) => Lease > now && Heir == Incarnation;
}

/// <summary>The SQL of nodes and their leases.</summary>
internal static class NodeStore
{
    /// <summary>Until when somebody of this name holds a lease; null: nobody does.</summary>
    public static DateTimeOffset? HeldUntil(Sql sql, string node, DateTimeOffset now) =>
        sql.First<DateTimeOffset?>("select lease from nodes where node = $1 and lease > $2 order by lease desc limit 1", row => row.Time(0), node, now);

    public static void Add(Sql sql, NodeRow node) =>
        sql.Run("insert into nodes (incarnation, node, heir, lease, catalog, since, version, started) values ($1, $2, $3, $4, $5, $6, $7, $8)", node.Incarnation, node.Node, node.Heir, node.Lease, node.Catalog, node.Since, node.Version, node.Started);

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
    public static bool Renew(Sql sql, string incarnation, DateTimeOffset now, DateTimeOffset until, string catalog) =>
        sql.Change("update nodes set lease = $2, since = case when catalog = $3 then since else $4 end, catalog = $3 where incarnation = $1 and heir = $1", incarnation, until, catalog, now) == 1;

    /// <summary>A clean end.</summary>
    public static void End(Sql sql, string incarnation) => sql.Run("update nodes set lease = 0 where incarnation = $1 and heir = $1", incarnation);

    /// <summary>Becomes the heir of all whose heir (at first themselves) has lapsed. Two who try at once: the second finds them taken.</summary>
    public static void Inherit(Sql sql, string incarnation, DateTimeOffset now) =>
        sql.Run("update nodes set heir = $1 where heir <> $1 and heir in (select incarnation from nodes where lease <= $2)", incarnation, now);

    public static List<NodeRow> All(Sql sql) =>
        sql.Query("select incarnation, node, heir, lease, catalog, since, version, started from nodes order by started, incarnation",
            row => new NodeRow(row.Text(0), row.Text(1), row.Text(2), row.Time(3), row.Text(4), row.Time(5), row.Text(6), row.Time(7)));
}
