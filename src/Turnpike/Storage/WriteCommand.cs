using System.Threading.Tasks.Sources;

namespace Turnpike.Storage;

/// <summary>Something to be written with others in one transaction.</summary>
internal abstract class WriteCommand
{
    /// <summary>Writes inside the transaction. May be run again after a rollback; an exception fails this command alone.</summary>
    public abstract void Apply(Sql sql);

    /// <summary>The transaction is durable.</summary>
    public abstract void Succeed();

    public abstract void Fail(Exception failure);

    /// <summary>True: nothing else is written in its transaction, and nothing that was read before is believed after it.</summary>
    public virtual bool IsAlone => false;
}

/// <summary>A command whose caller awaits what came of it; its continuation never runs on the writer.</summary>
internal abstract class WriteCommand<T> : WriteCommand, IValueTaskSource<T>
{
    private ManualResetValueTaskSourceCore<T> completion = new() { RunContinuationsAsynchronously = true };
    private T result = default!;
    private Exception? refused;
    private int ended; // whoever waited may have been told that nobody knows

    public ValueTask<T> Completion => new(this, completion.Version);

    public sealed override void Apply(Sql sql)
    {
        refused = null;
        try
        {
            result = Write(sql);
        }
        catch (Exception e) when (ChangedNothing(e))
        {
            refused = e;
        }
    }

    public override void Succeed()
    {
        if (!End()) return;
        if (refused is null) completion.SetResult(result);
        else completion.SetException(refused);
    }

    public override void Fail(Exception failure)
    {
        if (End()) completion.SetException(failure);
    }

    protected abstract T Write(Sql sql);

    /// <summary>True for a failure that left everything as it was, so that the others of the batch need not be undone.</summary>
    protected virtual bool ChangedNothing(Exception failure) => false;

    private bool End() => Interlocked.Exchange(ref ended, 1) == 0;

    T IValueTaskSource<T>.GetResult(short token) => completion.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<T>.GetStatus(short token) => completion.GetStatus(token);

    void IValueTaskSource<T>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        completion.OnCompleted(continuation, state, token, flags);
}

/// <summary>What a store writes, as a delegate.</summary>
internal sealed class StoreWrite<T>(Func<Sql, T> write) : WriteCommand<T>
{
    protected override T Write(Sql sql) => write(sql);
}

/// <summary>
/// A store's write that shares its transaction with nobody: it changes what others may have read before. On SQLite the log is folded
/// into the file and cut to nothing before its caller is told, so that what was overwritten is nowhere any more.
/// </summary>
internal sealed class AloneWrite<T>(Func<Sql, T> write) : WriteCommand<T>
{
    private Sql? used;

    public override bool IsAlone => true;

    public override void Succeed()
    {
        try { used!.Tidy(); }
        catch (StorageException e) { Fail(new StorageException("It is written; what was there before may still be in the database's log, until the gateway stops.", 0, e)); return; }
        base.Succeed();
    }

    protected override T Write(Sql sql)
    {
        used = sql;
        return write(sql);
    }
}
