using Npgsql;

namespace Turnpike.Storage.Postgres;

/// <summary>
/// A connection to PostgreSQL, opened when it is first needed and again after it broke. What is run for its effect waits and goes
/// out in one round trip with what follows it, at the latest with the commit.
/// </summary>
internal sealed class PostgresSql(PostgresSource server, bool reading) : Sql
{
    private readonly List<PostgresCommand> waiting = [];
    private NpgsqlConnection? connection;
    private int scrolls;
    private bool cut; // the connection broke inside a transaction: nothing more belongs to it
    private volatile bool unconfirmed; // the last commit is on this server alone

    public override bool IsShared => true;

    /// <summary>The writer's mark: what it wrote last, in the same transaction as that.</summary>
    public PostgresMark? Mark { get; init; }

    public bool IsConnected => connection is not null;

    public override DateTimeOffset Now(TimeProvider clock) => server.Clock.Now(this);

    public override void Run(string sql, params ReadOnlySpan<SqlValue> values)
    {
        var statement = Understand(sql, values);
        waiting.Add(new PostgresCommand(statement, statement.Text, PostgresCommand.Parameters(statement, values), null));
    }

    public override void RunRow(string sql, params ReadOnlySpan<SqlValue> values)
    {
        var statement = Understand(sql, values);
        // Rows do not touch each other, whichever statement they are for: all since the last other command may be put together.
        for (var i = waiting.Count - 1; i >= 0 && waiting[i].Rows is { } rows; i--)
        {
            if (waiting[i].Statement != statement) continue;
            rows.Add(values);
            return;
        }
        var first = new PostgresRowSet(statement);
        first.Add(values);
        waiting.Add(new PostgresCommand(statement, statement.Text, null, first));
    }

    public override int Change(string sql, params ReadOnlySpan<SqlValue> values)
    {
        Connect(); // a new connection has its mark to set, which must not come in between
        Run(sql, values);
        var last = waiting[^1];
        Flush(committing: false);
        return last.Changed;
    }

    public override void Script(string sql)
    {
        Flush(committing: false);
        Direct(PostgresDialect.Schema(sql));
    }

    public override void Share(SqlShare what, bool alone)
    {
        if (alone) Run("select pg_advisory_xact_lock(402, cast($1 as integer))", (long)what);
        else Run("select pg_advisory_xact_lock_shared(402, cast($1 as integer))", (long)what);
    }

    public override void Notify() => Run("select pg_notify('turnpike', '')");

    public override void Begin()
    {
        cut = false;
        Connect();
        Run("begin");
    }

    public override void BeginRead()
    {
        cut = false;
        Connect();
        Run("begin isolation level repeatable read read only");
    }

    public override void Commit()
    {
        Mark?.Set(this);
        EndAsking();
    }

    /// <summary>The commit alone, without a mark of its own.</summary>
    public void EndAsking()
    {
        unconfirmed = false;
        Run("commit");
        Flush(committing: !reading);
        if (unconfirmed) throw Failed(new StorageException("PostgreSQL did not hear from its standby.") { Fault = StorageFault.Unknown }, committing: true);
    }

    public override void Rollback()
    {
        waiting.Clear();
        cut = false;
        if (connection is null) return;
        try
        {
            Direct("rollback");
        }
        catch (Exception) // whatever a broken connection throws: nobody above could do anything about it, and the writer's thread must not end by it
        {
            Disconnect(); // and that undoes it
        }
    }

    public override bool WasCommitted()
    {
        Disconnect();
        cut = false;
        Connect();
        try
        {
            return Mark!.IsSet(this);
        }
        finally
        {
            Rollback();
        }
    }

    /// <summary>Runs text as it is, at once.</summary>
    public void Direct(string text)
    {
        try
        {
            using var command = new NpgsqlCommand(text, Connect());
            command.ExecuteNonQuery();
        }
        catch (Exception e) when (e is not StorageException && (PostgresFault.Knows(e) || connection is not { State: System.Data.ConnectionState.Open }))
        {
            throw Failed(e, committing: false);
        }
    }

    public override void Send() => Flush(committing: false);

    public override IReadOnlyList<SqlTable> Tables() => SqlTable.Read(this, """
        select cast(c.table_name as text), cast(c.column_name as text), cast(c.data_type as text), cast(coalesce(k.ordinal_position, 0) as bigint)
        from information_schema.columns as c
        join information_schema.tables as t on t.table_schema = c.table_schema and t.table_name = c.table_name and t.table_type = 'BASE TABLE'
        left join information_schema.table_constraints as p on p.table_schema = c.table_schema and p.table_name = c.table_name and p.constraint_type = 'PRIMARY KEY'
        left join information_schema.key_column_usage as k on k.constraint_schema = p.constraint_schema and k.constraint_name = p.constraint_name and k.table_name = c.table_name and k.column_name = c.column_name
        where c.table_schema = current_schema()
        order by c.table_name, c.ordinal_position
        """);

