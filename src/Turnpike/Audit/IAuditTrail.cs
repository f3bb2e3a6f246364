namespace Turnpike.Audit;

/// <summary>The hash-chained trail of every decision. Events with money go through the ledger's transaction; the others through here.</summary>
internal interface IAuditTrail
{
    /// <summary>Queues an event: durable within 100 ms. Completes at once unless the queue is full; then the door waits (back-pressure).</summary>
    /// <exception cref="Storage.StorageUnavailableException">The disk failed: nothing is recorded any more.</exception>
    ValueTask RecordAsync(AuditEvent happened, CancellationToken ct);

    /// <summary>Waits until everything recorded so far is durable.</summary>
    ValueTask FlushAsync(CancellationToken ct);

    /// <summary>Events in order, newest last, matching all given filters.</summary>
    ValueTask<IReadOnlyList<AuditRecord>> ReadAsync(AuditFilter filter, CancellationToken ct);

    /// <summary>Recomputes the chain from its first link.</summary>
    ValueTask<AuditReport> VerifyAsync(CancellationToken ct);
}

/// <summary>An event with its place in the chain. <see cref="Hash"/> covers the previous hash, sequence, time and every field.</summary>
internal sealed record AuditRecord(long Sequence, DateTimeOffset Time, AuditEvent Event, string Hash);

/// <summary>Which events to read; <see cref="After"/> is a sequence.</summary>
internal sealed record AuditFilter(string? Correlation = null, string? Kind = null, string? Payer = null, string? Operation = null, string? Reference = null, long After = 0, int Most = 100);

/// <summary>Whether the chain holds, how long it is, its head, and the first broken sequence if any.</summary>
internal sealed record AuditReport(long Events, string Head, long? BrokenAt, string? Finding)
{
    public bool Intact => BrokenAt is null;
}
