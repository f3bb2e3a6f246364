using Turnpike.Catalog.Loading;
using Turnpike.Storage;
using Turnpike.Storage.Nodes;

namespace Turnpike.Admin;

/// <summary>
/// May callers be sent here? The catalog is loaded, the books can be written, and the public door is open, which it is only once
/// everything an earlier run left behind has been finished; it closes again when stopping begins. A node without a lease takes no
/// money, and is not ready either.
/// </summary>
internal sealed class Readiness(Database database, NodeLease lease, CatalogSource catalog, IHostApplicationLifetime lifetime)
{
    public ReadyView Look()
    {
        var store = database.Writer.Failure is null;
        var recovered = lifetime.ApplicationStarted.IsCancellationRequested && !lifetime.ApplicationStopping.IsCancellationRequested;
        return new ReadyView(store && lease.IsHeld && recovered ? "ready" : "not ready", catalog.Current.Version, store ? "writes" : "failed", recovered ? "open" : "closed", lease.Node, lease.IsHeld ? "held" : "lapsed");
    }
}

/// <summary>What readiness rests on.</summary>
/// <param name="Catalog">The version of the configuration in force.</param>
/// <param name="Store"><c>writes</c> or <c>failed</c>.</param>
/// <param name="Node">Which node answers; its <paramref name="Lease"/> is <c>held</c>, or <c>lapsed</c> while the database is away or after a long sleep.</param>
/// <param name="Door"><c>open</c> once recovery is done, <c>closed</c> before that and while stopping.</param>
internal sealed record ReadyView(string Status, string Catalog, string Store, string Door, string Node, string Lease);
