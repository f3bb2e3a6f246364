using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Npgsql;

namespace Turnpike.Storage.Postgres;

/// <summary>The database on a server that several nodes share: one connection writes, a few read, each opened when it is first needed.</summary>
internal sealed class PostgresSource : ISqlSource
{
    private const int MostReaders = 4;

    private readonly ConcurrentDictionary<string, PostgresStatement> statements = new(ByReference.Instance);
    private readonly ConcurrentStack<Sql> readers = new();
    private readonly NpgsqlDataSource data;
    private readonly PostgresSpeaker speaker;
    private PostgresSql? presence;

    private PostgresSource(StorageOptions options, TimeProvider clock)
    {
        data = PostgresLocation.Open(options.Location);
        Clock = new PostgresClock(clock);
        speaker = new PostgresSpeaker(data);
    }

    public PostgresClock Clock { get; }

    public Sql? Writer { get; private set; }

    public string Name { get; } = RandomNumberGenerator.GetHexString(12, lowercase: true);

    public int ReaderThreads => MostReaders;

    /// <summary>Brings the schema up to date when writing; nodes that start at once take turns.</summary>
    public static PostgresSource Open(StorageOptions options, TimeProvider clock, IReadOnlyList<Migration> migrations)
    {
        var server = new PostgresSource(options, clock);
        try
        {
            var reading = options.Access is StorageAccess.Read or StorageAccess.CopyFrom;
            if (options.Access is StorageAccess.CopyFrom or StorageAccess.CopyTo) server.KeepOthersOut();
            using var sql = new PostgresSql(server, reading);
            if (reading) Migrations.Require(sql, migrations);
            else server.BeginWriting(sql, migrations);
            return server;
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    /// <summary>A new connection to a server that takes writes.</summary>
    public NpgsqlConnection Connect(bool reading)
    {
        var connection = data.OpenConnection();
        try
        {
            using var command = new NpgsqlCommand(reading ? PostgresLocation.ReadingSession : PostgresLocation.WritingSession, connection);
            command.ExecuteNonQuery();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public PostgresStatement? Known(string sql) => statements.GetValueOrDefault(sql);

    /// <summary>Takes a statement in, with the types of its parameters as far as its first values tell them.</summary>
    public PostgresStatement Learn(string sql, IReadOnlyList<string> types, PostgresSql asking) =>
        statements[sql] = new PostgresStatement(sql, types.Contains("unknown") ? Types(sql, types, asking) : types);

    public IDisposable Listen(string channel, Action<string> heard) => new PostgresListener(data, channel, heard);

    public ValueTask SayAsync(string channel, string text, CancellationToken ct) => speaker.SayAsync(channel, text, ct);

    public Sql Take(bool fresh = false) => !fresh && readers.TryPop(out var reader) ? reader : new PostgresSql(this, reading: true);

    public void Return(Sql reader)
    {
        if (readers.Count >= MostReaders) reader.Dispose();
        else readers.Push(reader);
    }

    public void Dispose()
    {
        while (readers.TryPop(out var reader)) reader.Dispose();
        try
        {
            if (Writer is PostgresSql { IsConnected: true, Mark: { } mark } writer) mark.End(writer);
        }
        catch (StorageException)
        {
            // a row is left behind that says nothing to anybody
        }
        Writer?.Dispose();
        presence?.Dispose();
        speaker.Dispose();
        data.Dispose();
    }

    private void BeginWriting(PostgresSql sql, IReadOnlyList<Migration> migrations)
    {
        PostgresLocation.RequireDurable(sql);
        PostgresLocation.Alone(sql, () => Migrations.Apply(sql, migrations, Clock.Now(sql)));
        if (presence is null)
        {
            presence = new PostgresSql(this, reading: false);
            presence.Direct(PostgresLocation.Present);
        }
        Writer = new PostgresSql(this, reading: false) { Mark = new PostgresMark(Name) };
    }

    private void KeepOthersOut()
    {
        presence = new PostgresSql(this, reading: false);
        if (presence.First(PostgresLocation.NobodyElse, row => row.Long(0)) == 0) throw new StorageInUseException("The database is in use by a gateway or a command: stop them first.");
        presence.Direct(PostgresLocation.Patient);
    }

    // A null says nothing of its type; the server knows from where it stands.
    private static IReadOnlyList<string> Types(string sql, IReadOnlyList<string> types, PostgresSql asking)
    {
        using var command = new NpgsqlCommand($"prepare asked ({string.Join(", ", types)}) as {sql}; select parameter_types::text[] from pg_prepared_statements where name = 'asked'; deallocate asked", asking.Connect());
        try
        {
            return [.. ((string[])command.ExecuteScalar()!).Select(type => type is "integer" or "smallint" or "numeric" ? "bigint" : type)];
        }
        catch (Exception e) when (PostgresFault.Knows(e))
        {
            throw PostgresFault.Translate(e, committing: false);
        }
    }

    /// <summary>Statements are literals, so the same statement is the same object.</summary>
    private sealed class ByReference : IEqualityComparer<string>
    {
        public static readonly ByReference Instance = new();

        public bool Equals(string? x, string? y) => ReferenceEquals(x, y);

        public int GetHashCode(string obj) => RuntimeHelpers.GetHashCode(obj);
    }
}
