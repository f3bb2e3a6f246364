using Turnpike.Audit;
using Turnpike.Storage;
using Turnpike.Storage.Nodes;

namespace Turnpike.Ledger;

/// <summary>Registers the ledger; it needs the database and the audit trail. Every process start is a new incarnation.</summary>
internal static class LedgerSetup
{
    public static IServiceCollection AddLedger(this IServiceCollection services) =>
        services.AddSingleton<ILedger>(provider => new SqlLedger(provider.GetRequiredService<Database>(), provider.GetRequiredService<AuditTrail>(), provider.GetRequiredService<NodeLease>()));
}
