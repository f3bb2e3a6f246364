using Turnpike.Storage;

namespace Turnpike.Identity.Signatures;

/// <summary>The SQL of what was shown to one of several nodes and may not be shown to another.</summary>
internal static class ShownStore
{
    /// <summary>False when another node has been shown it. Durable before it is told.</summary>
    public static ValueTask<bool> AddAsync(Database database, KeyHash number, TimeProvider time, TimeSpan keep, CancellationToken ct) => database.WriteAsync(sql =>
        sql.Change("insert into shown (number, expires) values ($1, $2) on conflict (number) do nothing", number.ToBytes(), sql.Now(time) + 2 * keep) == 1, ct);

    public static ValueTask ForgetAsync(Database database, TimeProvider time, CancellationToken ct) => database.WriteAsync(sql => { sql.Run("delete from shown where expires < $1", sql.Now(time)); }, ct);
}
