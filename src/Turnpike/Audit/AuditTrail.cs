using System.Threading.Channels;
using Turnpike.Storage;

namespace Turnpike.Audit;

/// <summary>
/// The trail on the node's database. What is recorded here waits for the next transaction, whoever's it is, or <see cref="GroupCommit.Sometime"/>; when the
/// queue is full the caller waits.
/// </summary>
internal sealed class AuditTrail : IAuditTrail, IDisposable
{
    /// <summary>So many events wait for the store; then whoever records waits.</summary>
    public const int MostQueued = 8192;

    private const int Crowded = MostQueued * 3 / 4;

    private readonly Channel<AuditEvent> queue = Channel.CreateBounded<AuditEvent>(new BoundedChannelOptions(MostQueued) { SingleReader = true });
    private readonly Database database;
    private readonly TimeProvider clock;
    private readonly Repeats repeats;
    private readonly ITimer window;
    private int counting; // 1 while its timer runs

    /// <param name="node">Names this node's chain; no two nodes of one database have the same name. The writer's when null.</param>
    public AuditTrail(Database database, TimeProvider clock, string? node = null)
    {
        this.database = database;
        this.clock = clock;
        Node = node ?? database.Name;
        repeats = new Repeats(clock);
        Chain = new AuditChain(Node, queue, repeats);
        if (database.IsWritable) database.Writer.Join(Chain);
        window = clock.CreateTimer(_ => EndWindow(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Whose chain this one writes.</summary>
    public string Node { get; }

    /// <summary>For those who write events in their own transaction.</summary>
    public AuditChain Chain { get; }

    public AuditPressure Pressure => queue.Reader.Count switch
    {
        >= MostQueued => AuditPressure.Full,
        >= Crowded => AuditPressure.Crowded,
        _ => database is { IsWritable: true, Writer.IsFull: true } ? AuditPressure.Full : AuditPressure.None,
    };

    public ValueTask RefusedAsync(AuditEvent refused, CancellationToken ct)
    {
        if (!repeats.TryCount(refused)) return RecordAsync(refused, ct);
        if (Interlocked.Exchange(ref counting, 1) == 0) window.Change(Repeats.Window, Timeout.InfiniteTimeSpan);
        return ValueTask.CompletedTask;
    }

    public ValueTask RecordAsync(AuditEvent happened, CancellationToken ct)
    {
        if (queue.Writer.TryWrite(happened))
        {
            database.Writer.Within(GroupCommit.Sometime);
            return ValueTask.CompletedTask;
        }
        return WaitAsync(happened, ct);
    }

    public async ValueTask FlushAsync(CancellationToken ct)
    {
        repeats.TellAll();
        await database.WriteAsync(static _ => { }, ct);
    }

    public async ValueTask<IReadOnlyList<AuditRecord>> ReadAsync(AuditFilter filter, CancellationToken ct) =>
        await database.ReadAsync(sql => ReadRecords(sql, filter), ct);

    /// <summary>Everything recorded until now: what still waits for a transaction is written first.</summary>
    public async ValueTask<AuditReport> VerifyAsync(CancellationToken ct)
    {
        if (database is { IsWritable: true, Writer.Failure: null }) await FlushAsync(ct);
        var keys = await InstallationKeys.PublishedAsync(new InstallationStore(database), ct);
        return await database.ScanAsync(sql => new AuditCheck(AuditStore.Checkpoints(sql), keys).Run(AuditStore.All(sql), AuditStore.Heads(sql), AuditDropStore.Starts(sql), ct), ct);
    }

    /// <summary>Signs the end of this node's chain, unless it is signed already.</summary>
    public async ValueTask<AuditCheckpoint?> SignAsync(InstallationKeys keys, CancellationToken ct)
    {
        await FlushAsync(ct);
        var (head, last) = await database.ReadAsync(sql => (AuditStore.Head(sql, Node), AuditStore.LastCheckpoint(sql, Node)), ct);
        if (head.Sequence == (last?.Sequence ?? 0)) return null;
        var checkpoint = AuditCheckpoint.Sign(Node, head, clock.GetUtcNow(), keys);
        await database.WriteAsync(sql => AuditStore.Insert(sql, checkpoint, head.Microseconds), ct);
        return checkpoint;
    }

    /// <summary>What was recorded is written before the store closes.</summary>
    public void Dispose()
    {
        window.Dispose();
        repeats.TellAll();
        if (database.IsWritable) WriteQueued();
    }

    private static List<AuditRecord> ReadRecords(Sql sql, AuditFilter filter) =>
        [.. AuditStore.Select(sql, filter).Select(row => new AuditRecord(row.Node, row.Sequence, Microseconds.FromMicroseconds(row.Microseconds), row.Event, Convert.ToHexStringLower(row.Hash)))];

    private async ValueTask WaitAsync(AuditEvent happened, CancellationToken ct)
    {
        WriteQueued();
        try
        {
            await queue.Writer.WriteAsync(happened, ct);
        }
        catch (ChannelClosedException e)
        {
            throw new StorageUnavailableException("The disk failed; nothing is recorded until the next start.", e);
        }
    }

    private void EndWindow()
    {
        Volatile.Write(ref counting, 0);
        if (repeats.Any && Interlocked.Exchange(ref counting, 1) == 0) window.Change(Repeats.Window, Timeout.InfiniteTimeSpan);
        WriteQueued();
    }

    private void WriteQueued() => database.Writer.Ask(new StoreWrite<bool>(static _ => true));
}
