using System.Security.Cryptography;
using System.Threading.Channels;
using Turnpike.Storage;

namespace Turnpike.Audit;

/// <summary>
/// The writing end of a node's trail: appends to its chain inside the writer's transactions. Events of money are handed to
/// <see cref="Append"/> by whoever writes the money; the others wait in a bounded queue and go along with the next transaction.
/// </summary>
internal sealed class AuditChain(string node, Channel<AuditEvent> queue, Repeats repeats) : IWriteParticipant
{
    private const int MostTaken = 8192;

    private readonly AuditHash hasher = new();
    private readonly List<AuditEvent> taken = [];
    private readonly byte[] salts = new byte[AuditHash.SaltLength * 256];
    private AuditHead? committed; // null: to be read
    private AuditHead tried = AuditHead.None;
    private AuditHead head = AuditHead.None;
    private long microseconds;
    private int salted = int.MaxValue;

    /// <summary>Adds a link; on the writer's thread, inside its transaction.</summary>
    public void Append(Sql sql, AuditEvent happened)
    {
        var (sequence, salt) = (head.Sequence + 1, NextSalt());
        head = new AuditHead(sequence, microseconds, hasher.Link(head.Hash, node, sequence, microseconds, happened, salt, null));
        AuditStore.Insert(sql, node, sequence, microseconds, happened, salt, head.Hash);
    }

    public void Begin(Sql sql, ReadOnlySpan<WriteCommand> batch, DateTimeOffset now)
    {
        head = committed ??= Recall(sql);
        // The trail is read in the order of its times: a clock that was set back must not reorder a chain.
        microseconds = Math.Max(now.ToMicroseconds(), head.Microseconds);
        // While the store is away what was taken waits here, and the rest in the queue: the door sees it fill.
        while (taken.Count < MostTaken && queue.Reader.TryRead(out var happened)) taken.Add(happened);
        if (taken.Count < MostTaken) repeats.Take(taken);
        foreach (var happened in taken) Append(sql, happened);
    }

    public void End(Sql sql)
    {
        if (head.Sequence != committed!.Sequence) AuditStore.SetHead(sql, node, head);
    }

    public void Committed()
    {
        committed = head;
        taken.Clear();
    }

    // What was taken from the queue is kept and goes with the next transaction: an event is never lost with another's failure.
    public void RolledBack() => (tried, head, committed) = (head, AuditHead.None, null);

    public void Stopped() => queue.Writer.TryComplete();

    /// <summary>After a failure the database says where the chain ends. Is it where the failed batch would have ended, then that one was written after all.</summary>
    private AuditHead Recall(Sql sql)
    {
        var found = AuditStore.Head(sql, node);
        if (taken.Count > 0 && found.Hash.AsSpan().SequenceEqual(tried.Hash)) taken.Clear();
        return found;
    }

    private byte[] NextSalt()
    {
        if (salted >= salts.Length)
        {
            RandomNumberGenerator.Fill(salts);
            salted = 0;
        }
        var salt = salts.AsSpan(salted, AuditHash.SaltLength).ToArray();
        salted += AuditHash.SaltLength;
        return salt;
    }
}
