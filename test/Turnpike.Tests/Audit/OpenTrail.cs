using Turnpike.Audit;
using Turnpike.Storage;
using Turnpike.Tests.Gateway;
using Turnpike.Tests.Storage;

namespace Turnpike.Tests.Audit;

/// <summary>A trail over a database of its own, with the installation's keys.</summary>
internal sealed class OpenTrail : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public OpenTrail(ManualTime? clock = null)
    {
        Database = folder.Open(clock ?? TimeProvider.System);
        Trail = new AuditTrail(Database, clock ?? TimeProvider.System);
        Keys = InstallationKeys.OpenAsync(new InstallationStore(Database), default).AsTask().GetAwaiter().GetResult();
    }

    public Database Database { get; }

    public AuditTrail Trail { get; }

    public InstallationKeys Keys { get; }

    /// <summary>Beside the database, gone with it.</summary>
    public string FileBeside(string name) => folder.File + "." + name;

    public async Task RecordAsync(int from, int to)
    {
        for (var i = from; i <= to; i++) await Trail.RecordAsync(NewEvent(i), default);
        await Trail.FlushAsync(default);
    }

    public static AuditEvent NewEvent(int i) => new()
    {
        Kind = AuditKinds.Refused,
        Correlation = $"c{i}",
        Reason = "proof_expired",
        Operation = "forecast",
        Caller = "k",
        Payer = "p",
        Address = "127.0.0.1",
        Request = "GET /forecast/paris",
        Method = "x402.exact",
        Amount = "0.01 USD",
        Reference = $"h{i}",
        Detail = "Ünïcode ☃ and \"quotes\"",
    };

    public void Dispose()
    {
        Keys.Dispose();
        Trail.Dispose();
        Database.Dispose();
        folder.Dispose();
    }
}
