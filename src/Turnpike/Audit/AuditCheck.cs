using Turnpike.Protocols.Signing;

namespace Turnpike.Audit;

/// <summary>
/// Recomputes every node's chain over rows in order: an edit, a removal, an insertion or a swap breaks a link; a cut tail misses the
/// head; a chain that was made anew misses its checkpoints.
/// </summary>
internal sealed class AuditCheck
{
    private readonly AuditHash hasher = new();
    private readonly SortedDictionary<string, Chain> chains = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Node, long Sequence), AuditCheckpoint> checkpoints = [];
    private readonly JwkSet keys;

    public AuditCheck(IEnumerable<AuditCheckpoint> checkpoints, JwkSet keys)
    {
        this.keys = keys;
        foreach (var checkpoint in checkpoints) this.checkpoints[(checkpoint.Node, checkpoint.Sequence)] = checkpoint;
    }

    private IEnumerable<string> SignedNodes => checkpoints.Keys.Select(each => each.Node).Distinct();

    /// <summary>
    /// Everything in a store: its chains must end where their heads say, and begin at their first link, or where a signed start says
    /// that what came before was dropped.
    /// </summary>
    public AuditReport Run(IEnumerable<AuditRow> rows, IReadOnlyDictionary<string, AuditHead> heads, IEnumerable<AuditCheckpoint> starts, CancellationToken ct)
    {
        foreach (var start in starts)
        {
            if (start.Check(keys, AuditCheckpoint.StartTyp) is { } why) return Report(Forged(start, why));
            chains[start.Node] = new Chain(new AuditHead(start.Sequence, 0, start.Hash)) { Signed = start.Sequence };
        }
        if (Follow(rows, ct) is { } broken) return Report(broken);
        foreach (var node in heads.Keys.Union(chains.Keys).Union(SignedNodes).ToList())
            if (End(node, heads.GetValueOrDefault(node, AuditHead.None)) is { } cut) return Report(cut);
        return Report(null);
    }

    /// <summary>A part of a trail: each chain goes on from a link that is told and not here; a checkpoint further on proves it.</summary>
    public AuditReport RunPart(IEnumerable<AuditRow> rows, IReadOnlyDictionary<string, AuditHead> starts, CancellationToken ct)
    {
        foreach (var (node, start) in starts) chains[node] = new Chain(start);
        if (Follow(rows, ct) is { } broken) return Report(broken);
        return Report(chains.Keys.Union(SignedNodes).Select(Cut).FirstOrDefault(cut => cut is not null));
    }

    private AuditBreak? Follow(IEnumerable<AuditRow> rows, CancellationToken ct)
    {
        foreach (var row in rows)
        {
            ct.ThrowIfCancellationRequested();
            if (Follow(row) is { } broken) return broken;
        }
        return null;
    }

    private AuditBreak? Follow(AuditRow row)
    {
        if (!chains.TryGetValue(row.Node, out var chain)) chain = chains[row.Node] = new Chain(AuditHead.None);
        var expected = chain.Last.Sequence + 1;
        if (row.Sequence != expected) return new(row.Node, expected, $"Event {expected} of node {row.Node} is missing: {row.Sequence} follows {chain.Last.Sequence}.");
        if (!row.Hash.AsSpan().SequenceEqual(hasher.Link(chain.Last.Hash, row))) return new(row.Node, expected, $"Event {expected} of node {row.Node} is not what was recorded, or not in its place.");
        chain.Last = new AuditHead(row.Sequence, row.Microseconds, row.Hash);
        return checkpoints.GetValueOrDefault((row.Node, row.Sequence)) is { } checkpoint ? Pass(chain, checkpoint) : null;
    }

    private AuditBreak? Pass(Chain chain, AuditCheckpoint checkpoint)
    {
        if (checkpoint.Check(keys) is { } why) return Forged(checkpoint, why);
        if (!checkpoint.Hash.AsSpan().SequenceEqual(chain.Last.Hash)) return new(checkpoint.Node, checkpoint.Sequence, $"The trail of node {checkpoint.Node} does not pass through what was signed at {checkpoint.Sequence}: it was made anew.");
        chain.Signed = checkpoint.Sequence;
        return null;
    }

    private AuditBreak? End(string node, AuditHead head)
    {
        var last = chains.TryGetValue(node, out var chain) ? chain.Last : AuditHead.None;
        if (head.Sequence > last.Sequence) return new(node, last.Sequence + 1, $"The trail of node {node} ends at {last.Sequence}; {head.Sequence} events were recorded.");
        if (head.Sequence < last.Sequence || !head.Hash.AsSpan().SequenceEqual(last.Hash)) return new(node, Math.Max(1, head.Sequence), $"The end of node {node}'s trail is not the one that was recorded at {head.Sequence}.");
        return Cut(node);
    }

    /// <summary>Something later was signed than is here.</summary>
    private AuditBreak? Cut(string node)
    {
        var last = chains.TryGetValue(node, out var chain) ? chain.Last.Sequence : 0;
        var signed = checkpoints.Keys.Where(each => each.Node == node).Select(each => each.Sequence).DefaultIfEmpty(0).Max();
        return signed > last ? new(node, last + 1, $"The trail of node {node} ends at {last}; {signed} events were signed.") : null;
    }

    private static AuditBreak Forged(AuditCheckpoint checkpoint, string why) => new(checkpoint.Node, checkpoint.Sequence, $"The checkpoint of node {checkpoint.Node} at {checkpoint.Sequence} is not to be believed. {why}");

    private AuditReport Report(AuditBreak? broken) =>
        new([.. chains.Select(each => new AuditEnd(each.Key, each.Value.First, each.Value.Last.Sequence, Convert.ToHexStringLower(each.Value.Last.Hash), each.Value.Signed))], broken);

    private sealed class Chain(AuditHead last)
    {
        public long First { get; } = last.Sequence + 1;

        public AuditHead Last { get; set; } = last;

        public long Signed { get; set; }
    }
}
