using Npgsql;

namespace Turnpike.Storage.Postgres;

/// <summary>Says things to other nodes (NOTIFY) on a connection of its own, beside the writer: nothing is written and no money waits.</summary>
internal sealed class PostgresSpeaker(NpgsqlDataSource data) : IDisposable
{
    private NpgsqlConnection? connection;

    public async ValueTask SayAsync(string channel, string text, CancellationToken ct)
    {
        try
        {
            connection ??= await data.OpenConnectionAsync(ct);
            await using var command = new NpgsqlCommand("select pg_notify($1, $2)", connection) { CommandTimeout = 2 };
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = channel });
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = text });
            await command.ExecuteNonQueryAsync(ct);
        }
        catch (Exception e) when (PostgresFault.Knows(e) || e is InvalidOperationException)
        {
            Dispose();
            throw PostgresFault.Translate(e, committing: false);
        }
    }

    public void Dispose()
    {
        connection?.Dispose();
        connection = null;
    }
}
