using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Turnpike.Storage.Sqlite;

/// <summary>A prepared statement with parameters <c>$1</c>, <c>$2</c> …, the spelling both databases read.</summary>
internal sealed unsafe class SqliteStatement : SqlRows, IDisposable
{
    private const int Large = 4096;

    private readonly SqliteSql sql;
    private readonly int[] parameters; // index in SQLite → number after the dollar
    private nint handle;
    private byte* texts; // what is bound stays here until it is bound anew: SQLite need not copy it
    private int room;

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
        var most = 0;
        foreach (var value in values) most += MostBytes(value.Reference);
        if (most > room) Widen(most);
        var at = texts;
        for (var i = 0; i < parameters.Length; i++) at = Bind(i + 1, values[parameters[i]], at);
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
        NativeMemory.Free(texts);
        texts = null;
        room = 0;
    }

    /// <summary>What a value may take of <see cref="texts"/>; nothing when it is large: that is copied by SQLite, and gone with it.</summary>
    private static int MostBytes(object? value) => value switch
    {
        string { Length: <= Large } text => Encoding.UTF8.GetMaxByteCount(text.Length),
        byte[] { Length: <= Large } bytes => bytes.Length + 1, // an empty one is no null either
        _ => 0,
    };

    private void Widen(int most)
    {
        NativeMemory.Free(texts);
        texts = (byte*)NativeMemory.Alloc((nuint)most);
        room = most;
    }

    private byte* Bind(int index, SqlValue value, byte* at)
    {
        var length = 0;
        switch (value.Reference)
        {
            case null: sql.Check(SqliteNative.BindNull(handle, index)); break;
            case string { Length: > Large } text: BindLarge(index, Encoding.UTF8.GetBytes(text), isText: true); break;
            case byte[] { Length: > Large } bytes: BindLarge(index, bytes, isText: false); break;
            case string text:
                length = Encoding.UTF8.GetBytes(text, new Span<byte>(at, room - (int)(at - texts)));
                sql.Check(SqliteNative.BindText(handle, index, at, length, SqliteNative.Static));
                break;
            case byte[] bytes:
                length = bytes.Length;
                bytes.CopyTo(new Span<byte>(at, length));
                sql.Check(SqliteNative.BindBlob(handle, index, at, length, SqliteNative.Static));
                break;
            default: sql.Check(SqliteNative.BindLong(handle, index, value.Number)); break;
        }
        return at + length;
    }

    private void BindLarge(int index, byte[] bytes, bool isText)
    {
        fixed (byte* start = bytes) sql.Check(isText ? SqliteNative.BindText(handle, index, start, bytes.Length, SqliteNative.Transient) : SqliteNative.BindBlob(handle, index, start, bytes.Length, SqliteNative.Transient));
    }
}
