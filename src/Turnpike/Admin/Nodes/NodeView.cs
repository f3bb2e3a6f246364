using Turnpike.Storage.Nodes;

namespace Turnpike.Admin.Nodes;

/// <summary>A process that serves on this database, or did and left without a word.</summary>
/// <param name="Self">The one that answers.</param>
/// <param name="State"><c>live</c>; <c>lapsed</c>: it has not renewed its lease; <c>inherited</c>: another node finishes what it left open.</param>
/// <param name="Release">Which release it runs.</param>
/// <param name="Catalog">The version of the configuration in force there: a hash of the document.</param>
/// <param name="Since">Since when that is in force.</param>
/// <param name="Seen">When it last renewed its lease, by the database's clock.</param>
/// <param name="LagSeconds">How long ago that is; a healthy node's is below 3.</param>
internal sealed record NodeView(string Node, string Incarnation, bool Self, string State, string Release, string Catalog, DateTimeOffset Since, DateTimeOffset Started, DateTimeOffset Seen, decimal LagSeconds)
{
    /// <summary>All that did not end cleanly, the longest serving first.</summary>
    public static async Task<IReadOnlyList<NodeView>> AllAsync(NodeLease lease, CancellationToken ct)
    {
        var (nodes, now) = await lease.LookAsync(ct);
        return [.. nodes.Where(node => node is { HasEnded: false } && node.Started != DateTimeOffset.UnixEpoch).Select(node => Of(node, now, lease.Incarnation))];
    }

    private static NodeView Of(NodeRow node, DateTimeOffset now, string self)
    {
        var state = node.Heir != node.Incarnation ? "inherited" : node.Lives(now) ? "live" : "lapsed";
        var lag = Math.Max(0, (now - node.Seen!.Value).Ticks / TimeSpan.TicksPerMillisecond) / 1000m;
        return new NodeView(node.Node, node.Incarnation, node.Incarnation == self, state, node.Version, node.Catalog, node.Since, node.Started, node.Seen.Value, lag);
    }
}
