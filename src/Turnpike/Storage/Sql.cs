using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Turnpike.Storage;

/// <summary>
/// One open connection and its prepared statements: what a store's SQL runs on. Statements are literals in the intersection of
/// SQLite and PostgreSQL with parameters <c>$1</c> …; each is prepared once. One thread at a time.
/// </summary>
internal sealed unsafe class Sql : IDisposable
{
    private readonly Dictionary<string, SqlStatement> statements = new(ByReference.Instance);
    private nint handle;

    public Sql(string path, bool readOnly)
    {
        var flags = SqliteNative.OpenNoMutex | (readOnly ? SqliteNative.OpenReadOnly : SqliteNative.OpenReadWrite | SqliteNative.OpenCreate);
        var code = SqliteNative.Open(path, out handle, flags, 0);
        if (code == SqliteNative.Ok) code = SqliteNative.BusyTimeout(handle, 5_000);
        if (code == SqliteNative.Ok) return;
        var failure = Failure(code);
        Dispose();
        throw failure;
    }

    internal nint Handle => handle;

    /// <summary>The version of the SQLite library in use.</summary>
    public static string Version => Marshal.PtrToStringUTF8((nint)SqliteNative.Version())!;

    /// <summary>Runs a statement for its effect. On PostgreSQL it may be sent together with those that follow.</summary>
    public void Run(string sql, params ReadOnlySpan<SqlValue> values)
    {
        var statement = Prepare(sql);
        statement.Bind(values);
        while (statement.Step())
        {
        }
    }

    /// <summary>Runs a statement and tells how many rows it changed.</summary>
    public int Change(string sql, params ReadOnlySpan<SqlValue> values)
    {
        Run(sql, values);
        return SqliteNative.Changes(handle);
    }

    /// <summary>All rows, read one by one.</summary>
    public List<T> Query<T>(string sql, Func<SqlRow, T> read, params ReadOnlySpan<SqlValue> values)
    {
        var statement = Prepare(sql);
        statement.Bind(values);
        List<T> rows = [];
        try
        {
            while (statement.Step()) rows.Add(read(statement.Row));
        }
        finally
        {
            statement.Reset();
        }
        return rows;
    }

    /// <summary>The first row, or default when there is none.</summary>
    public T? First<T>(string sql, Func<SqlRow, T> read, params ReadOnlySpan<SqlValue> values)
    {
        var statement = Prepare(sql);
        statement.Bind(values);
        try
        {
            return statement.Step() ? read(statement.Row) : default;
        }
        finally
        {
            statement.Reset();
        }
    }

    /// <summary>All rows as a stream, for recounts that do not fit in memory. At most one stream per statement at a time.</summary>
    public IEnumerable<T> Stream<T>(string sql, Func<SqlRow, T> read, params SqlValue[] values)
    {
        var statement = Prepare(sql);
        statement.Bind(values);
        try
        {
            while (statement.Step()) yield return read(statement.Row);
        }
        finally
        {
            statement.Reset();
        }
    }

    /// <summary>Several statements without parameters: migrations and pragmas.</summary>
    public void Script(string sql) => Check(SqliteNative.Execute(handle, sql, 0, 0, 0));

    public void Begin() => Run("begin immediate");

    public void BeginRead() => Run("begin");

    public void Commit() => Run("commit");

    /// <summary>Undoes the open transaction, if there still is one: some errors have rolled back already.</summary>
    public void Rollback() => SqliteNative.Execute(handle, "rollback", 0, 0, 0);

    public void Dispose()
    {
        foreach (var statement in statements.Values) statement.Dispose();
        statements.Clear();
        if (handle != 0) SqliteNative.Close(handle);
        handle = 0;
    }

    internal void Check(int code)
    {
        if (code != SqliteNative.Ok) throw Failure(code);
    }

    internal StorageException Failure(int code)
    {
        var extended = handle == 0 ? code : SqliteNative.ExtendedErrorCode(handle);
        var message = handle == 0 ? "out of memory" : Marshal.PtrToStringUTF8((nint)SqliteNative.ErrorMessage(handle));
        return new StorageException($"SQLite: {message} (code {extended}).", code & 0xff);
    }

    private SqlStatement Prepare(string sql)
    {
        ObjectDisposedException.ThrowIf(handle == 0, this);
        ref var statement = ref CollectionsMarshal.GetValueRefOrAddDefault(statements, sql, out var known);
        if (known && statement is not null) return statement;
        return statement = new SqlStatement(this, sql);
    }

    /// <summary>Statements are literals, so the same statement is the same object; hashing its text each time would cost more than running it.</summary>
    private sealed class ByReference : IEqualityComparer<string>
    {
        public static readonly ByReference Instance = new();

        public bool Equals(string? x, string? y) => ReferenceEquals(x, y);

        public int GetHashCode([DisallowNull] string obj) => RuntimeHelpers.GetHashCode(obj);
    }
}
