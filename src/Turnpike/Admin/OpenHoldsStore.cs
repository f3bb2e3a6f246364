using Turnpike.Ledger;
using Turnpike.Storage;

namespace Turnpike.Admin;

/// <summary>What is open in the books right now. It reads open holds only, by their own index, however many ended ones there are.</summary>
internal static class OpenHoldsStore
{
    public static List<HoldState> Read(Sql sql, int most) =>
        sql.Query("""
            select id, binding, receipt, correlation, operation, payer, caller, method, price_version, request, terms, expires, legs,
                   status, observed, captured, reference, broadcast, rail_amount, note, sequence, incarnation, created, changed, outcome
            from holds
            where status in ('held', 'captured', 'unknown')
            order by sequence limit $1
            """, HoldRow.Read, most);
}
