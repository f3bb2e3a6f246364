using Turnpike.Storage;
using Turnpike.Storage.Nodes;

namespace Turnpike.Limits.Breakers;

/// <summary>The breakers that are open, across restarts and nodes: a caller that has run away has done so everywhere.</summary>
internal sealed class BreakerStore(Database database, Revisions revisions)
{
    private const string Revision = "breakers";

    /// <summary>Called when any node has opened or closed one.</summary>
    public void OnChanged(Action changed) => revisions.On(Revision, changed);

    /// <summary>Opens it, and forgets those that closed long ago.</summary>
    public ValueTask PutAsync(Tripped tripped, DateTimeOffset forgotten, CancellationToken ct) => database.WriteAsync(sql =>
    {
        sql.Run("""
            insert into breakers (breaker, who, evidence, since, until) values ($1, $2, $3, $4, $5)
            on conflict (breaker, who) do update set evidence = excluded.evidence, since = excluded.since, until = excluded.until
            """, tripped.Breaker, tripped.Who, tripped.Evidence, tripped.Since, tripped.Until);
        sql.Run("delete from breakers where until < $1", forgotten);
        revisions.Bump(sql, Revision);
    }, ct);

    public async ValueTask<IReadOnlyList<Tripped>> ListAsync(int most, CancellationToken ct) => await database.ReadAsync(sql => sql.Query(
        "select breaker, who, evidence, since, until from breakers order by since desc limit $1", row => new Tripped(row.Text(0), row.Text(1), row.Text(2), row.Time(3), row.Time(4)), most), ct);
}
