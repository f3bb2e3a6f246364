using Turnpike.Admin.Callers;
using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Identity;
using Turnpike.Ledger;
using Turnpike.Storage;
using Turnpike.Tokens;

namespace Turnpike.Admin.Cli;

/// <summary>The store, opened by a command: to look, which works beside a running gateway, or to write, which does not.</summary>
internal sealed class CommandBooks : IDisposable
{
    private readonly Database database;
    private readonly AuditTrail audit;

    private CommandBooks(ServiceCatalog catalog, StorageAccess access)
    {
        database = Database.Open(new StorageOptions(catalog.Gateway.Store, access), TimeProvider.System);
        audit = new AuditTrail(database, TimeProvider.System);
        Ledger = new SqlLedger(database, audit, Ids.New("command"));
        Callers = new CallerRegister(new CallerDesk(new CallerStore(database), new InstallationStore(database), audit, TimeProvider.System), TimeProvider.System);
        Desk = new TokenDesk(new TokenStore(database), Ledger, audit, TimeProvider.System);
    }

    public ILedger Ledger { get; }

    public IAuditTrail Audit => audit;

    public InstallationStore Installation => new(database);

    public TokenDesk Desk { get; }

    public CallerRegister Callers { get; }

    public static CommandBooks Look(ServiceCatalog catalog) => new(catalog, StorageAccess.Read);

    /// <exception cref="StorageInUseException">A gateway runs on it.</exception>
    public static CommandBooks Write(ServiceCatalog catalog) => new(catalog, StorageAccess.Write);

    public void Dispose()
    {
        audit.Dispose();
        database.Dispose();
    }
}