    public override long LastNumber() => First("select last_value + 8192 from numbers", row => row.Long(0));

    public override void NumberAfter(long last)
    {
        First("select setval('numbers', greatest($1, (select last_value from numbers)))", row => row.Long(0), last);
        foreach (var (table, column) in Query("select cast(table_name as text), cast(column_name as text) from information_schema.columns where table_schema = current_schema() and is_identity = 'YES'", row => (row.Text(0), row.Text(1))))
            First(PostgresDialect.CountOn(table, column), row => row.Long(0));
    }

    public override void Dispose() => Disconnect();

    /// <summary>Opens the connection where there is none.</summary>
    public NpgsqlConnection Connect()
    {
        if (connection is not null) return connection;
        if (cut) throw new StorageException("The connection to PostgreSQL broke in the middle of a transaction.") { Fault = StorageFault.Away };
        try
        {
            connection = server.Connect(reading);
            connection.Notice += (_, said) => unconfirmed |= PostgresFault.IsUnconfirmed(said.Notice);
            Mark?.Begin(this);
            return connection;
        }
        catch (Exception e) when (PostgresFault.Knows(e))
        {
            throw Failed(e, committing: false);
        }
    }

    protected override SqlRows Rows(string sql, ReadOnlySpan<SqlValue> values)
    {
        Connect();
        var statement = Understand(sql, values);
        waiting.Add(new PostgresCommand(statement, statement.Text, PostgresCommand.Parameters(statement, values), null));
        return Flush(committing: false);
    }

    protected override SqlRows Locked(string sql, ReadOnlySpan<string[]> keys)
    {
        Connect();
        var statement = server.Known(sql) ?? server.Learn(sql, [.. Enumerable.Repeat("text", keys.Length)], this);
        waiting.Add(new PostgresCommand(statement, statement.Locking, PostgresCommand.Parameters(statement, keys), null));
        return Flush(committing: false);
    }

    protected override SqlRows Scroll(string sql, SqlValue[] values)
    {
        var statement = Understand(sql, values);
        return new PostgresScroll(this, statement, values, $"scroll_{++scrolls}");
    }

    internal PostgresRows Fetch(PostgresCommand command)
    {
        waiting.Add(command);
        return Flush(committing: false);
    }

    /// <summary>Sends what waits; the rows of the last of it.</summary>
    private PostgresRows Flush(bool committing)
    {
        if (waiting.Count == 0) return PostgresRows.None;
        try
        {
            using var batch = new NpgsqlBatch(Connect());
            foreach (var command in waiting) batch.BatchCommands.Add(command.Build());
            using var reader = batch.ExecuteReader();
            var answers = waiting.Count(command => command.ReturnsRows);
            for (var skipped = 1; skipped < answers; skipped++) reader.NextResult();
            var rows = waiting[^1].ReturnsRows ? PostgresRows.Read(reader) : PostgresRows.None;
            while (reader.NextResult())
            {
            }
            waiting[^1].Changed = batch.BatchCommands[^1].RecordsAffected;
            return rows;
        }
        catch (Exception e) when (e is not StorageException && (committing || PostgresFault.Knows(e) || connection is not { State: System.Data.ConnectionState.Open }))
        {
            throw Failed(e, committing);
        }
        finally
        {
            waiting.Clear();
        }
    }

    private StorageException Failed(Exception failure, bool committing)
    {
        var translated = PostgresFault.Translate(failure, committing);
        if (translated.Fault is not (StorageFault.Away or StorageFault.Unknown)) return translated;
        Disconnect();
        cut = true;
        return translated;
    }

    private void Disconnect()
    {
        waiting.Clear();
        var gone = connection;
        connection = null;
        gone?.Dispose();
    }

    private PostgresStatement Understand(string sql, ReadOnlySpan<SqlValue> values)
    {
        if (server.Known(sql) is { } known) return known;
        var types = new string[values.Length];
        for (var i = 0; i < types.Length; i++) types[i] = values[i].Reference switch { null => "unknown", string => "text", byte[] => "bytea", _ => "bigint" };
        return server.Learn(sql, types, this);
    }
}
