using System.Collections.Concurrent;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Limits;
using Turnpike.Storage;
using Turnpike.Storage.Nodes;

namespace Turnpike.Tokens;

/// <summary>The rules of tokens. Read on every prepaid call, so what was read is kept until some node changes one.</summary>
internal sealed class TokenStore
{
    public const string Revision = "tokens";
    private const int MostKept = 100_000;
    private readonly ConcurrentDictionary<string, Token> kept = new(StringComparer.Ordinal);
    private readonly Database database;
    private readonly Revisions revisions;
    private int changes;
    private volatile int anyBound; // 0: nobody knows, 1: none, 2: some

    public TokenStore(Database database, Revisions revisions)
    {
        (this.database, this.revisions) = (database, revisions);
        revisions.On(Revision, Forget);
    }

    /// <summary>Adds a token; nothing when there is one of that id.</summary>
    public async ValueTask AddAsync(Token token, CancellationToken ct) => await database.WriteAsync(sql =>
    {
        if (token is { BoundTo.Count: > 0, Parent: null }) revisions.Bump(sql, Revision); // every node has to know that there are such
        sql.Run("""
        insert into tokens (id, budget, currency, calls, per_call, operations, rate_amount, rate_seconds, expires, status, note, created, bound_to, caps, owner, parent, series, gift, added)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) on conflict (id) do nothing
        """, token.Id, token.Budget.Units, token.Budget.Currency, token.Calls, token.PerCall?.Units, string.Join(' ', token.Operations),
        token.Rate?.Amount, token.Rate is { } rate ? (long)rate.Per.TotalSeconds : SqlValue.Null, token.Expires, Text(token.Status), token.Note, token.Created, token.BoundTo.Count == 0 ? SqlValue.Null : string.Join(' ', token.BoundTo),
        token.Caps.Count == 0 ? SqlValue.Null : string.Join('\n', token.Caps), token.Owner, token.Parent, token.Series?.ToString(), token.Gift.Units, token.Added.Units);
    }, ct);

    /// <summary>More was put onto it, and so much of that was given away.</summary>
    public async ValueTask AddAsync(string account, Money added, Money gift, CancellationToken ct) => await ChangeAsync(sql =>
        sql.Change("update tokens set added = added + $3, gift = gift + $4 where (id = $1 or account = $2)", FirstOf(account), account, added.Units, gift.Units), ct);

    public async ValueTask<Token?> FindAsync(string id, CancellationToken ct)
    {
        if (kept.TryGetValue(id, out var known)) return known;
        var before = Volatile.Read(ref changes);
        var token = await database.ReadAsync(sql => sql.First("""
            select id, budget, currency, calls, per_call, operations, rate_amount, rate_seconds, expires, status, note, created, sequence, bound_to, account, replaced_by, caps, owner, parent, series, gift, added
            from tokens where id = $1
            """, Read, id), ct);
        if (token is null || !database.IsWritable) return token;
        if (kept.Count >= MostKept) kept.Clear();
        kept[id] = token;
        // It may have been revoked between reading and keeping; then what was read is old, and would be kept for good.
        if (Volatile.Read(ref changes) != before) kept.TryRemove(id, out _);
        return token;
    }

    /// <summary>As it stands in the database, whatever was kept.</summary>
    public ValueTask<Token?> FreshAsync(string id, CancellationToken ct)
    {
        kept.TryRemove(id, out _);
        return FindAsync(id, ct);
    }

    /// <summary>True when some of its money was taken back with its purchase.</summary>
    public async ValueTask<bool> WasReversedAsync(string account, CancellationToken ct) => await database.ScanAsync(sql =>
        sql.First("select 1 from entries where account = $1 and units < 0 and (source >= 'reverse:' and source < 'reverse;' or source >= 'refund:' and source < 'refund;') limit 1", row => row.Long(0), account) == 1, ct);

    /// <summary>True when money came to it beside what it was issued with: topped up, or moved here from another.</summary>
    public async ValueTask<bool> WasAddedToAsync(string account, CancellationToken ct) => await database.ReadAsync(sql =>
        sql.First("select 1 from entries where account = $1 and units > 0 and (source >= 'topup:' and source < 'topup;' or source >= 'handover:' and source < 'handover;') limit 1", row => row.Long(0), account) == 1, ct);

    /// <summary>Newest first, below the token <paramref name="before"/>.</summary>
    public async ValueTask<IReadOnlyList<Token>> ListAsync(string? before, int most, CancellationToken ct) => await database.ReadAsync(sql => sql.Query("""
        select id, budget, currency, calls, per_call, operations, rate_amount, rate_seconds, expires, status, note, created, sequence, bound_to, account, replaced_by, caps, owner, parent, series, gift, added
        from tokens where parent is null and (cast($1 as text) is null or sequence < (select sequence from tokens where id = $1)) order by sequence desc limit $2
        """, Read, before, most), ct);

    /// <summary>
    /// For the whole lineage of a token, so that nobody gets out of a freeze by having the token replaced in that moment: whichever of
    /// the two comes first, the other sees it. False when none of it is left: revoked is final.
    /// </summary>
    public ValueTask<bool> SetStatusAsync(string account, TokenStatus status, CancellationToken ct) => ChangeAsync(sql =>
    {
        sql.Run("delete from token_freezes where account = $1", account); // who says so now decides
        return sql.Change("update tokens set status = $3 where (id = $1 or account = $2) and status <> 'revoked'", FirstOf(account), account, Text(status)) > 0;
    }, ct);

