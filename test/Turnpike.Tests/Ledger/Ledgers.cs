using Turnpike.Audit;
using Turnpike.Ledger;
using Turnpike.Storage;
using Turnpike.Tests.Storage;

namespace Turnpike.Tests.Ledger;

/// <summary>The ledgers the specification runs against, by name.</summary>
internal static class Ledgers
{
    public static TheoryData<string> All => TemporaryFolder.Ledgers;

    public static OpenLedger Open(string name) => name switch
    {
        "memory" => new OpenLedger(new MemoryLedger(TimeProvider.System, "this")),
        _ => StoredLedger.Open(new TemporaryFolder()),
    };
}

/// <summary>A ledger for one test.</summary>
internal class OpenLedger(ILedger ledger) : IDisposable
{
    public ILedger Ledger { get; } = ledger;

    public virtual void Dispose()
    {
    }
}

/// <summary>A ledger on a database of its own.</summary>
internal sealed class StoredLedger : OpenLedger
{
    private readonly TemporaryFolder folder;

    private StoredLedger(TemporaryFolder folder, Database database, AuditTrail audit, string incarnation) : base(new SqlLedger(database, audit, incarnation))
    {
        this.folder = folder;
        Database = database;
        Audit = audit;
    }

    public Database Database { get; }

    public AuditTrail Audit { get; }

    public TemporaryFolder Folder => folder;

    public static StoredLedger Open(TemporaryFolder folder, string incarnation = "this")
    {
        var database = folder.Open();
        return new StoredLedger(folder, database, new AuditTrail(database, TimeProvider.System), incarnation);
    }

    /// <summary>Stops cleanly and starts again as another incarnation on the same file.</summary>
    public StoredLedger Restart(string incarnation)
    {
        Close();
        return Open(folder, incarnation);
    }

    public void Close()
    {
        Audit.Dispose();
        Database.Dispose();
    }

    public override void Dispose()
    {
        Close();
        folder.Dispose();
    }
}
