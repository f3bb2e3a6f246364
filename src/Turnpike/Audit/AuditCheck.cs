namespace Turnpike.Audit;

/// <summary>Recomputes the chain over rows in order: an edit, a removal, an insertion or a swap breaks a link; a cut tail misses the head.</summary>
internal static class AuditCheck
{
    public static AuditReport Run(IEnumerable<AuditRow> rows, (long Sequence, byte[] Hash) head, CancellationToken ct)
    {
        var hasher = new AuditHash();
        var previous = AuditHash.Origin;
        long expected = 0;
        foreach (var row in rows)
        {
            ct.ThrowIfCancellationRequested();
            if (row.Sequence != ++expected) return Broken(expected - 1, previous, expected, $"Event {expected} is missing: {row.Sequence} follows {expected - 1}.");
            if (!row.Hash.AsSpan().SequenceEqual(hasher.Link(previous, row.Sequence, row.Microseconds, row.Event))) return Broken(expected - 1, previous, expected, $"Event {expected} is not what was recorded, or not in its place.");
            previous = row.Hash;
        }
        if (head.Sequence > expected) return Broken(expected, previous, expected + 1, $"The trail ends at {expected}; {head.Sequence} events were recorded.");
        if (head.Sequence < expected || !head.Hash.AsSpan().SequenceEqual(previous)) return Broken(expected, previous, Math.Max(1, head.Sequence), $"The trail's end is not the one that was recorded at {head.Sequence}.");
        return new AuditReport(expected, Convert.ToHexStringLower(previous), null, null);
    }

    private static AuditReport Broken(long events, byte[] head, long at, string finding) => new(events, Convert.ToHexStringLower(head), at, finding);
}
