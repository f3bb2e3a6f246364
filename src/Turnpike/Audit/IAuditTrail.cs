namespace Turnpike.Audit;

/// <summary>The hash-chained trail of every decision. Events with money go through the ledger's transaction; the others through here.</summary>
internal interface IAuditTrail
{
    /// <summary>Queues an event: durable within 100 ms. Completes at once unless the queue is full; then the door waits (back-pressure).</summary>
    /// <exception cref="Storage.StorageUnavailableException">The disk failed: nothing is recorded any more.</exception>
    ValueTask RecordAsync(AuditEvent happened, CancellationToken ct);

    /// <summary>A no to somebody who presented nothing: as <see cref="RecordAsync"/>, but of many that say the same in a short time most are counted (<see cref="Repeats"/>).</summary>
    ValueTask RefusedAsync(AuditEvent refused, CancellationToken ct);

    /// <summary>How much waits to be written, so that the door closes before the memory is full.</summary>
    AuditPressure Pressure { get; }

    /// <summary>Waits until everything recorded so far is durable.</summary>
    ValueTask FlushAsync(CancellationToken ct);

    /// <summary>Events of all nodes in the order of their times, newest last, matching all given filters.</summary>
    ValueTask<IReadOnlyList<AuditRecord>> ReadAsync(AuditFilter filter, CancellationToken ct);

    /// <summary>Recomputes every node's chain from its first link.</summary>
    ValueTask<AuditReport> VerifyAsync(CancellationToken ct);
}

/// <summary>An event with its place in its node's chain. <see cref="Hash"/> is what <see cref="AuditHash"/> says.</summary>
internal sealed record AuditRecord(string Node, long Sequence, DateTimeOffset Time, AuditEvent Event, string Hash)
{
    public AuditPlace Place => new(Storage.Microseconds.ToMicroseconds(Time), Node, Sequence);
}

/// <summary>Which events to read, after which place.</summary>
internal sealed record AuditFilter(string? Correlation = null, string? Kind = null, string? Payer = null, string? Operation = null, string? Reference = null, int Most = 100)
{
    public AuditPlace After { get; init; } = AuditPlace.Start;
}

/// <summary>How far every chain holds, and the first link that does not, if any.</summary>
internal sealed record AuditReport(IReadOnlyList<AuditEnd> Chains, AuditBreak? Broken)
{
    public bool Intact => Broken is null;

    public long Events => Chains.Sum(chain => chain.Last - chain.First + 1);
}

/// <summary>The first and the last link of a node's chain that are there and hold, the last one's hash in hex, and up to where it is signed.</summary>
internal sealed record AuditEnd(string Node, long First, long Last, string Head, long Signed);

/// <summary>Where a chain does not hold, and why.</summary>
internal sealed record AuditBreak(string Node, long At, string Finding);

/// <summary>How full the queue to the store is.</summary>
internal enum AuditPressure
{
    None,

    /// <summary>Strangers have to wait outside.</summary>
    Crowded,

    /// <summary>Everybody has.</summary>
    Full,
}
