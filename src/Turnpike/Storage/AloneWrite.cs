namespace Turnpike.Storage;

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
