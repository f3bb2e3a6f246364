using Npgsql;

namespace Turnpike.Storage.Postgres;

/// <summary>One statement on its way to the server: with its parameters, or with the rows it is for.</summary>
internal sealed class PostgresCommand(PostgresStatement statement, string text, NpgsqlParameter[]? parameters, PostgresRowSet? rows)
{
    public PostgresStatement Statement => statement;

    public PostgresRowSet? Rows => rows;

    /// <summary>How many rows it changed, once it ran.</summary>
    public int Changed { get; set; }

    public bool ReturnsRows => rows is null ? statement.ReturnsRows : statement.IsUpdate;

    public NpgsqlBatchCommand Build()
    {
        if (rows is not null) return rows.Build();
        var command = new NpgsqlBatchCommand(text);
        foreach (var parameter in parameters ?? []) command.Parameters.Add(parameter);
        return command;
    }

    public static NpgsqlParameter[] Parameters(PostgresStatement statement, ReadOnlySpan<SqlValue> values)
    {
        var parameters = new NpgsqlParameter[statement.Types.Count];
        for (var i = 0; i < parameters.Length; i++)
            parameters[i] = (values[i].Reference, statement.Kinds[i]) switch
            {
                (null, var kind) => new NpgsqlParameter { NpgsqlDbType = kind, Value = DBNull.Value },
                (string value, _) => new NpgsqlParameter<string> { NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text, TypedValue = PostgresText.Clean(value) },
                (byte[] bytes, _) => new NpgsqlParameter<byte[]> { NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Bytea, TypedValue = bytes },
                _ => new NpgsqlParameter<long> { NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Bigint, TypedValue = values[i].Number },
            };
        return parameters;
    }

    public static NpgsqlParameter[] Parameters(PostgresStatement statement, ReadOnlySpan<string[]> keys)
    {
        var parameters = new NpgsqlParameter[statement.Types.Count];
        for (var i = 0; i < parameters.Length; i++)
            parameters[i] = new NpgsqlParameter<string[]> { NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Text, TypedValue = [.. keys[i].Select(PostgresText.Clean)] };
        return parameters;
    }
}
