using Turnpike.Ledger;
using Turnpike.Storage;

namespace Turnpike.Access.Approvals;

/// <summary>What a payer has paid here before, as the books have it.</summary>
internal sealed class PayerHistoryStore(Database database)
{
    public ValueTask<bool> HasPaidAsync(string payer, CancellationToken ct) => database.ReadAsync(sql =>
        sql.First("select 1 from holds where payer = $1 and status = 'settled' and outcome = 1 limit 1", row => row.Long(0), payer) == 1, ct);

    /// <summary>What is held or was taken in this currency since then.</summary>
    public ValueTask<long> SumAsync(string payer, string currency, DateTimeOffset since, CancellationToken ct) => database.ReadAsync(sql =>
    {
        long sum = 0;
        foreach (var (ceiling, captured, held) in sql.Stream("""
            select legs, captured, status from holds where payer = $1 and created > $2 and status <> 'released' and outcome <> 2
            """, row => (Legs.Read(row.Span(0))[0].Amount, row.Long(1), row.Text(2) == "held"), payer, since))
            if (ceiling.Currency == currency) sum += held ? ceiling.Units : captured;
        return sum;
    }, ct);
}
