namespace Turnpike.Audit;

/// <summary>Recomputes every node's chain over rows in order: an edit, a removal, an insertion or a swap breaks a link; a cut tail misses the head.</summary>
internal sealed class AuditCheck
{
    private readonly AuditHash hasher = new();
    private readonly SortedDictionary<string, AuditHead> chains = new(StringComparer.Ordinal);

    public static AuditReport Run(IEnumerable<AuditRow> rows, IReadOnlyDictionary<string, AuditHead> heads, CancellationToken ct)
    {
        var check = new AuditCheck();
        foreach (var row in rows)
        {
            ct.ThrowIfCancellationRequested();
            if (check.Follow(row) is { } broken) return check.Report(broken);
        }
        foreach (var node in heads.Keys.Union(check.chains.Keys))
            if (check.End(node, heads.GetValueOrDefault(node, AuditHead.None)) is { } broken) return check.Report(broken);
        return check.Report(null);
    }

    private AuditBreak? Follow(AuditRow row)
    {
        var last = chains.GetValueOrDefault(row.Node, AuditHead.None);
        var expected = last.Sequence + 1;
        if (row.Sequence != expected) return new(row.Node, expected, $"Event {expected} of node {row.Node} is missing: {row.Sequence} follows {last.Sequence}.");
        var link = hasher.Link(last.Hash, row.Node, row.Sequence, row.Microseconds, row.Event, row.Salt, row.Erased);
        if (!row.Hash.AsSpan().SequenceEqual(link)) return new(row.Node, expected, $"Event {expected} of node {row.Node} is not what was recorded, or not in its place.");
        chains[row.Node] = new AuditHead(row.Sequence, row.Microseconds, row.Hash);
        return null;
    }

    private AuditBreak? End(string node, AuditHead head)
    {
        var last = chains.GetValueOrDefault(node, AuditHead.None);
        if (head.Sequence > last.Sequence) return new(node, last.Sequence + 1, $"The trail of node {node} ends at {last.Sequence}; {head.Sequence} events were recorded.");
        if (head.Sequence < last.Sequence || !head.Hash.AsSpan().SequenceEqual(last.Hash)) return new(node, Math.Max(1, head.Sequence), $"The end of node {node}'s trail is not the one that was recorded at {head.Sequence}.");
        return null;
    }

    private AuditReport Report(AuditBreak? broken) => new([.. chains.Select(each => new AuditEnd(each.Key, each.Value.Sequence, Convert.ToHexStringLower(each.Value.Hash)))], broken);
}
