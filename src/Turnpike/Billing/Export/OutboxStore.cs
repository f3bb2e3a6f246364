using Turnpike.Metering;
using Turnpike.Storage;
using Turnpike.Storage.Nodes;

namespace Turnpike.Billing.Export;

/// <summary>The queue of each destination. Rows come into it with the record they tell of (<see cref="UsageStore.Insert"/>), and leave it when the receiver has them.</summary>
internal sealed class OutboxStore(Database database, NodeLease node, TimeProvider time)
{
    /// <summary>Longer than any request takes: who sends renews it when half of it is over.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromMinutes(2);

    /// <summary>True while this process is the one that sends to the destination: two at once would break the order.</summary>
    public ValueTask<bool> ClaimAsync(string destination, CancellationToken ct) => database.WriteAsync(sql =>
    {
        var now = sql.Now(time);
        return sql.Change("""
            insert into usage_exports (destination, holder, until, file, length) values ($1, $2, $3, null, 0)
            on conflict (destination) do update set holder = $2, until = $3 where usage_exports.holder = $2 or usage_exports.until < $4
            """, destination, node.Incarnation, now + Lease, node.IsAlone ? DateTimeOffset.MaxValue : now) == 1;
    }, ct);

    /// <summary>A clean end: another node may go on at once.</summary>
    public ValueTask LeaveAsync(CancellationToken ct) => database.WriteAsync(sql => sql.Run("update usage_exports set until = 0 where holder = $1", node.Incarnation), ct);

    /// <summary>The next events, oldest first. Subjects of which one waits to be tried again are left out: nobody's events overtake each other.</summary>
    public async ValueTask<IReadOnlyList<OutboxRow>> NextAsync(string destination, int most, CancellationToken ct) => await database.ReadAsync(sql => sql.Query("""
        select r.source, r.id, r.happened, r.operation, r.caller, r.payer, r.model, r.origin, r.charged, r.observed, r.cost, r.currency, r.receipt, r.expense, r.expense_currency, r.asked, r.reported, r.labels, o.subject, o.queued, o.tries, o.first
        from usage_outbox o join usage_records r on r.source = o.source and r.id = o.id
        where o.destination = $1 and o.due <= $2
            and not exists (select 1 from usage_outbox late where late.destination = o.destination and late.subject = o.subject and late.tries > 0 and late.due > $2)
        order by o.queued, r.happened, o.source, o.id limit $3
        """, row => new OutboxRow(UsageStore.Read(row), row.Text(18), row.Time(19), row.Long(20), row.TimeOrNull(21)), destination, sql.Now(time), most), ct);

    /// <summary>The receiver has them, or is not to be told of them.</summary>
    public ValueTask DoneAsync(string destination, IReadOnlyList<OutboxRow> rows, FilePlace? place, CancellationToken ct) => database.WriteAsync(sql =>
    {
        foreach (var row in rows) Remove(sql, destination, row);
        if (place is not null) sql.Run("update usage_exports set file = $2, length = $3 where destination = $1", destination, place.File, place.Length);
    }, ct);

    /// <summary>They are tried again after a while.</summary>
    public ValueTask LaterAsync(string destination, IReadOnlyList<OutboxRow> rows, TimeSpan after, string error, CancellationToken ct) => database.WriteAsync(sql =>
    {
        var now = sql.Now(time);
        foreach (var row in rows)
            sql.Run("update usage_outbox set tries = tries + 1, first = coalesce(first, $5), due = $6, error = $7 where destination = $1 and queued = $2 and source = $3 and id = $4",
                destination, row.Queued, row.Record.Source, row.Record.Id, now, now + after, error);
    }, ct);

    /// <summary>They are not tried any more.</summary>
    public ValueTask BuryAsync(string destination, IReadOnlyList<OutboxRow> rows, string error, CancellationToken ct) => database.WriteAsync(sql =>
    {
        var now = sql.Now(time);
        foreach (var row in rows)
        {
            Remove(sql, destination, row);
            sql.Run("""
                insert into usage_dead_letters (destination, source, id, subject, tries, error, died) values ($1, $2, $3, $4, $5, $6, $7)
                on conflict (destination, source, id) do nothing
                """, destination, row.Record.Source, row.Record.Id, row.Record.Subject, row.Tries + 1, error, now);
        }
    }, ct);

    public async ValueTask<IReadOnlyList<DeadLetter>> DeadAsync(string destination, int most, CancellationToken ct) => await database.ReadAsync(sql => sql.Query(
        "select source, id, subject, tries, error, died from usage_dead_letters where destination = $1 order by died, source, id limit $2",
        row => new DeadLetter(row.Text(0), row.Text(1), row.Text(2), row.Long(3), row.Text(4), row.Time(5)), destination, most), ct);

    /// <summary>Puts dead letters back into the queue; how many.</summary>
    public ValueTask<int> ReviveAsync(string destination, CancellationToken ct) => database.WriteAsync(sql =>
    {
        var revived = sql.Change("""
            insert into usage_outbox (destination, queued, source, id, subject, tries, first, due, error)
            select destination, $2, source, id, subject, 0, null, 0, null from usage_dead_letters where destination = $1
            on conflict (destination, queued, source, id) do nothing
            """, destination, sql.Now(time));
        sql.Run("delete from usage_dead_letters where destination = $1", destination);
        return revived;
    }, ct);

    /// <summary>Queues everything of a time once more: for a receiver that lost it, or is new. It tells copies apart by their ids.</summary>
    public ValueTask<int> ReplayAsync(string destination, DateTimeOffset from, DateTimeOffset to, CancellationToken ct) => database.WriteAsync(sql => sql.Change("""
        insert into usage_outbox (destination, queued, source, id, subject, tries, first, due, error)
        select $1, $4, source, id, coalesce(caller, payer, 'anonymous'), 0, null, 0, null from usage_records where happened >= $2 and happened < $3
        on conflict (destination, queued, source, id) do nothing
        """, destination, from, to, sql.Now(time)), ct);

    public ValueTask<QueueState> StateAsync(string destination, CancellationToken ct) => database.ReadAsync(sql => new QueueState(
        sql.First("select count(*) from usage_outbox where destination = $1", row => row.Long(0), destination),
        sql.First("select min(queued) from usage_outbox where destination = $1", row => row.TimeOrNull(0), destination),
        sql.First("select count(*) from usage_dead_letters where destination = $1", row => row.Long(0), destination),
        sql.First("select error from usage_outbox where destination = $1 and tries > 0 order by due desc limit 1", row => row.TextOrNull(0), destination)), ct);

    public ValueTask<FilePlace?> PlaceAsync(string destination, CancellationToken ct) => database.ReadAsync(sql =>
        sql.First("select file, length from usage_exports where destination = $1 and file is not null", row => new FilePlace(row.Text(0), row.Long(1)), destination), ct);

    public ValueTask SetPlaceAsync(string destination, FilePlace place, CancellationToken ct) =>
        database.WriteAsync(sql => sql.Run("update usage_exports set file = $2, length = $3 where destination = $1", destination, place.File, place.Length), ct);

    private static void Remove(Sql sql, string destination, OutboxRow row) =>
        sql.Run("delete from usage_outbox where destination = $1 and queued = $2 and source = $3 and id = $4", destination, row.Queued, row.Record.Source, row.Record.Id);
}

/// <summary>An event that was given up.</summary>
internal sealed record DeadLetter(string Source, string Id, string Subject, long Tries, string Error, DateTimeOffset Died);

/// <summary>How a destination's queue stands.</summary>
internal sealed record QueueState(long Waiting, DateTimeOffset? Oldest, long Dead, string? Error);
