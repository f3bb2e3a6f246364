using System.Text.Json;
using System.Text.Json.Serialization;
using Turnpike.Catalog;
using Turnpike.Storage;

namespace Turnpike.Payments;

/// <summary>
/// Answers that were paid for, kept a while for whoever lost them on the way. Only under single-use credentials and
/// Idempotency-Keys, bounded in size and time.
/// </summary>
internal sealed class AnswerStore(Database database, TimeProvider time)
{
    public ValueTask KeepAsync(string hold, StoredAnswer answer, TimeSpan keep, CancellationToken ct) => database.WriteAsync(WriterOf(hold, answer, keep), ct);

    /// <summary>The same for a transaction to come: what has passed before it is paid for is kept with its money, or a hold that was lost would leave it to the next one under its id.</summary>
    public Action<Sql> WriterOf(string hold, StoredAnswer answer, TimeSpan keep)
    {
        var (now, headers, body) = (time.GetUtcNow(), JsonSerializer.Serialize(answer.Headers.Select(h => new[] { h.Key, h.Value }).ToArray(), AnswerJson.Default.StringArrayArray), answer.Body.ToArray());
        return sql =>
        {
            sql.Run("delete from answers where expires < $1", now);
            sql.Run("insert into answers (hold, expires, status, headers, body) values ($1, $2, $3, $4, $5) on conflict (hold) do nothing", hold, now + keep, answer.Status, headers, body);
        };
    }

    public ValueTask<StoredAnswer?> FindAsync(string hold, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        return database.ReadAsync(sql => sql.First("select status, headers, body from answers where hold = $1 and expires >= $2", row => new StoredAnswer(
            (int)row.Long(0),
            [.. JsonSerializer.Deserialize(row.Text(1), AnswerJson.Default.StringArrayArray)!.Select(h => KeyValuePair.Create(h[0], h[1]))],
            row.Bytes(2)), hold, now), ct);
    }
}

/// <summary>Header lines as pairs.</summary>
[JsonSerializable(typeof(string[][]))]
internal sealed partial class AnswerJson : JsonSerializerContext;