    /// <summary>Says whose a lineage is; null: nobody's but its own.</summary>
    public async ValueTask SetOwnerAsync(string account, string? owner, CancellationToken ct) => await ChangeAsync(sql =>
        sql.Change("update tokens set owner = $3 where (id = $1 or account = $2)", FirstOf(account), account, owner), ct);

    /// <summary>Moves the end of a lineage's life; null: it has none any more.</summary>
    public async ValueTask ExtendAsync(string account, DateTimeOffset? expires, CancellationToken ct) => await ChangeAsync(sql =>
        sql.Change("update tokens set expires = $3 where (id = $1 or account = $2)", FirstOf(account), account, expires), ct);

    /// <summary>Another token, with the same rules and the same account, takes the place of one that may be spent. False when it may not, or has been replaced.</summary>
    public ValueTask<bool> SucceedAsync(Token old, string next, CancellationToken ct) => ChangeAsync(sql =>
    {
        if (sql.Change("update tokens set status = 'revoked', replaced_by = $2 where id = $1 and status = 'active'", old.Id, next) == 0) return false;
        sql.Run("""
            insert into tokens (id, budget, currency, calls, per_call, operations, rate_amount, rate_seconds, expires, status, note, created, bound_to, account, caps, owner, parent, series, gift, added)
            select $2, budget, currency, calls, per_call, operations, rate_amount, rate_seconds, expires, 'active', note, created, bound_to, $3, caps, owner, parent, series, gift, added from tokens where id = $1
            """, old.Id, next, old.Account);
        return true;
    }, ct);

    /// <summary>The ids of all tokens that spend, or spent, what this one spends; none when there is no such token.</summary>
    public static IReadOnlyList<string> Lineage(Sql sql, string id) =>
        sql.First("select coalesce(account, 'token:' || id) from tokens where id = $1", row => row.Text(0), id) is { } account
            ? sql.Query("select id from tokens where (id = $1 or account = $2) order by id", row => row.Text(0), FirstOf(account), account)
            : [];

    /// <summary>False: no token is bound to a key, so none has to be looked at. Null: nobody knows yet.</summary>
    public bool? AnyBound => anyBound switch { 1 => false, 2 => true, _ => null };

    public async ValueTask<bool> AnyBoundAsync(CancellationToken ct)
    {
        if (AnyBound is { } known) return known;
        var before = Volatile.Read(ref changes);
        var any = await database.ReadAsync(sql => sql.First("select 1 from tokens where bound_to is not null limit 1", row => row.Long(0)) == 1, ct);
        if (Volatile.Read(ref changes) == before) anyBound = any ? 2 : 1;
        return any;
    }

    // The revision first: its row is kept until the commit, so changes of tokens come one after another on all nodes, and each
    // statement sees the tokens that the change before it made.
    private ValueTask<T> ChangeAsync<T>(Func<Sql, T> change, CancellationToken ct) => database.WriteAsync(sql =>
    {
        revisions.Bump(sql, Revision);
        return change(sql);
    }, ct);

    /// <summary>The id of the first token of an account.</summary>
    public static string FirstOf(string account) => account[Token.AccountOf("").Length..];

    // Changes are an operator's, and rare: all of them are read again.
    private void Forget()
    {
        Interlocked.Increment(ref changes);
        anyBound = 0;
        kept.Clear();
    }

    private static Token Read(SqlRow row) => new()
    {
        Id = row.Text(0),
        Budget = new Money(row.Long(1), row.Text(2)),
        Calls = row.LongOrNull(3),
        PerCall = row.LongOrNull(4) is { } units ? new Money(units, row.Text(2)) : null,
        Operations = row.Text(5).Split(' ', StringSplitOptions.RemoveEmptyEntries),
        Rate = row.LongOrNull(6) is { } amount ? new RateLimit(amount, TimeSpan.FromSeconds(row.Long(7)), []) : null,
        Expires = row.TimeOrNull(8),
        Status = row.Text(9) switch { "active" => TokenStatus.Active, "frozen" => TokenStatus.Frozen, _ => TokenStatus.Revoked },
        Note = row.TextOrNull(10),
        Created = row.Time(11),
        BoundTo = row.TextOrNull(13)?.Split(' ') ?? [],
        Account = row.TextOrNull(14)!,
        ReplacedBy = row.TextOrNull(15),
        Caps = [.. (row.TextOrNull(16)?.Split('\n') ?? []).Select(text => Cap.TryParse(text, CapScope.Token, out var cap) ? cap : throw new StorageException($"A token has a cap '{text}' this version does not know."))],
        Owner = row.TextOrNull(17),
        Parent = row.TextOrNull(18),
        Series = TokenSeries.Parse(row.TextOrNull(19)),
        Gift = new Money(row.Long(20), row.Text(2)),
        Added = new Money(row.Long(21), row.Text(2)),
    };

    private static string Text(TokenStatus status) => status switch { TokenStatus.Active => "active", TokenStatus.Frozen => "frozen", _ => "revoked" };
}
