using Npgsql;

namespace Turnpike.Storage.Postgres;

/// <summary>An answer, read whole: its connection is free again.</summary>
internal sealed class PostgresRows(List<object?[]> rows) : SqlRows
{
    private int at = -1;

    public static PostgresRows None => new([]);

    public int Count => rows.Count;

    public override SqlRow Row => new(rows[at]);

    public static PostgresRows Read(NpgsqlDataReader reader)
    {
        List<object?[]> rows = [];
        while (reader.Read())
        {
            var row = new object?[reader.FieldCount];
            for (var i = 0; i < row.Length; i++) row[i] = reader.IsDBNull(i) ? null : reader.GetValue(i);
            rows.Add(row);
        }
        return new PostgresRows(rows);
    }

    public override bool Step() => ++at < rows.Count;

    public override void Reset() => at = rows.Count;
}

/// <summary>A long answer, fetched a thousand rows at a time by a cursor, so that several may be read side by side.</summary>
internal sealed class PostgresScroll : SqlRows
{
    private const int AtATime = 1_000;

    private readonly PostgresSql sql;
    private readonly PostgresStatement fetch;
    private readonly string name;
    private PostgresRows rows = PostgresRows.None;
    private bool last;

    public PostgresScroll(PostgresSql sql, PostgresStatement statement, SqlValue[] values, string name)
    {
        this.sql = sql;
        this.name = name;
        fetch = new PostgresStatement($"fetch {AtATime} from {name}", []);
        var declare = new PostgresStatement($"declare {name} no scroll cursor for {statement.Text}", statement.Types);
        sql.Fetch(new PostgresCommand(declare, declare.Text, PostgresCommand.Parameters(statement, values), null));
    }

    public override SqlRow Row => rows.Row;

    public override bool Step()
    {
        if (rows.Step()) return true;
        if (last) return false;
        rows = sql.Fetch(new PostgresCommand(fetch, fetch.Text, [], null));
        last = rows.Count < AtATime;
        return rows.Step();
    }

    public override void Reset() => sql.Direct($"close {name}");
}
