using Turnpike.Storage.Postgres;
using Turnpike.Storage.Sqlite;

namespace Turnpike.Storage;

/// <summary>
/// The one database of a node, on SQLite or PostgreSQL. Writes of every store go through one writer and are durable when
/// acknowledged; reads run beside it, each on a consistent snapshot that holds everything acknowledged so far.
/// </summary>
internal sealed class Database : IDisposable
{
    private const int MostScans = 4;

    private readonly ISqlSource source;
    private readonly GroupCommit? writer;
    private readonly ReaderThreads? threads;
    private readonly SemaphoreSlim scanning = new(MostScans);
    private bool disposed;

    private Database(ISqlSource source, TimeProvider clock, bool threaded)
    {
        this.source = source;
        if (source.Writer is { } connection) writer = new GroupCommit(connection, clock, threaded);
        if (source.ReaderThreads > 0) threads = new ReaderThreads(source.ReaderThreads, clock);
    }

    /// <summary>False for commands that only look.</summary>
    public bool IsWritable => writer is not null;

    /// <summary>True when other nodes may write it too.</summary>
    public bool IsShared => source.IsShared;

    /// <summary>Tells this writer from all others of the same database; <c>1</c> where there is only one.</summary>
    public string Name => source.Name;

    /// <summary>The node's writer.</summary>
    /// <exception cref="StorageException">The database was opened to look only.</exception>
    public GroupCommit Writer => writer ?? throw new StorageException("The database was opened to look only.");

    /// <summary>Opens the database, creating a file and its folder (owner only) and bringing the schema up to date when writing.</summary>
    /// <exception cref="StorageException">Missing, in use by another process, newer than this binary, or unreadable.</exception>
    public static Database Open(StorageOptions options, TimeProvider clock) => Open(options, clock, Migrations.Embedded);

    internal static Database Open(StorageOptions options, TimeProvider clock, IReadOnlyList<Migration> migrations) => new(Source(options, clock, migrations), clock, options.Threaded);

    /// <summary>The bare connections, for a copy.</summary>
    internal static ISqlSource Source(StorageOptions options, TimeProvider clock, IReadOnlyList<Migration> migrations) => (options.IsPostgres, options.Access) switch
    {
        (true, _) => PostgresSource.Open(options, clock, migrations),
        (_, StorageAccess.Write or StorageAccess.CopyTo) => SqliteFile.OpenToWrite(options.FilePath, clock, migrations),
        (_, StorageAccess.CopyFrom) => SqliteFile.OpenToCopy(options.FilePath, migrations),
        _ => SqliteFile.OpenToRead(options.FilePath, migrations),
    };

    /// <summary>On connections that are open, or open by themselves.</summary>
    internal static Database Over(ISqlSource source, TimeProvider clock, bool threaded) => new(source, clock, threaded);

    /// <summary>Runs a store's own SQL in the writer's next transaction; durable when it returns. It may run again after another command's failure, so it must not have effects elsewhere.</summary>
    /// <exception cref="StorageUnavailableException">The disk failed, the server is away, or the store is stopping.</exception>
    public ValueTask<T> WriteAsync<T>(Func<Sql, T> write, CancellationToken ct) => Writer.WriteAsync(new StoreWrite<T>(write), ct);

    /// <inheritdoc cref="WriteAsync{T}"/>
    public async ValueTask WriteAsync(Action<Sql> write, CancellationToken ct) =>
        await Writer.WriteAsync(new StoreWrite<bool>(sql => { write(sql); return true; }), ct);

    /// <summary>Writes in a transaction of its own, and nothing else in it; see <see cref="AloneWrite{T}"/>.</summary>
    /// <exception cref="StorageUnavailableException">The disk failed, the server is away, or the store is stopping.</exception>
    public ValueTask<T> WriteAloneAsync<T>(Func<Sql, T> write, CancellationToken ct) => Writer.WriteAsync(new AloneWrite<T>(write), ct);

    /// <summary>Reads on a consistent snapshot. On SQLite it runs on the caller's thread: keep it short.</summary>
    public ValueTask<T> ReadAsync<T>(Func<Sql, T> read, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return threads is null ? new ValueTask<T>(Read(read)) : ReadOn(threads, read);
    }

    /// <summary>
    /// Reads for as long as it takes, on a thread of its own; a few at a time, the others wait. The attack: ask for one's usage many times
    /// at once. On the pool's threads that would stop everybody: a thread that waits for a connection may need another of them to wake it.
    /// </summary>
    public async ValueTask<T> ScanAsync<T>(Func<Sql, T> read, CancellationToken ct)
    {
        await scanning.WaitAsync(ct);
        try
        {
            return await Task.Factory.StartNew(() => Read(read), ct, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        finally
        {
            scanning.Release();
        }
    }

    /// <inheritdoc cref="ISqlSource.Listen"/>
    public IDisposable? Listen(string channel, Action<string> heard) => source.Listen(channel, heard);

    /// <inheritdoc cref="ISqlSource.SayAsync"/>
    public ValueTask SayAsync(string channel, string text, CancellationToken ct) => source.SayAsync(channel, text, ct);

    /// <summary>Writes what is queued, then closes.</summary>
    public void Dispose()
    {
        if (disposed) return;
        disposed = true;
        writer?.Dispose();
        threads?.Dispose();
        source.Dispose();
    }

    private ValueTask<T> ReadOn<T>(ReaderThreads on, Func<Sql, T> read) => on.RunAsync(() => Read(read));

    private T Read<T>(Func<Sql, T> read)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        try
        {
            return Read(source.Take(), read);
        }
        catch (StorageException e) when (e.Fault is StorageFault.Away)
        {
            return Read(source.Take(fresh: true), read); // the connection may have been all that broke
        }
    }

    private T Read<T>(Sql sql, Func<Sql, T> read)
    {
        try
        {
            sql.BeginRead();
            var result = read(sql);
            sql.Commit();
            source.Return(sql);
            return result;
        }
        catch (StorageException e) when (e.Fault is StorageFault.Away or StorageFault.Unknown)
        {
            sql.Dispose();
            throw new StorageUnavailableException("The database is away.", e);
        }
        catch
        {
            sql.Dispose(); // whatever state it is in, it is not used again
            throw;
        }
    }
}
