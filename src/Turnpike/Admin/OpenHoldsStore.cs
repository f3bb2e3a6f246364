using Turnpike.Ledger;
using Turnpike.Storage;

namespace Turnpike.Admin;

/// <summary>What is open in the books right now. It reads open holds only, by their own index, however many ended ones there are.</summary>
internal static class OpenHoldsStore
{
    /// <summary>How many settlements nobody knows the outcome of, and when the oldest was held.</summary>
    public static (long Count, DateTimeOffset? Oldest) Unknown(Sql sql) =>
        sql.First<(long, DateTimeOffset?)>("select count(*), min(created) from holds where status <> 'released' and outcome = 0 and status = 'unknown'", row => (row.Long(0), row.IsNull(1) ? null : row.Time(1)));

    public static List<HoldState> Held(Sql sql, int most) =>
        sql.Query(HoldStore.Select + """
            where status <> 'released' and outcome = 0 and status = 'held'
            order by sequence limit $1
            """, HoldRow.Read, most);
}
