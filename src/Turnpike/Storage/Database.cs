using System.Collections.Concurrent;

namespace Turnpike.Storage;

/// <summary>
/// The one database of a node, on SQLite. Writes of every store go through one writer and are durable when acknowledged (WAL,
/// <c>synchronous=full</c>); reads run on pooled connections, each on a consistent snapshot. One process writes, others may look.
/// </summary>
internal sealed class Database : IDisposable
{
    private const int MostIdleReaders = 8;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly ConcurrentStack<Sql> readers = new();
    private readonly string path;
    private readonly FileStream? guard;
    private readonly Sql? connection;
    private readonly GroupCommit? writer;
    private bool disposed;

    private Database(string path, FileStream? guard, Sql? connection, TimeProvider clock, bool threaded = true)
    {
        this.path = path;
        this.guard = guard;
        this.connection = connection;
        if (connection is not null) writer = new GroupCommit(connection, clock, threaded);
    }

    /// <summary>False for commands that only look.</summary>
    public bool IsWritable => writer is not null;

    /// <summary>The node's writer.</summary>
    /// <exception cref="StorageException">The database was opened to look only.</exception>
    public GroupCommit Writer => writer ?? throw new StorageException("The database was opened to look only.");

    /// <summary>Opens the database, creating file and folder (owner only) and bringing the schema up to date when writing.</summary>
    /// <exception cref="StorageException">Missing, in use by another process, newer than this binary, or unreadable.</exception>
    public static Database Open(StorageOptions options, TimeProvider clock) => Open(options, clock, Migrations.Embedded);

    internal static Database Open(StorageOptions options, TimeProvider clock, IReadOnlyList<Migration> migrations)
    {
        var path = options.FilePath;
        return options.Access == StorageAccess.Write ? OpenToWrite(path, clock, migrations, options.Threaded) : OpenToRead(path, clock, migrations);
    }

    /// <summary>Runs a store's own SQL in the writer's next transaction; durable when it returns. It may run again after another command's failure, so it must not have effects elsewhere.</summary>
    /// <exception cref="StorageUnavailableException">The disk failed or the store is stopping.</exception>
    public ValueTask<T> WriteAsync<T>(Func<Sql, T> write, CancellationToken ct) => Writer.WriteAsync(new StoreWrite<T>(write), ct);

    /// <inheritdoc cref="WriteAsync{T}"/>
    public async ValueTask WriteAsync(Action<Sql> write, CancellationToken ct) =>
        await Writer.WriteAsync(new StoreWrite<bool>(sql => { write(sql); return true; }), ct);

    /// <summary>Reads on a consistent snapshot that holds everything acknowledged so far. Runs on the caller's thread: keep it short.</summary>
    public ValueTask<T> ReadAsync<T>(Func<Sql, T> read, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return new ValueTask<T>(Read(read));
    }

    /// <summary>Reads for as long as it takes, on a thread of its own.</summary>
    public async ValueTask<T> ScanAsync<T>(Func<Sql, T> read, CancellationToken ct) => await Task.Run(() => Read(read), ct);

    /// <summary>Writes what is queued, folds the log into the file and lets the next process in.</summary>
    public void Dispose()
    {
        if (disposed) return;
        disposed = true;
        writer?.Dispose();
        while (readers.TryPop(out var reader)) reader.Dispose();
        connection?.Dispose();
        guard?.Dispose();
    }

    private static Database OpenToWrite(string path, TimeProvider clock, IReadOnlyList<Migration> migrations, bool threaded)
    {
        var guard = Lock(path);
        Sql? sql = null;
        try
        {
            // Only under the lock: closing a file drops whatever locks SQLite holds on it in this process.
            if (!File.Exists(path)) OpenOwnerOnly(path, FileShare.ReadWrite).Dispose();
            sql = new Sql(path, readOnly: false);
            sql.Script("pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; pragma cache_size = -32768; pragma wal_autocheckpoint = 4000;");
#if TURNPIKE_SABOTAGE
            if (Sabotage.Of("fsync")) sql.Script("pragma synchronous = off;");
#endif
            Migrations.Apply(sql, migrations, clock.Now());
            return new Database(path, guard, sql, clock, threaded);
        }
        catch
        {
            sql?.Dispose();
            guard.Dispose();
            throw;
        }
    }

    private static Database OpenToRead(string path, TimeProvider clock, IReadOnlyList<Migration> migrations)
    {
        if (!File.Exists(path)) throw new StorageException($"There is no database at {path}.");
        var database = new Database(path, null, null, clock);
        try
        {
            database.Read(sql => { Migrations.Require(sql, migrations); return true; });
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    private static void CreateFolder(string folder)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
    }

    // The kernel drops this lock with the process, however it ends; SQLite's own would let two writers take turns.
    private static FileStream Lock(string path)
    {
        try
        {
            if (Path.GetDirectoryName(path) is { } folder && !Directory.Exists(folder)) CreateFolder(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StorageException($"The folder of the database {path} cannot be created: {e.Message}", 0, e);
        }
        try
        {
            return OpenOwnerOnly(path + ".lock", FileShare.None);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new StorageException($"The database {path} cannot be opened: {e.Message}", 0, e);
        }
        catch (IOException e)
        {
            throw new StorageInUseException($"The database {path} is in use by another process: stop that one first, or ask it through the Admin API.", e);
        }
    }

    private static FileStream OpenOwnerOnly(string path, FileShare share)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = share, BufferSize = 0 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly; // the log and its index take their mode from the file
        return new FileStream(path, options);
    }

    private T Read<T>(Func<Sql, T> read)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (!readers.TryPop(out var sql)) sql = new Sql(path, readOnly: true);
        try
        {
            sql.BeginRead();
            var result = read(sql);
            sql.Commit();
            if (readers.Count >= MostIdleReaders) sql.Dispose();
            else readers.Push(sql);
            return result;
        }
        catch
        {
            sql.Dispose(); // whatever state it is in, it is not used again
            throw;
        }
    }
}
