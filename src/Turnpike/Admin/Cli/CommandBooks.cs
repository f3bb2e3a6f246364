using Turnpike.Admin.Callers;
using Turnpike.Admin.Organisations;
using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Identity;
using Turnpike.Identity.Organisations;
using Turnpike.Ledger;
using Turnpike.Plans.Grants;
using Turnpike.Storage;
using Turnpike.Storage.Nodes;
using Turnpike.Tokens;

namespace Turnpike.Admin.Cli;

/// <summary>The store, opened by a command: to look, which works beside a running gateway, or to write, which does not.</summary>
internal sealed class CommandBooks : IDisposable
{
    private readonly Database database;
    private readonly AuditTrail audit;

    private CommandBooks(string store, StorageAccess access)
    {
        database = Database.Open(new StorageOptions(store, access), TimeProvider.System);
        // Beside running gateways a command is a node of its own for as long as it runs: nobody else continues its chain.
        var lease = NodeLease.Alone(Ids.New("command"), database.IsShared ? Ids.New("command") : "1");
        audit = new AuditTrail(database, TimeProvider.System, lease.Node);
        Ledger = new SqlLedger(database, audit, lease);
        var revisions = new Revisions(database, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger<Revisions>.Instance);
        Data = new Data.DataDesk(database, audit, revisions);
        Desk = new TokenDesk(new TokenStore(database, revisions), Ledger, audit, TimeProvider.System);
        var callers = new CallerDesk(new CallerStore(database, revisions), new InstallationStore(database), audit, TimeProvider.System);
        Callers = new CallerRegister(callers, TimeProvider.System);
        Organisations = new OrganisationRegister(new OrganisationDesk(new OrganisationStore(database, revisions), audit, TimeProvider.System), callers, new GrantDesk(new GrantStore(database, revisions), Ledger, TimeProvider.System), Ledger, TimeProvider.System);
    }

    public ILedger Ledger { get; }

    public Metering.UsageStore Usage => new(database, static () => [], TimeProvider.System);

    public Pricing.Periods.PriceTableStore Prices => new(database, TimeProvider.System);

    public Pricing.Periods.PeriodStore Periods => new(database);

    public IAuditTrail Audit => audit;

    public Database Database => database;

    public InstallationStore Installation => new(database);

    public Data.DataDesk Data { get; }

    public TokenDesk Desk { get; }

    public CallerRegister Callers { get; }

    public OrganisationRegister Organisations { get; }

    public static CommandBooks Look(ServiceCatalog catalog) => Look(catalog.Gateway.Store);

    /// <param name="store">As <c>gateway.store</c> says it.</param>
    public static CommandBooks Look(string store) => new(store, StorageAccess.Read);

    /// <exception cref="StorageInUseException">A gateway runs on it.</exception>
    public static CommandBooks Write(ServiceCatalog catalog) => new(catalog.Gateway.Store, StorageAccess.Write);

    public void Dispose()
    {
        audit.Dispose();
        database.Dispose();
    }
}
