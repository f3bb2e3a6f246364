using Turnpike.Storage;

namespace Turnpike.Access.Approvals;

/// <summary>What a payer has paid here before, as the books have it.</summary>
internal sealed class PayerHistoryStore(Database database)
{
    public ValueTask<bool> HasPaidAsync(string payer, CancellationToken ct) => database.ReadAsync(sql =>
        sql.First("select 1 from holds where payer = $1 and status = 'settled' and outcome = 1 limit 1", row => row.Long(0), payer) == 1, ct);
}
