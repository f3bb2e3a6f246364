using Npgsql;

namespace Turnpike.Storage.Postgres;

/// <summary>Rows for one statement, gathered by column: the arrays its <c>unnest</c> takes apart. What is the same in every row is sent once.</summary>
internal sealed class PostgresRowSet(PostgresStatement statement)
{
    private readonly PostgresColumn[] columns = [.. statement.Kinds.Select(PostgresColumn.Of)];

    public void Add(ReadOnlySpan<SqlValue> values)
    {
        for (var i = 0; i < columns.Length; i++) columns[i].Add(values[i]);
    }

    public NpgsqlBatchCommand Build()
    {
        var (text, same) = statement.ForMany(Same());
        var command = new NpgsqlBatchCommand(text);
        for (var i = 0; i < columns.Length; i++) command.Parameters.Add(columns[i].Parameter(once: PostgresDialect.Has(same, i)));
        return command;
    }

    // The first column says how many rows there are.
    private ulong Same()
    {
        ulong same = 0;
        for (var i = 1; i < columns.Length && i < 64; i++)
            if (columns[i].IsSame)
                same |= 1UL << i;
        return same;
    }
}
