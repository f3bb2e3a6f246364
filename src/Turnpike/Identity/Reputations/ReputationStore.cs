using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Storage;

namespace Turnpike.Identity.Reputations;

/// <summary>Counts what callers did from the trail, a stretch of it at a time: nothing is counted twice, whoever counts, and nothing is written while somebody waits.</summary>
internal sealed class ReputationStore(Database database)
{
    private const int Stretch = 2_000;
    private const long Day = 86_400_000_000;

    /// <summary>Counts the next stretch of every node's trail. True when there may be more.</summary>
    public async ValueTask<bool> CountAsync(CancellationToken ct)
    {
        var more = false;
        foreach (var (place, end) in await database.ReadAsync(Places, ct))
        {
            var events = await database.ReadAsync(sql => Next(sql, place, end), ct);
            var whole = events.Count < Stretch;
            await database.WriteAsync(sql => Add(sql, place, whole ? end : new Place(place.Node, events[^1].Created, events[^1].Sequence), events), ct);
            more |= !whole;
        }
        return more;
    }

    public async ValueTask<Reputation> OfAsync(string caller, DateTimeOffset now, CancellationToken ct) => await database.ReadAsync(sql => sql.First("""
        select cast(coalesce(sum(paid), 0) as bigint), cast(coalesce(sum(disputed), 0) as bigint), cast(coalesce(sum(denied), 0) as bigint), cast(coalesce(sum(tripped), 0) as bigint) from reputations where caller = $1 and day > $2
        """, row => new Reputation(row.Long(0), row.Long(1), row.Long(2), row.Long(3)), caller, now.ToMicroseconds() / Day - Reputation.Days), ct) ?? Reputation.None;

    private static List<(Place From, Place End)> Places(Sql sql) =>
        sql.Query("""
            select h.node, coalesce(p.created, 0), coalesce(p.sequence, 0), h.created, h.sequence from audit_head h left join reputation_places p on p.node = h.node where h.sequence > coalesce(p.sequence, 0)
            """, row => (new Place(row.Text(0), row.Long(1), row.Long(2)), new Place(row.Text(0), row.Long(3), row.Long(4))));

    /// <summary>By an index of just these: most of a trail is nobody's, or says nothing of whom it is about.</summary>
    private static List<Event> Next(Sql sql, Place from, Place end) => sql.Query("""
        select created, sequence, kind, reason, caller, payer, method, times from audit
        where node = $1 and sequence > $2 and sequence <= $3
          and (caller is not null and kind in ('payment.settled', 'call.refused', 'breaker.tripped') or kind = 'purchase.reversed')
        order by sequence limit $4
        """, row => new Event(row.Long(0), row.Long(1), row.Text(2), row.TextOrNull(3), row.TextOrNull(4), row.TextOrNull(5), row.TextOrNull(6), row.IsNull(7) ? 1 : row.Long(7)), from.Node, from.Sequence, end.Sequence, Stretch);

    /// <summary>Whoever moves the place counts; another node that read the same stretch moves nothing.</summary>
    private static void Add(Sql sql, Place from, Place to, List<Event> events)
    {
        var mine = from.Sequence == 0
            ? sql.Change("insert into reputation_places (node, created, sequence) values ($1, $2, $3) on conflict (node) do nothing", from.Node, to.Created, to.Sequence)
            : sql.Change("update reputation_places set created = $2, sequence = $3 where node = $1 and sequence = $4", from.Node, to.Created, to.Sequence, from.Sequence);
        if (mine != 1) return;
        foreach (var day in events.SelectMany(e => CountOf(sql, e)).GroupBy(c => (c.Caller, c.Day)))
            sql.Run("""
                insert into reputations (caller, day, paid, disputed, denied, tripped) values ($1, $2, $3, $4, $5, $6)
                on conflict (caller, day) do update set paid = reputations.paid + $3, disputed = reputations.disputed + $4, denied = reputations.denied + $5, tripped = reputations.tripped + $6
                """, day.Key.Caller, day.Key.Day, day.Sum(c => c.Counts.Paid), day.Sum(c => c.Counts.Disputed), day.Sum(c => c.Counts.Denied), day.Sum(c => c.Counts.Tripped));
    }

    private static IEnumerable<(string Caller, long Day, Reputation Counts)> CountOf(Sql sql, Event e)
    {
        var day = e.Created / Day;
        // A payment that is taken back is told of its payer: of whoever it paid for.
        if (e is { Kind: AuditKinds.PurchaseReversed, Payer: { } payer })
            foreach (var caller in sql.Query("select distinct caller from holds where payer = $1 and caller is not null", row => row.Text(0), payer))
                yield return (caller, day, Reputation.None with { Disputed = e.Times });
        if (e.Caller is null) yield break;
        if (e is { Kind: AuditKinds.Settled, Method: not "plan" }) yield return (e.Caller, day, Reputation.None with { Paid = e.Times });
        else if (e.Kind == AuditKinds.Refused && IsFault(e.Reason)) yield return (e.Caller, day, Reputation.None with { Denied = e.Times });
        else if (e is { Kind: AuditKinds.BreakerTripped, Reason: not "shadow" }) yield return (e.Caller, day, Reputation.None with { Tripped = e.Times });
    }

    private static bool IsFault(string? reason) => Reasons.All.FirstOrDefault(r => r.Code == reason) is { Status: >= 400 and < 500 and not 402 and not 409 };

    private sealed record Place(string Node, long Created, long Sequence);

    private sealed record Event(long Created, long Sequence, string Kind, string? Reason, string? Caller, string? Payer, string? Method, long Times);
}
