using Npgsql;
using NpgsqlTypes;

namespace Turnpike.Storage.Postgres;

/// <summary>Rows for one statement, gathered by column: the arrays its <c>unnest</c> takes apart.</summary>
internal sealed class PostgresRowSet(PostgresStatement statement)
{
    private readonly object[] columns = [.. statement.Kinds.Select(kind => kind switch
    {
        NpgsqlDbType.Bigint => (object)new List<long?>(),
        NpgsqlDbType.Bytea => new List<byte[]?>(),
        _ => new List<string?>(),
    })];

    public int Count { get; private set; }

    public void Add(ReadOnlySpan<SqlValue> values)
    {
        for (var i = 0; i < columns.Length; i++)
        {
            switch (columns[i])
            {
                case List<long?> numbers: numbers.Add(values[i].Reference is null ? null : values[i].Number); break;
                case List<byte[]?> bytes: bytes.Add((byte[]?)values[i].Reference); break;
                case List<string?> texts: texts.Add(values[i].Reference is string text ? PostgresText.Clean(text) : null); break;
            }
        }
        Count++;
    }

    public IEnumerable<NpgsqlParameter> Parameters()
    {
        foreach (var column in columns)
            yield return column switch
            {
                List<long?> numbers => new NpgsqlParameter<long?[]> { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint, TypedValue = [.. numbers] },
                List<byte[]?> bytes => new NpgsqlParameter<byte[]?[]> { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea, TypedValue = [.. bytes] },
                var texts => new NpgsqlParameter<string?[]> { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text, TypedValue = [.. (List<string?>)texts] },
            };
    }
}
