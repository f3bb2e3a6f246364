using System.Collections.Concurrent;

namespace Turnpike.Storage.Sqlite;

/// <summary>
/// The database as a file: durable when acknowledged (WAL, <c>synchronous=full</c>), readers on consistent snapshots. One process
/// writes, others may look.
/// </summary>
internal sealed class SqliteFile : ISqlSource
{
    private const int MostIdleReaders = 8;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly ConcurrentStack<Sql> readers = new();
    private readonly string path;
    private readonly FileStream? guard;

    private SqliteFile(string path, FileStream? guard, Sql? writer) => (this.path, this.guard, Writer) = (path, guard, writer);

    public Sql? Writer { get; }

    public string Name => "1";

    public bool IsShared => false;

    public int ReaderThreads => 0;

    /// <summary>Creates file and folder (owner only) where there are none, and brings the schema up to date.</summary>
    public static SqliteFile OpenToWrite(string path, TimeProvider clock, IReadOnlyList<Migration> migrations)
    {
        var guard = Lock(path);
        Sql? sql = null;
        try
        {
            // Only under the lock: closing a file drops whatever locks SQLite holds on it in this process.
            if (!File.Exists(path)) OpenOwnerOnly(path, FileShare.ReadWrite).Dispose();
            sql = new SqliteSql(path, readOnly: false);
            sql.Script("pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; pragma cache_size = -32768; pragma wal_autocheckpoint = 4000; pragma secure_delete = on;");
#if TURNPIKE_SABOTAGE
            if (Sabotage.Of("fsync")) sql.Script("pragma synchronous = off;");
#endif
            Migrations.Apply(sql, migrations, clock.Now());
            return new SqliteFile(path, guard, sql);
        }
        catch
        {
            sql?.Dispose();
            guard.Dispose();
            throw;
        }
    }

    /// <summary>For those who look, also while a server writes.</summary>
    public static SqliteFile OpenToRead(string path, IReadOnlyList<Migration> migrations)
    {
        Require(path, migrations);
        return new SqliteFile(path, null, null);
    }

    /// <summary>For one who looks while nobody writes.</summary>
    public static SqliteFile OpenToCopy(string path, IReadOnlyList<Migration> migrations)
    {
        if (!File.Exists(path)) throw Missing(path);
        var guard = Lock(path);
        try
        {
            Require(path, migrations);
            return new SqliteFile(path, guard, null);
        }
        catch
        {
            guard.Dispose();
            throw;
        }
    }

    private static StorageException Missing(string path) => new($"There is no database at {path}.");

    private static void Require(string path, IReadOnlyList<Migration> migrations)
    {
        if (!File.Exists(path)) throw Missing(path);
        using var sql = new SqliteSql(path, readOnly: true);
        sql.BeginRead();
        Migrations.Require(sql, migrations);
        sql.Commit();
    }

    public IDisposable? Listen(string channel, Action<string> heard) => null;

    public ValueTask SayAsync(string channel, string text, CancellationToken ct) => ValueTask.CompletedTask;

    public Sql Take(bool fresh = false) => readers.TryPop(out var reader) ? reader : new SqliteSql(path, readOnly: true);

    public void Return(Sql reader)
    {
        if (readers.Count >= MostIdleReaders) reader.Dispose();
        else readers.Push(reader);
    }

    /// <summary>Folds the log into the file and lets the next process in.</summary>
    public void Dispose()
    {
        while (readers.TryPop(out var reader)) reader.Dispose();
        Writer?.Dispose();
        guard?.Dispose();
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
}
