using System.Diagnostics.Metrics;

namespace Turnpike.Storage.Nodes;

/// <summary>Renews this node's lease, and tells when nodes do not serve the same document.</summary>
/// <param name="catalog">The version of the document in force here.</param>
internal sealed partial class NodeKeeper(NodeLease lease, Func<string> catalog, TimeProvider time, ILogger<NodeKeeper> log) : BackgroundService
{
    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(500), Step = TimeSpan.FromMilliseconds(250);
    private readonly Meter meter = new("turnpike.nodes");
    private string told = "";

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        meter.CreateObservableGauge("turnpike.nodes.live", () => Living().Count(), "{node}", "Nodes that hold a lease on this database.");
        meter.CreateObservableGauge("turnpike.nodes.catalogs", () => Living().Select(node => node.Catalog).Distinct().Count(), "{version}", "Different configurations in force on the nodes: more than 1 for long means that one of them was not updated.");
        meter.CreateObservableGauge("turnpike.nodes.lag", () => Living().Select(node => (time.GetUtcNow() - node.Seen!.Value).TotalSeconds).DefaultIfEmpty(0).Max(), "s", "How long ago the quietest living node renewed its lease.");
        meter.CreateObservableGauge("turnpike.node.lapsed", () => lease.IsHeld ? 0 : 1, null, "1 while this node has no lease and takes no money.");
        return base.StartAsync(cancellationToken);
    }

    /// <summary>The last to stop: whatever is still open is another's from now on.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(CancellationToken.None);
        try { await lease.EndAsync(CancellationToken.None); }
        catch (StorageException e) { Log.Failed(log, e); } // then it lapses
    }

    public override void Dispose()
    {
        meter.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var pause = NodeLease.Renewal;
        while (!stoppingToken.IsCancellationRequested)
        {
            var before = catalog();
            // A new configuration is told at once.
            for (var waited = TimeSpan.Zero; waited < pause && catalog() == before && !stoppingToken.IsCancellationRequested; waited += Step)
                await Task.Delay(Step, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested) return;
            try
            {
                if (!await lease.RenewAsync(catalog(), stoppingToken)) Log.Lapsed(log, lease.Node, lease.Incarnation);
                Compare();
                pause = NodeLease.Renewal;
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                Log.Failed(log, e);
                pause = Again;
            }
        }
    }

    private IEnumerable<NodeRow> Living() => lease.Nodes.Where(node => node.Lives(time.GetUtcNow() - NodeLease.Length));

    private void Compare()
    {
        var others = string.Join(", ", Living().Where(node => node.Catalog != catalog() && node.Incarnation != lease.Incarnation).Select(node => $"{node.Node}: {node.Catalog}"));
        if (others != told && others.Length > 0) Log.Differ(log, catalog(), others);
        told = others;
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "The lease of node {Node} has lapsed and another node finishes what was open here; it goes on as {Incarnation}.")]
        public static partial void Lapsed(ILogger logger, string node, string incarnation);

        [LoggerMessage(Level = LogLevel.Warning, Message = "Nodes serve different configurations; {Mine} here, {Others} elsewhere.")]
        public static partial void Differ(ILogger logger, string mine, string others);

        [LoggerMessage(Level = LogLevel.Error, Message = "The lease of this node could not be renewed; without one no money is taken here.")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
