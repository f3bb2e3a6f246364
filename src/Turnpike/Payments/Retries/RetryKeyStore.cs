using Turnpike.Storage;

namespace Turnpike.Payments.Retries;

/// <summary>What a key names: the hold, and the digest of the request it was first used for.</summary>
internal sealed record RetryKey(string Hold, string Request, DateTimeOffset Created);

/// <summary>The keys, each with the one hold it names.</summary>
internal sealed class RetryKeyStore(Database database, TimeProvider time)
{
    /// <summary>After that a key is a new one.</summary>
    public static readonly TimeSpan Keep = TimeSpan.FromDays(30);

    /// <summary>Gives the key to this hold, unless it has one. Two copies with different proofs come through here one after the other.</summary>
    public ValueTask<RetryKey> ClaimAsync(string key, string hold, string request, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        return database.WriteAsync(sql =>
        {
            sql.Run("delete from retry_keys where created < $1", now - Keep);
            sql.Run("insert into retry_keys (key, hold, request, created) values ($1, $2, $3, $4) on conflict (key) do nothing", key, hold, request, now);
            return sql.First("select hold, request, created from retry_keys where key = $1", row => new RetryKey(row.Text(0), row.Text(1), row.Time(2)), key)!;
        }, ct);
    }

    /// <summary>Gives it to another hold, when nobody else has done so meanwhile.</summary>
    public async ValueTask<bool> TakeOverAsync(string key, RetryKey from, string hold, string request, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        return await database.WriteAsync(sql => sql.Change("update retry_keys set hold = $3, request = $4, created = $5 where key = $1 and hold = $2", key, from.Hold, hold, request, now), ct) == 1;
    }
}
