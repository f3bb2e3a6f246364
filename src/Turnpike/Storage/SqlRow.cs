using System.Text;

namespace Turnpike.Storage;

/// <summary>The row a query stands on; columns count from zero. Valid only inside the reader that was given it.</summary>
internal readonly unsafe struct SqlRow(nint statement)
{
    public bool IsNull(int column) => SqliteNative.ColumnType(statement, column) == SqliteNative.TypeNull;

    public long Long(int column) => SqliteNative.ColumnLong(statement, column);

    public long? LongOrNull(int column) => IsNull(column) ? null : Long(column);

    public string Text(int column) => Encoding.UTF8.GetString(Span(column));

    public string? TextOrNull(int column) => IsNull(column) ? null : Text(column);

    public byte[] Bytes(int column) => Span(column).ToArray();

    /// <summary>The column's bytes where SQLite keeps them, gone at the next step.</summary>
    public ReadOnlySpan<byte> Span(int column)
    {
        var start = SqliteNative.ColumnBytes(statement, column); // before the length: c3ref/column_blob.html
        return new ReadOnlySpan<byte>(start, SqliteNative.ColumnLength(statement, column));
    }

    public DateTimeOffset Time(int column) => Microseconds.FromMicroseconds(Long(column));

    public DateTimeOffset? TimeOrNull(int column) => IsNull(column) ? null : Time(column);
}
