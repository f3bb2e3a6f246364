using Turnpike.Storage;

namespace Turnpike.Admin.Guards;

/// <summary>What limits and access rules in shadow would have refused, counted from the trail.</summary>
internal static class ShadowStore
{
    public static List<ShadowView> Count(Sql sql, DateTimeOffset since) =>
        sql.Query("""
            select reference, caller, count(*), max(created) from audit
            where created >= $1 and kind in ('limit.shadowed', 'access.shadowed')
            group by reference, caller order by count(*) desc limit 500
            """, row => new ShadowView(row.Text(0), row.TextOrNull(1), row.Long(2), row.Time(3)), since);
}
