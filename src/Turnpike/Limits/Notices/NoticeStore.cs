using Turnpike.Audit;
using Turnpike.Storage;

namespace Turnpike.Limits.Notices;

/// <summary>Notices until they are delivered: over restarts, and sent by one node at a time.</summary>
internal sealed class NoticeStore(Database database, TimeProvider time)
{
    /// <summary>Longer than one attempt takes; then another node may try.</summary>
    private static readonly TimeSpan Attempt = TimeSpan.FromMinutes(1);

    public ValueTask AddAsync(string id, AuditEvent happened, string body, CancellationToken ct) => database.WriteAsync(sql =>
    {
        var now = sql.Now(time);
        sql.Run("insert into notices (id, queued, caller, payer, address, body, tries, due) values ($1, $2, $3, $4, $5, $6, 0, $2)", id, now, happened.Caller, happened.Payer, happened.Address, body);
    }, ct);

    /// <summary>Those whose time has come, oldest first.</summary>
    public async ValueTask<IReadOnlyList<Notice>> DueAsync(int most, CancellationToken ct) => await database.ReadAsync(sql => sql.Query(
        "select id, queued, body, tries, due from notices where due <= $1 order by due, id limit $2",
        row => new Notice(row.Text(0), row.Time(1), row.Text(2), (int)row.Long(3), row.Time(4)), sql.Now(time), most), ct);

    /// <summary>True when it is this node's to send now.</summary>
    public ValueTask<bool> ClaimAsync(Notice notice, CancellationToken ct) => database.WriteAsync(sql =>
        sql.Change("update notices set due = $3, tries = tries + 1 where id = $1 and due = $2", notice.Id, notice.Due, sql.Now(time) + Attempt) == 1, ct);

    public ValueTask LaterAsync(Notice notice, TimeSpan after, CancellationToken ct) => database.WriteAsync(sql => sql.Run("update notices set due = $2 where id = $1", notice.Id, sql.Now(time) + after), ct);

    public ValueTask DoneAsync(Notice notice, CancellationToken ct) => database.WriteAsync(sql => sql.Run("delete from notices where id = $1", notice.Id), ct);
}

/// <summary>One notice on its way.</summary>
/// <param name="Id">The same at every attempt, so that a receiver can tell a repetition.</param>
internal sealed record Notice(string Id, DateTimeOffset Queued, string Body, int Tries, DateTimeOffset Due);
