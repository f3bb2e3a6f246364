using Npgsql;
using NpgsqlTypes;

namespace Turnpike.Storage.Postgres;

/// <summary>One parameter of a statement for many rows: its values, and whether they differ.</summary>
internal abstract class PostgresColumn
{
    /// <summary>True while every row has the same.</summary>
    public bool IsSame { get; protected set; } = true;

    public static PostgresColumn Of(NpgsqlDbType kind) => kind switch
    {
        NpgsqlDbType.Bigint => new Column<long?>(kind, static value => value.Reference is null ? null : value.Number),
        NpgsqlDbType.Bytea => new Column<byte[]?>(kind, static value => (byte[]?)value.Reference),
        _ => new Column<string?>(kind, static value => value.Reference is string text ? PostgresText.Clean(text) : null),
    };

    public abstract void Add(SqlValue value);

    /// <summary>The array of all values, or the one they all are.</summary>
    public abstract NpgsqlParameter Parameter(bool once);

    private sealed class Column<T>(NpgsqlDbType kind, Func<SqlValue, T> read) : PostgresColumn
    {
        private readonly List<T> values = [];

        public override void Add(SqlValue value)
        {
            var one = read(value);
            IsSame = IsSame && (values.Count == 0 || EqualityComparer<T>.Default.Equals(values[0], one));
            values.Add(one);
        }

        public override NpgsqlParameter Parameter(bool once) => once
            ? new NpgsqlParameter { NpgsqlDbType = kind, Value = (object?)values[0] ?? DBNull.Value }
            : new NpgsqlParameter<T[]> { NpgsqlDbType = NpgsqlDbType.Array | kind, TypedValue = [.. values] };
    }
}
