using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Turnpike.Storage.Sqlite;

/// <summary>A prepared statement with parameters <c>$1</c>, <c>$2</c> …, the spelling both databases read.</summary>
internal sealed unsafe class SqliteStatement : SqlRows, IDisposable
{
    private readonly SqliteSql sql;
    private readonly int[] parameters; // index in SQLite → number after the dollar
    private nint handle;

    public SqliteStatement(SqliteSql sql, string text)
    {
        this.sql = sql;
        var bytes = Encoding.UTF8.GetBytes(text);
        fixed (byte* start = bytes) sql.Check(SqliteNative.Prepare(sql.Handle, start, bytes.Length, SqliteNative.PreparePersistent, out handle, out _));
        parameters = new int[SqliteNative.ParameterCount(handle)];
        for (var i = 0; i < parameters.Length; i++)
        {
            var name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(SqliteNative.ParameterName(handle, i + 1));
            parameters[i] = int.Parse(name[1..], CultureInfo.InvariantCulture) - 1;
        }
    }

    public void Bind(ReadOnlySpan<SqlValue> values)
    {
        for (var i = 0; i < parameters.Length; i++) Bind(i + 1, values[parameters[i]]);
    }

    /// <summary>True when it stands on a row, false when it is through (and reset for its next use).</summary>
    public override bool Step()
    {
        var code = SqliteNative.Step(handle);
        if (code == SqliteNative.Row) return true;
        var failure = code == SqliteNative.Done ? null : sql.Failure(code);
        SqliteNative.Reset(handle);
        return failure is null ? false : throw failure;
    }

    public override SqlRow Row => new(handle);

    public override void Reset() => SqliteNative.Reset(handle);

    public void Dispose()
    {
        if (handle != 0) SqliteNative.Finish(handle);
        handle = 0;
    }

    private void Bind(int index, SqlValue value)
    {
        switch (value.Reference)
        {
            case null: sql.Check(SqliteNative.BindNull(handle, index)); break;
            case string text: BindText(index, text); break;
            case byte[] bytes: fixed (byte* start = bytes) sql.Check(SqliteNative.BindBlob(handle, index, start, bytes.Length, SqliteNative.Transient)); break;
            default: sql.Check(SqliteNative.BindLong(handle, index, value.Number)); break;
        }
    }

    private void BindText(int index, string text)
    {
        var most = Encoding.UTF8.GetMaxByteCount(text.Length);
        var rented = most > 512 ? ArrayPool<byte>.Shared.Rent(most) : null;
        Span<byte> buffer = rented ?? stackalloc byte[512];
        var length = Encoding.UTF8.GetBytes(text, buffer);
        fixed (byte* start = buffer) sql.Check(SqliteNative.BindText(handle, index, start, length, SqliteNative.Transient));
        if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
    }
}
