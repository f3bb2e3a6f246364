namespace Turnpike.Storage;

/// <summary>
/// One open connection and its prepared statements: what a store's SQL runs on. Statements are literals in the intersection of
/// SQLite and PostgreSQL with parameters <c>$1</c> …; each is prepared once. One thread at a time.
/// </summary>
internal abstract class Sql : IDisposable
{
    /// <summary>True when other nodes write this database too: nothing that was read stays true after the transaction, and what a decision rests on must be locked.</summary>
    public abstract bool IsShared { get; }

    /// <summary>Now, by the clock all nodes of this database share.</summary>
    public abstract DateTimeOffset Now(TimeProvider clock);

    /// <summary>Runs a statement for its effect. On PostgreSQL it may be sent together with those that follow.</summary>
    public abstract void Run(string sql, params ReadOnlySpan<SqlValue> values);

    /// <summary>
    /// Runs a statement for one of several rows, none of which touches what another does: exactly one row changes, or it fails. On
    /// PostgreSQL those that follow each other become one statement.
    /// </summary>
    public abstract void RunRow(string sql, params ReadOnlySpan<SqlValue> values);

    /// <summary>Runs a statement and tells how many rows it changed.</summary>
    public abstract int Change(string sql, params ReadOnlySpan<SqlValue> values);

    /// <summary>Several statements without parameters: migrations and pragmas.</summary>
    public abstract void Script(string sql);

    /// <summary>Keeps other nodes from what is meant until the transaction ends: those who share it go on together, one who wants it alone waits for them and they for him. Nothing where one process writes.</summary>
    public abstract void Share(SqlShare what, bool alone);

    /// <summary>Tells whoever listens (<see cref="Database.Listen"/>) that something was changed, when the transaction is committed. Nothing where one process writes.</summary>
    public abstract void Notify();

    public abstract void Begin();

    public abstract void BeginRead();

    public abstract void Commit();

    /// <summary>Undoes the open transaction, if there still is one: some errors have rolled back already.</summary>
    public abstract void Rollback();

    /// <summary>After a commit that nobody answered: whether it is there. Waits until that is certain.</summary>
    /// <exception cref="StorageException">The database does not answer; ask again.</exception>
    public abstract bool WasCommitted();

    /// <summary>Between transactions: leaves nothing of what was overwritten beside the database. Nothing where a server sees to that.</summary>
    public virtual void Tidy()
    {
    }

    /// <summary>What was run so far goes out now, without the end of the transaction being in sight.</summary>
    public abstract void Send();

    /// <summary>All tables by name, from the database's own catalogue.</summary>
    public abstract IReadOnlyList<SqlTable> Tables();

    /// <summary>The last number given to a hold or an entry.</summary>
    public abstract long LastNumber();

    /// <summary>After rows came in with the numbers they had elsewhere: what comes next is numbered after theirs, and after this.</summary>
    public abstract void NumberAfter(long last);

    public abstract void Dispose();

    /// <summary>All rows, read one by one.</summary>
    public List<T> Query<T>(string sql, Func<SqlRow, T> read, params ReadOnlySpan<SqlValue> values) => All(Rows(sql, values), read);

    /// <summary>The first row, or default when there is none.</summary>
    public T? First<T>(string sql, Func<SqlRow, T> read, params ReadOnlySpan<SqlValue> values)
    {
        var rows = Rows(sql, values);
        try
        {
            return rows.Step() ? read(rows.Row) : default;
        }
        finally
        {
            rows.Reset();
        }
    }

    /// <summary>All rows as a stream, for recounts that do not fit in memory. At most one stream per statement at a time.</summary>
    public IEnumerable<T> Stream<T>(string sql, Func<SqlRow, T> read, params SqlValue[] values)
    {
        var rows = Scroll(sql, values);
        try
        {
            while (rows.Step()) yield return read(rows.Row);
        }
        finally
        {
            rows.Reset();
        }
    }

    /// <summary>A query run for each key, in their order: its parameters are the key's columns. Where others write too, the rows it finds are locked until the transaction ends.</summary>
    public List<T> Lock<T>(string sql, Func<SqlRow, T> read, params ReadOnlySpan<string[]> keys) => All(Locked(sql, keys), read);

    protected abstract SqlRows Rows(string sql, ReadOnlySpan<SqlValue> values);

    protected abstract SqlRows Scroll(string sql, SqlValue[] values);

    protected abstract SqlRows Locked(string sql, ReadOnlySpan<string[]> keys);

    private static List<T> All<T>(SqlRows rows, Func<SqlRow, T> read)
    {
        List<T> all = [];
        try
        {
            while (rows.Step()) all.Add(read(rows.Row));
        }
        finally
        {
            rows.Reset();
        }
        return all;
    }
}

/// <summary>What nodes share, or one wants for itself.</summary>
internal enum SqlShare
{
    /// <summary>Which accounts are limited.</summary>
    Accounts = 3,

    /// <summary>Who serves on this database.</summary>
    Nodes = 4,
}

/// <summary>The rows of one running query.</summary>
internal abstract class SqlRows
{
    public abstract SqlRow Row { get; }

    /// <summary>True when it stands on a row, false when it is through.</summary>
    public abstract bool Step();

    public abstract void Reset();
}
