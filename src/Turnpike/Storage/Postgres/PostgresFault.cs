using Npgsql;

namespace Turnpike.Storage.Postgres;

/// <summary>What a failure of PostgreSQL, or of the way there, means for the transaction.</summary>
internal static class PostgresFault
{
    /// <summary>Not a bug of ours.</summary>
    public static bool Knows(Exception failure) => failure is NpgsqlException or IOException or System.Net.Sockets.SocketException or TimeoutException;

    /// <summary>A commit that stopped waiting for the synchronous standby (a time-out, an operator) is told as done, with this warning: it is lost when this server is.</summary>
    public static bool IsUnconfirmed(PostgresNotice notice) => notice is { InvariantSeverity: "WARNING", SqlState: "01000" or "57P01" };

    /// <param name="committing">The commit may have been sent.</param>
    public static StorageException Translate(Exception failure, bool committing) => failure switch
    {
        StorageException known => known,
        // An error is the server's word that the transaction is undone; a fatal one only that the connection is: a session told to end
        // while its commit waits for a standby has committed.
        PostgresException { Severity: "ERROR" or "" } refused => Sentence(refused, Kind(refused.SqlState)),
        PostgresException ended => Sentence(ended, committing ? StorageFault.Unknown : Kind(ended.SqlState) is StorageFault.Refused ? StorageFault.Away : Kind(ended.SqlState)),
        _ => new StorageException($"PostgreSQL does not answer: {failure.Message}", 0, failure) { Fault = committing ? StorageFault.Unknown : StorageFault.Away },
    };

    // The message alone: the detail quotes rows. https://www.postgresql.org/docs/15/errcodes-appendix.html
    private static StorageException Sentence(PostgresException e, StorageFault fault) => new($"PostgreSQL: {e.MessageText} (code {e.SqlState}).", 0, e) { Fault = fault };

    private static StorageFault Kind(string state) => state switch
    {
        "40001" or "40P01" or "23505" or "55P03" => StorageFault.Conflict, // serialization, deadlock, the same id at once, a lock held too long
        "25006" => StorageFault.Away, // read only: this server is no longer the primary
        "53100" or "53200" or "53300" or "58030" or "57014" => StorageFault.Away, // disk full, memory, connections, input or output, time out
        _ when state.StartsWith("57P", StringComparison.Ordinal) || state.StartsWith("08", StringComparison.Ordinal) => StorageFault.Away,
        _ => StorageFault.Refused,
    };
}
