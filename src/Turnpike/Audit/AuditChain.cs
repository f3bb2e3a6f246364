using System.Threading.Channels;
using Turnpike.Storage;

namespace Turnpike.Audit;

/// <summary>
/// The writing end of the trail: appends to the chain inside the writer's transactions. Events of money are handed to
/// <see cref="Append"/> by whoever writes the money; the others wait in a bounded queue and go along with the next transaction.
/// </summary>
internal sealed class AuditChain : IWriteParticipant
{
    private readonly Channel<AuditEvent> queue;
    private readonly AuditHash hasher = new();
    private readonly List<AuditEvent> taken = [];
    private byte[]? head;
    private byte[] committedHead = AuditHash.Origin;
    private long sequence;
    private long committedSequence;
    private long microseconds;
    private bool loaded;

    public AuditChain(Channel<AuditEvent> queue) => this.queue = queue;

    /// <summary>Adds a link; on the writer's thread, inside its transaction.</summary>
    public void Append(Sql sql, AuditEvent happened)
    {
        head = hasher.Link(head, ++sequence, microseconds, happened);
        AuditStore.Insert(sql, sequence, microseconds, happened, head);
    }

    public void Begin(Sql sql, ReadOnlySpan<WriteCommand> batch, DateTimeOffset now)
    {
        if (!loaded) (committedSequence, committedHead) = AuditStore.Head(sql);
        loaded = true;
        (sequence, head, microseconds) = (committedSequence, committedHead, now.ToMicroseconds());
        while (queue.Reader.TryRead(out var happened)) taken.Add(happened);
        foreach (var happened in taken) Append(sql, happened);
    }

    public void End(Sql sql)
    {
        if (sequence != committedSequence) AuditStore.SetHead(sql, sequence, head!);
    }

    public void Committed()
    {
        (committedSequence, committedHead) = (sequence, head!);
        taken.Clear();
    }

    // What was taken from the queue is kept and goes with the next transaction: an event is never lost with another's failure.
    public void RolledBack() => (sequence, head) = (committedSequence, committedHead);

    public void Stopped() => queue.Writer.TryComplete();
}
