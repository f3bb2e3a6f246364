using System.Globalization;
using System.Text;
using Turnpike.Storage.Sqlite;

namespace Turnpike.Storage;

/// <summary>The row a query stands on; columns count from zero. Valid only inside the reader that was given it.</summary>
internal readonly unsafe struct SqlRow
{
    private readonly nint statement; // SQLite: the cells are where it keeps them
    private readonly object?[]? cells; // PostgreSQL: as they came over the wire

    public SqlRow(nint statement) => this.statement = statement;

    public SqlRow(object?[] cells) => this.cells = cells;

    public bool IsNull(int column) => cells is null ? SqliteNative.ColumnType(statement, column) == SqliteNative.TypeNull : cells[column] is null;

    /// <summary>Zero where there is nothing.</summary>
    public long Long(int column) => cells is null ? SqliteNative.ColumnLong(statement, column) : Convert.ToInt64(cells[column], CultureInfo.InvariantCulture);

    public long? LongOrNull(int column) => IsNull(column) ? null : Long(column);

    /// <summary>Empty where there is nothing.</summary>
    public string Text(int column) => cells is null ? Encoding.UTF8.GetString(Span(column)) : (string?)cells[column] ?? "";

    public string? TextOrNull(int column) => IsNull(column) ? null : Text(column);

    public byte[] Bytes(int column) => cells is null ? Span(column).ToArray() : cells[column] as byte[] ?? [];

    /// <summary>The column's bytes, gone at the next step.</summary>
    public ReadOnlySpan<byte> Span(int column)
    {
        if (cells is not null) return cells[column] is string text ? Encoding.UTF8.GetBytes(text) : Bytes(column);
        var start = SqliteNative.ColumnBytes(statement, column); // before the length: c3ref/column_blob.html
        return new ReadOnlySpan<byte>(start, SqliteNative.ColumnLength(statement, column));
    }

    public DateTimeOffset Time(int column) => Microseconds.FromMicroseconds(Long(column));

    public DateTimeOffset? TimeOrNull(int column) => IsNull(column) ? null : Time(column);
}
