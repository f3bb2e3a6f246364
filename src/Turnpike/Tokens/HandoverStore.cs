using Turnpike.Ledger;
using Turnpike.Storage;
using Turnpike.Storage.Nodes;

namespace Turnpike.Tokens;

/// <summary>Where an account's money may be: the account, and how much came to it on this way at most.</summary>
internal readonly record struct Reached(string Account, Money Most);

/// <summary>
/// Follows money from token to token. A move is written here before it is made, and a freeze follows what is written, each keeping the
/// row that all changes of tokens keep: so whichever comes first, the other sees it, on every node. The attack: buy, move the money to
/// another token of one's own, and take the payment back.
/// </summary>
internal sealed class HandoverStore(Database database, Revisions revisions, TimeProvider time)
{
    /// <summary>A move that was written and not made is over by then.</summary>
    private static readonly TimeSpan Underway = TimeSpan.FromMinutes(5);

    /// <summary>Orders are stamped by their node's clock, moves by the database's.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(1);

    /// <summary>Announces a move; false when one of the two may not be spent by now.</summary>
    public ValueTask<bool> BeginAsync(string id, string giver, string taker, CancellationToken ct) => database.WriteAsync(sql =>
    {
        revisions.Bump(sql, TokenStore.Revision);
        if (!IsActive(sql, giver) || !IsActive(sql, taker)) return false;
        sql.Run("insert into token_handovers (id, giver, taker, created) values ($1, $2, $3, $4) on conflict (id) do update set created = excluded.created", id, giver, taker, sql.Now(time));
        return true;
    }, ct);

    /// <summary>Freezes a token and every one its money went to since, all or none; those it froze, and all it reached, the token itself first.</summary>
    /// <param name="cause">What has to be over before they are thawed; told twice, it is one.</param>
    public ValueTask<(IReadOnlyList<string> Frozen, IReadOnlyList<Reached> Reached)> FreezeAsync(string account, string currency, string cause, DateTimeOffset since, CancellationToken ct) => database.WriteAsync<(IReadOnlyList<string>, IReadOnlyList<Reached>)>(sql =>
    {
        revisions.Bump(sql, TokenStore.Revision);
        var (frozen, reached) = (new List<string>(), Reach(sql, account, currency, since));
        foreach (var one in reached)
        {
            var now = sql.Change("update tokens set status = 'frozen' where (id = $1 or account = $2) and status = 'active'", TokenStore.FirstOf(one.Account), one.Account) > 0;
            if (now) frozen.Add(one.Account);
            // What its operator froze stays frozen when this is over.
            if (now || sql.First("select 1 from token_freezes where account = $1 limit 1", row => row.Long(0), one.Account) == 1)
                sql.Run("insert into token_freezes (account, cause) values ($1, $2) on conflict (account, cause) do nothing", one.Account, cause);
        }
        return (frozen, reached);
    }, ct);

    /// <summary>It is over: what nothing else keeps frozen may be spent again; those accounts.</summary>
    public ValueTask<IReadOnlyList<string>> ThawAsync(string cause, CancellationToken ct) => database.WriteAsync<IReadOnlyList<string>>(sql =>
    {
        revisions.Bump(sql, TokenStore.Revision);
        var accounts = sql.Query("select account from token_freezes where cause = $1 order by account", row => row.Text(0), cause);
        sql.Run("delete from token_freezes where cause = $1", cause);
        return [.. accounts.Where(account => sql.First("select 1 from token_freezes where account = $1 limit 1", row => row.Long(0), account) != 1
            && sql.Change("update tokens set status = 'active' where (id = $1 or account = $2) and status = 'frozen'", TokenStore.FirstOf(account), account) > 0)];
    }, ct);

    /// <summary>What a transfer moved; zero when there is none of this id.</summary>
    public ValueTask<Money> MovedAsync(string id, string currency, CancellationToken ct) => database.ReadAsync(sql => new Money(sql.First("select units from transfers where id = $1", row => row.Long(0), id), currency), ct);

    private List<Reached> Reach(Sql sql, string account, string currency, DateTimeOffset since)
    {
        List<Reached> reached = [new(account, Money.Zero(currency))];
        for (var i = 0; i < reached.Count; i++)
            foreach (var next in sql.Query("""
                select h.taker, cast(coalesce(sum(t.units), 0) as bigint) from token_handovers h left join transfers t on t.id = h.id and t.currency = $2
                where h.giver = $1 and h.created >= $3 and (t.id is not null or h.created > $4) group by h.taker order by h.taker
                """, row => new Reached(row.Text(0), new Money(row.Long(1), currency)), reached[i].Account, currency, since - Skew, sql.Now(time) - Underway))
                if (!reached.Any(known => known.Account == next.Account)) reached.Add(next);
        return reached;
    }

    private static bool IsActive(Sql sql, string account) => sql.First(
        "select 1 from tokens where (id = $1 or account = $2) and status = 'active' limit 1", row => row.Long(0), TokenStore.FirstOf(account), account) == 1;
}
