using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Turnpike.Storage.Sqlite;

/// <summary>A connection to a SQLite file, on SQLite's C interface.</summary>
internal unsafe class SqliteSql : Sql
{
    private readonly Dictionary<string, SqliteStatement> statements = new(ByReference.Instance);
    private nint handle;

    public SqliteSql(string path, bool readOnly)
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

    public override bool IsShared => false;

    public override DateTimeOffset Now(TimeProvider clock) => clock.Now();

    public override void Run(string sql, params ReadOnlySpan<SqlValue> values)
    {
        var statement = Prepare(sql);
        statement.Bind(values);
        while (statement.Step())
        {
        }
    }

    public override void RunRow(string sql, params ReadOnlySpan<SqlValue> values)
    {
        if (Change(sql, values) is not 1 and var changed) throw new UnreachableException($"A statement for one row changed {changed}.");
    }

    public override int Change(string sql, params ReadOnlySpan<SqlValue> values)
    {
        Run(sql, values);
        return SqliteNative.Changes(handle);
    }

    public override void Script(string sql) => Check(SqliteNative.Execute(handle, sql, 0, 0, 0));

    public override void Notify()
    {
    }

    public override void Share(SqlShare what, bool alone)
    {
    }

    public override void Begin() => Run("begin immediate");

    public override void BeginRead() => Run("begin");

    public override void Commit() => Run("commit");

    public override void Rollback() => SqliteNative.Execute(handle, "rollback", 0, 0, 0);

    /// <summary>A commit here answers always; one that failed is not asked about again (fsync).</summary>
    public override bool WasCommitted() => false;

    public override void Tidy() => Script("pragma wal_checkpoint(truncate)");

    public override void Send()
    {
    }

    public override IReadOnlyList<SqlTable> Tables() => SqlTable.Read(this, """
        select tables.name, columns.name, lower(columns.type), columns.pk from sqlite_master as tables, pragma_table_info(tables.name) as columns
        where tables.type = 'table' and tables.name not like 'sqlite_%' order by tables.name, columns.cid
        """);

    public override long LastNumber() => First("select coalesce(max(value), 0) from counters", row => row.Long(0));

    public override void NumberAfter(long last) => Run("""
        insert into counters (name, value) values ('holds', $1), ('entries', $1) on conflict (name) do update set value = excluded.value where excluded.value > counters.value
        """, last);

    public override void Dispose()
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

    protected override SqlRows Rows(string sql, ReadOnlySpan<SqlValue> values)
    {
        var statement = Prepare(sql);
        statement.Bind(values);
        return statement;
    }

    protected override SqlRows Scroll(string sql, SqlValue[] values) => Rows(sql, values);

    protected override SqlRows Locked(string sql, ReadOnlySpan<string[]> keys) => throw new NotSupportedException("One process writes this file: there is nothing to lock.");

    private SqliteStatement Prepare(string sql)
    {
        ObjectDisposedException.ThrowIf(handle == 0, this);
        ref var statement = ref CollectionsMarshal.GetValueRefOrAddDefault(statements, sql, out var known);
        if (known && statement is not null) return statement;
        return statement = new SqliteStatement(this, sql);
    }

    /// <summary>Statements are literals, so the same statement is the same object; hashing its text each time would cost more than running it.</summary>
    private sealed class ByReference : IEqualityComparer<string>
    {
        public static readonly ByReference Instance = new();

        public bool Equals(string? x, string? y) => ReferenceEquals(x, y);

        public int GetHashCode([DisallowNull] string obj) => RuntimeHelpers.GetHashCode(obj);
    }
}
