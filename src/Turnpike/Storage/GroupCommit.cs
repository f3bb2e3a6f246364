using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Turnpike.Storage;

/// <summary>
/// The one writer of a node. It takes what is waiting (at most 256 commands), never waits for company, writes it in one transaction and
/// acknowledges after the commit. A batch that fails is undone and halved until the bad command alone fails. When the disk fails
/// nothing is acknowledged any more (I10): whether the last batch is there is unknown until the next start. When a server is away,
/// nothing is acknowledged until it is back; a commit it did not answer is asked about first, and never repeated blindly. Nobody
/// waits for a silent server longer than <see cref="Longest"/>: then the outcome is unknown to whoever asked.
/// </summary>
internal sealed class GroupCommit : IDisposable
{
    private const int MostPerBatch = 256;
    private const int MostWaiting = 8192;
    private const int MostTries = 4;

    /// <summary>So long may wait what nobody waits for: <see cref="Soon"/> where a crash in between would have to be made good, else <see cref="Sometime"/>.</summary>
    public static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(10), Sometime = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10), Watch = TimeSpan.FromSeconds(1);

    private readonly Channel<WriteCommand> waiting = Channel.CreateBounded<WriteCommand>(new BoundedChannelOptions(MostWaiting));
    private readonly ConcurrentQueue<WriteCommand> later = new();
    private readonly ITimer timer;
    private readonly ITimer? watch; // only a server can fall silent
    private readonly Lock writing = new(); // of the batch, and of what follows
    private readonly WriteCommand[] batch = new WriteCommand[MostPerBatch];
    private int inBatch;
    private bool crowded; // more of those that do not hurry may wait than a batch takes
    private long began;
    private volatile bool givenUp; // whoever waited for this batch has been told that nobody knows: it is not tried again
    private readonly Sql sql;
    private readonly TimeProvider clock;
    private readonly Outage outage;
    private readonly Thread? thread;
    private volatile IWriteParticipant[] participants = [];
    private volatile Exception? failure;
    private volatile bool stopping;
    private readonly Lock alarm = new(); // of the timer, and of when it rings
    private long due = long.MaxValue; // when it rings, by the clock
    private readonly object bell = new(); // a thread of its own is woken by a bell of its own: by way of the thread pool it would be two hops
    private int idle; // 1 while the writer waits for the bell

    /// <param name="threaded">False where somebody else says when to write, by <see cref="WriteBatch"/>.</param>
    public GroupCommit(Sql sql, TimeProvider clock, bool threaded = true)
    {
        this.sql = sql;
        this.clock = clock;
        timer = clock.CreateTimer(_ => Wake(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        outage = new Outage(clock, threaded ? Outage.Usual : TimeSpan.Zero, Probe); // who says when to write is not kept waiting
        if (sql.IsShared) watch = clock.CreateTimer(_ => GiveUp(), null, Watch, Watch);
        if (!threaded) return;
        thread = new Thread(Run) { IsBackground = true, Name = "turnpike writer" };
        thread.Start();
    }

    /// <summary>Why nothing is written at the moment, or any more; null while all is well. For <c>/health/ready</c>.</summary>
    public Exception? Failure => failure ?? outage.Reason;

    /// <summary>Adds a participant; to be called before its first command.</summary>
    public void Join(IWriteParticipant participant)
    {
        lock (waiting) participants = [.. participants, participant];
    }

    /// <summary>Queues a command and waits until it is durable. Cancelling counts only until it is queued: then its outcome will be known.</summary>
    /// <exception cref="StorageUnavailableException">The disk failed, the server is away, or the store is stopping.</exception>
    public ValueTask<T> WriteAsync<T>(WriteCommand<T> command, CancellationToken ct)
    {
        return TryQueue(command) ? command.Completion : Slow(command, ct);

        async ValueTask<T> Slow(WriteCommand<T> command, CancellationToken ct)
        {
            try
            {
                await waiting.Writer.WriteAsync(command, ct);
            }
            catch (ChannelClosedException)
            {
                throw Unavailable();
            }
            Ring();
            return await command.Completion;
        }
    }

    /// <summary>Goes along with the next transaction, whoever's it is, or begins one within this time: for what no caller waits for.</summary>
    public ValueTask<T> WriteLaterAsync<T>(WriteCommand<T> command, TimeSpan latest)
    {
        later.Enqueue(command);
        Within(latest);
        if (failure is not null) FailLater();
        return command.Completion;
    }

    /// <summary>A transaction begins within this time, for whatever waits to go along with one: one for all that wait.</summary>
    public void Within(TimeSpan latest)
    {
        var at = clock.GetTimestamp() + (long)(latest.TotalSeconds * clock.TimestampFrequency);
        Interlocked.MemoryBarrier(); // what waits is there before we look whether the timer runs; it stops before it looks what waits
        if (Volatile.Read(ref due) <= at) return;
        lock (alarm)
        {
            if (due <= at) return;
            due = at;
            timer.Change(latest, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Queues a command whose outcome nobody awaits. Nothing when the queue is full: a transaction is coming anyway.</summary>
    public void Ask(WriteCommand command) => TryQueue(command);

    /// <summary>True when whoever writes now has to wait for a place to wait in.</summary>
    public bool IsFull => waiting.Reader.Count >= MostWaiting;

    /// <summary>True when a command waits to be written.</summary>
    public bool HasWork => waiting.Reader.TryPeek(out _);

    /// <summary>Writes what waits, at most one batch of it; false when nothing did. On the writer's thread only.</summary>
    public bool WriteBatch()
    {
        lock (writing) (inBatch, began, givenUp) = (TakeBatch(waiting.Reader), clock.GetTimestamp(), false);
        if (inBatch == 0) return false;
        Write(batch.AsSpan(0, inBatch));
        lock (writing)
        {
            Array.Clear(batch, 0, inBatch);
            inBatch = 0;
        }
        if (crowded && Failure is null) Probe();
        return true;
    }

    /// <summary>A clean stop: what was queued is written first.</summary>
    public void Dispose()
    {
        stopping = true;
        timer.Dispose();
        watch?.Dispose();
        outage.Dispose();
        Wake();
        waiting.Writer.TryComplete();
        Ring();
        if (thread is null)
            while (WriteBatch()) { }
        thread?.Join();
        FailLater();
    }

    private StorageUnavailableException Unavailable() =>
        failure is not null ? new("The disk failed; nothing is written until the next start.", failure)
        : outage.Reason is { } away ? new("The database is away; nothing is written until it is back.", away)
        : new("The store is stopping; nothing more is written.");

    private void Run()
    {
        while (!waiting.Reader.Completion.IsCompleted)
        {
            while (WriteBatch()) { }
            Rest();
        }
    }

    // Whoever queues something looks whether we rest, and we look, once we say so, whether something is queued: one of the two sees the other.
    private void Rest()
    {
        Interlocked.Exchange(ref idle, 1);
        lock (bell)
            while (!HasWork && !waiting.Reader.Completion.IsCompleted && Volatile.Read(ref idle) == 1) Monitor.Wait(bell);
        Volatile.Write(ref idle, 0);
    }

    private bool TryQueue(WriteCommand command)
    {
        if (!waiting.Writer.TryWrite(command)) return false;
        Ring();
        return true;
    }

    private void Ring()
    {
        if (Interlocked.Exchange(ref idle, 0) == 0) return;
        lock (bell) Monitor.Pulse(bell);
    }

    private void Wake()
    {
        lock (alarm) due = long.MaxValue;
        Probe();
    }

    private void Probe() => Ask(new StoreWrite<bool>(static _ => true));

    private void FailLater()
    {
        while (later.TryDequeue(out var command)) command.Fail(Unavailable());
    }

    // By the clock, on a thread of its own: the writer's may be waiting for the server. What was sent may still be written; what was
    // not will not be.
    private void GiveUp()
    {
        lock (writing)
        {
            if (inBatch == 0 || clock.GetElapsedTime(began) < Longest) return;
            givenUp = true;
            outage.Begin(new StorageException("PostgreSQL has not answered for seconds."));
            Fail(batch.AsSpan(0, inBatch), new StorageUnknownException("PostgreSQL has not answered for seconds; whether this was written is not known."));
        }
        while (waiting.Reader.TryRead(out var command)) command.Fail(Unavailable());
    }

    private int TakeBatch(ChannelReader<WriteCommand> reader)
    {
        if (!reader.TryPeek(out var first)) return 0;
        var count = 0;
        if (first.IsAlone)
        {
            reader.TryRead(out batch[0]!);
            return 1;
        }
        // Those that do not hurry have waited longest; half a batch, so that they never keep callers out. While the server is away they wait on.
        while (outage.Reason is null && count < MostPerBatch / 2 && later.TryDequeue(out var command)) batch[count++] = command;
        crowded = count == MostPerBatch / 2;
        while (count < MostPerBatch && reader.TryPeek(out var next) && !next.IsAlone && reader.TryRead(out var command)) batch[count++] = command;
        return count;
    }

    private void Write(ReadOnlySpan<WriteCommand> commands)
    {
        if (failure is not null || givenUp || outage.IsFresh)
        {
            Fail(commands, Unavailable());
            return;
        }
        var refused = TryWrite(commands);
        for (var tries = 1; refused is StorageException again && Again(again.Fault, tries); tries++) refused = TryWrite(commands);
        if (refused is null)
        {
            outage.Over();
            foreach (var command in commands) command.Succeed();
        }
        else if (failure is not null || refused is StorageException { Fault: StorageFault.Away or StorageFault.Unknown })
        {
            Fail(commands, Unavailable());
        }
        else if (givenUp)
        {
            // they have been told
        }
        else if (commands.Length == 1)
        {
            commands[0].Fail(refused is StorageException { Fault: StorageFault.Conflict } busy ? new StorageUnavailableException("Others wrote the same, again and again.", busy) : refused);
        }
        else
        {
            Write(commands[..(commands.Length / 2)]);
            Write(commands[(commands.Length / 2)..]);
        }
    }

    // A cut connection is opened again at once; while the server changes over, for a little longer.
    private bool Again(StorageFault fault, int tries)
    {
        if (stopping || givenUp) return false;
        if (fault is StorageFault.Conflict) return tries < MostTries;
        return fault is StorageFault.Away && outage.WaitOnce();
    }

    private static void Fail(ReadOnlySpan<WriteCommand> commands, Exception reason)
    {
        foreach (var command in commands) command.Fail(reason);
    }

    private Exception? TryWrite(ReadOnlySpan<WriteCommand> commands)
    {
        var committing = false;
        try
        {
            sql.Begin();
            var (now, began) = (sql.Now(clock), clock.GetTimestamp());
            foreach (var participant in participants) participant.Begin(sql, commands, now);
            foreach (var command in commands) command.Apply(sql);
            for (var i = participants.Length - 1; i >= 0; i--) participants[i].End(sql);
            committing = true;
            sql.Commit();
            foreach (var participant in participants) participant.Committed();
            Telemetry.Instruments.Committed(commands.Length, clock.GetElapsedTime(began));
            return null;
        }
        catch (Exception caught) // one command's fault must not stop the writer; a failed commit or disk must
        {
            var e = caught;
            if (e is StorageException { Fault: StorageFault.Unknown } && WasCommitted() is { } there)
            {
                if (there)
                {
                    foreach (var participant in participants) participant.Committed();
                    return null;
                }
                e = new StorageException("The commit did not reach PostgreSQL.", 0, e) { Fault = StorageFault.Conflict };
            }
            if (!sql.IsShared && (committing || e is StorageException { IsFatal: true })) Stop(e);
            sql.Rollback();
            foreach (var participant in participants) participant.RolledBack();
            if (failure is not null)
                foreach (var participant in participants)
                    participant.Stopped();
            return e;
        }
    }

    // Its callers wait a while: mostly it is known at once, and then they need not be told that it is not. All others are told.
    private bool? WasCommitted()
    {
        while (true)
        {
            try
            {
                return sql.WasCommitted();
            }
            catch (StorageException e)
            {
                if (stopping) return null; // the next start finishes what is there
                outage.Begin(e);
                while (waiting.Reader.TryRead(out var command)) command.Fail(Unavailable());
                Outage.Pause();
            }
        }
    }

    // After a failed fsync the kernel may have dropped the dirty pages: trying again would acknowledge what is not there.
    private void Stop(Exception reason)
    {
        failure = reason;
        waiting.Writer.TryComplete();
        FailLater();
    }
}
