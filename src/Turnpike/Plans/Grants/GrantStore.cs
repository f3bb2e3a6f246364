using Turnpike.Identity;
using Turnpike.Ledger;
using Turnpike.Storage;
using Turnpike.Storage.Nodes;

namespace Turnpike.Plans.Grants;

/// <summary>The rules of grants, and what is left of them by the ledger's own accounts.</summary>
internal sealed class GrantStore
{
    private const string Revision = "grants";
    private const int MostKept = 100_000, MostSources = 100;
    private readonly Recent<string, bool> any = new(MostKept);
    private readonly Database database;
    private readonly Revisions revisions;

    public GrantStore(Database database, Revisions revisions)
    {
        (this.database, this.revisions) = (database, revisions);
        revisions.On(Revision, any.Clear);
    }

    /// <summary>Adds a grant and answers the one that is there: the first of its id.</summary>
    public ValueTask<Grant> AddAsync(Grant grant, CancellationToken ct) => database.WriteAsync(sql =>
    {
        revisions.Bump(sql, Revision);
        sql.Run("""
            insert into grants (caller, id, kind, amount, currency, priority, expires, note, created)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (caller, id) do nothing
            """, grant.Caller, grant.Id, Text(grant.Kind), grant.Amount.Units, grant.Amount.Currency, grant.Priority, grant.Expires, grant.Note, grant.Created);
        return Find(sql, grant.Caller, grant.Id)!;
    }, ct);

    public ValueTask<Grant?> FindAsync(string caller, string id, CancellationToken ct) => database.ReadAsync(sql => Find(sql, caller, id), ct);

    /// <summary>Was this caller ever granted anything? Asked on calls, and so remembered.</summary>
    public ValueTask<bool> AnyAsync(string caller, CancellationToken ct) => any.TryGet(caller, out var known) ? new(known) : LookAsync(caller, ct);

    /// <summary>The accounts that have something, in the burn order.</summary>
    public async ValueTask<IReadOnlyList<string>> SourcesAsync(string caller, string currency, DateTimeOffset now, CancellationToken ct) => await database.ReadAsync(sql => sql.Query("""
        select g.id from grants g join accounts a on a.account = 'balance:' || g.caller || ':' || g.id and a.currency = g.currency
        where g.caller = $1 and g.currency = $2 and (g.expires is null or g.expires > $3) and a.posted > a.held
        order by g.priority, coalesce(g.expires, 9223372036854775807), g.created, g.id limit $4
        """, row => new Grant(caller, row.Text(0), GrantKind.Paid, Money.Zero(currency)).Account, caller, currency, now, MostSources), ct);

    /// <summary>All grants of a caller in the burn order, used up and expired ones too, a page at a time.</summary>
    public async ValueTask<IReadOnlyList<GrantState>> ListAsync(string caller, int most, CancellationToken ct) => await database.ReadAsync(sql => sql.Query("""
        select g.caller, g.id, g.kind, g.amount, g.currency, g.priority, g.expires, g.note, g.created, coalesce(a.posted, 0), coalesce(a.held, 0)
        from grants g left join accounts a on a.account = 'balance:' || g.caller || ':' || g.id and a.currency = g.currency
        where g.caller = $1 order by g.priority, coalesce(g.expires, 9223372036854775807), g.created, g.id limit $2
        """, State, caller, most), ct);

    /// <summary>Expired grants that still have something nobody holds.</summary>
    public async ValueTask<IReadOnlyList<GrantState>> ExpiredAsync(DateTimeOffset now, int most, CancellationToken ct) => await database.ReadAsync(sql => sql.Query("""
        select g.caller, g.id, g.kind, g.amount, g.currency, g.priority, g.expires, g.note, g.created, a.posted, a.held
        from grants g join accounts a on a.account = 'balance:' || g.caller || ':' || g.id and a.currency = g.currency
        where g.expires <= $1 and a.posted > a.held order by g.expires limit $2
        """, State, now, most), ct);

    private async ValueTask<bool> LookAsync(string caller, CancellationToken ct)
    {
        var stamp = any.Stamp;
        var found = await database.ReadAsync(sql => sql.First("select 1 from grants where caller = $1 limit 1", row => row.Long(0), caller) == 1, ct);
        any.Keep(caller, found, stamp);
        return found;
    }

    private static Grant? Find(Sql sql, string caller, string id) =>
        sql.First("select caller, id, kind, amount, currency, priority, expires, note, created from grants where caller = $1 and id = $2", Read, caller, id);

    private static GrantState State(SqlRow row)
    {
        var (grant, posted, held) = (Read(row), row.Long(9), row.Long(10));
        return new GrantState(grant, grant.Amount with { Units = posted - held }, grant.Amount with { Units = held });
    }

    private static Grant Read(SqlRow row) => new(row.Text(0), row.Text(1), row.Text(2) == "paid" ? GrantKind.Paid : GrantKind.Promotional, new Money(row.Long(3), row.Text(4)))
    {
        Priority = (int)row.Long(5),
        Expires = row.TimeOrNull(6),
        Note = row.TextOrNull(7),
        Created = row.Time(8),
    };

    private static string Text(GrantKind kind) => kind == GrantKind.Paid ? "paid" : "promotional";
}
