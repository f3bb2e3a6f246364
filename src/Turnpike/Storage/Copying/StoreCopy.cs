namespace Turnpike.Storage.Copying;

/// <summary>
/// Moves a whole installation from one database to another: every table the schema has, whatever it is, but for what belongs to
/// running processes. Both are kept for the copy alone, the target is written in one transaction and read back inside it: it has
/// everything, digest by digest, or it is as empty as before.
/// </summary>
internal sealed class StoreCopy : IDisposable
{
    // The schema's own history, who serves here, and what a writer wrote last.
    private static readonly string[] Left = ["migrations", "nodes", "writers"];

    // What a process has taken for a while, by table: the processes of the target are others, and need not wait for it to lapse.
    private static readonly Dictionary<string, IReadOnlyDictionary<string, SqlValue>> Freed = new(StringComparer.Ordinal)
    {
        ["signers"] = new Dictionary<string, SqlValue>(StringComparer.Ordinal) { ["filler"] = "", ["until"] = 0L },
        ["usage_exports"] = new Dictionary<string, SqlValue>(StringComparer.Ordinal) { ["holder"] = "", ["until"] = 0L },
    };

    private static readonly Dictionary<string, SqlValue> Nothing = [];

    private readonly ISqlSource source;
    private readonly ISqlSource target;

    private StoreCopy(ISqlSource source, ISqlSource target) => (this.source, this.target) = (source, target);

    /// <exception cref="StorageException">One of them is not there, in use, or of another version; the sentence says which.</exception>
    public static StoreCopy Open(string from, string to, TimeProvider clock)
    {
        var source = Opened(new StorageOptions(from, StorageAccess.CopyFrom), clock, "copied from");
        try
        {
            return new StoreCopy(source, Opened(new StorageOptions(to, StorageAccess.CopyTo), clock, "copied to"));
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <param name="copied">Told of each table when its rows are on their way.</param>
    /// <exception cref="StorageException">The target is not empty, or what it holds is not what was read.</exception>
    public IReadOnlyList<TableDigest> Run(Action<TableDigest> copied, CancellationToken ct)
    {
        var (from, to) = (source.Take(), target.Writer!);
        try
        {
            from.BeginRead();
            to.Begin();
            var tables = Tables(from, to);
            if (tables.FirstOrDefault(table => !table.IsEmpty(to)) is { } used) throw new StorageException($"The store to be copied to is not empty: {used.Name} has rows. A copy needs a new file, or a new database.");
            var read = new List<TableDigest>();
            foreach (var table in tables)
            {
                read.Add(table.Copy(from, to, ct));
                copied(read[^1]);
            }
            foreach (var (table, known) in tables.Zip(read))
                if (table.Digest(to, ct) is var written && written != known)
                    throw new StorageException($"The copy of {known.Table} does not read as it was written: {written.Rows} rows of {known.Rows}, {written.Digest[..16]} instead of {known.Digest[..16]}.");
            to.NumberAfter(from.LastNumber());
            Commit(to);
            return read;
        }
        catch
        {
            to.Rollback();
            throw;
        }
        finally
        {
            from.Dispose();
        }
    }

    public void Dispose()
    {
        source.Dispose();
        target.Dispose();
    }

    private static ISqlSource Opened(StorageOptions options, TimeProvider clock, string role)
    {
        try
        {
            return Database.Source(options, clock, Migrations.Embedded);
        }
        catch (StorageException e)
        {
            throw new StorageException($"The store to be {role}, {options}: {e.Message}", e.Code, e) { Fault = e.Fault };
        }
    }

    private static List<CopiedTable> Tables(Sql from, Sql to)
    {
        var there = to.Tables().ToDictionary(table => table.Name, StringComparer.Ordinal);
        var tables = from.Tables().Where(table => !Left.Contains(table.Name)).ToList();
        foreach (var table in tables)
            if (!there.TryGetValue(table.Name, out var same) || !same.Columns.Select(Described).Order().SequenceEqual(table.Columns.Select(Described).Order()))
                throw new StorageException($"Table {table.Name} is not the same in both stores.");
        return [.. tables.Select(table => new CopiedTable(table, Freed.GetValueOrDefault(table.Name, Nothing)))];
    }

    private static (string, SqlKind, int) Described(SqlColumn column) => (column.Name, column.Kind, column.Key);

    private static void Commit(Sql to)
    {
        try
        {
            to.Commit();
        }
        catch (StorageException e) when (e.Fault is StorageFault.Unknown)
        {
            if (!to.WasCommitted()) throw new StorageException("The commit did not reach the store: nothing was copied.", 0, e);
        }
    }
}
