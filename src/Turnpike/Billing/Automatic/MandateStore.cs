using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Storage;
using Turnpike.Tokens;

namespace Turnpike.Billing.Automatic;

/// <summary>What a look at one consent came to.</summary>
/// <param name="Order">The order to charge; null: none is due.</param>
/// <param name="Paused">Why it was paused instead.</param>
/// <param name="AtCap">The month's cap leaves no room, and nobody was told yet.</param>
internal readonly record struct Crossing(string? Order, string? Paused, bool AtCap);

/// <summary>Consents to automatic top-ups, and whose turn it is to charge.</summary>
internal sealed class MandateStore(Database database, TimeProvider time)
{
    public ValueTask AddAsync(Mandate mandate, CancellationToken ct) => database.WriteAsync(sql =>
    {
        var (now, terms) = (sql.Now(time), mandate.Terms);
        sql.Run("""
            insert into mandates (id, account, purchase, operation, price, budget, currency, calls, valid_seconds, below, monthly, customer, card, status, why, told, pending, sent, tries, due, since, created, changed)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, null, null, 'asked', null, 0, null, null, 0, 0, $12, $12, $12)
            """, mandate.Id, mandate.Account, mandate.Purchase, mandate.Operation, terms.Price.Units, terms.Budget.Units, terms.Price.Currency, terms.Calls,
            terms.Valid is { } valid ? (long)valid.TotalSeconds : SqlValue.Null, terms.Below.Units, terms.Monthly.Units, now);
    }, ct);

    public ValueTask<Mandate?> FindAsync(string id, CancellationToken ct) => database.ReadAsync(sql => Find(sql, id), ct);

    public ValueTask<Mandate?> FindByPurchaseAsync(string purchase, CancellationToken ct) => database.ReadAsync(sql => sql.First("""
        select id, account, purchase, operation, price, budget, currency, calls, valid_seconds, below, monthly, customer, card, status, why, pending, sent, tries, due, created
        from mandates where purchase = $1
        """, Read, purchase), ct);

    /// <summary>What was last agreed for a token and those before it; null where nothing that was paid.</summary>
    public ValueTask<Mandate?> FindByAccountAsync(string account, CancellationToken ct) => database.ReadAsync(sql => sql.First("""
        select id, account, purchase, operation, price, budget, currency, calls, valid_seconds, below, monthly, customer, card, status, why, pending, sent, tries, due, created
        from mandates where account = $1 and status <> 'asked' order by case when status = 'ended' then 1 else 0 end, created desc, id limit 1
        """, Read, account), ct);

    /// <summary>Newest first, below <paramref name="before"/>.</summary>
    public async ValueTask<IReadOnlyList<Mandate>> ListAsync(string? before, int most, CancellationToken ct) => await database.ReadAsync(sql => sql.Query("""
        select id, account, purchase, operation, price, budget, currency, calls, valid_seconds, below, monthly, customer, card, status, why, pending, sent, tries, due, created
        from mandates where status <> 'asked' and (cast($1 as text) is null or created < (select created from mandates where id = $1) or created = (select created from mandates where id = $1) and id > $1)
        order by created desc, id limit $2
        """, Read, before, most), ct);

    /// <summary>What was charged under it, newest first.</summary>
    public async ValueTask<IReadOnlyList<(string Id, Money Price, PurchaseStatus Status, DateTimeOffset Created)>> ChargesAsync(string id, int most, CancellationToken ct) => await database.ReadAsync(sql => sql.Query(
        "select id, price, currency, status, created from purchases where mandate = $1 order by created desc, id limit $2",
        row => (row.Text(0), new Money(row.Long(1), row.Text(2)), row.Text(3) switch { "paid" => PurchaseStatus.Paid, "ended" => PurchaseStatus.Ended, _ => PurchaseStatus.Open }, row.Time(4)), id, most), ct);

    /// <summary>What was charged, or may have been, in this calendar month for the account.</summary>
    public ValueTask<Money> ChargedAsync(Mandate mandate, CancellationToken ct) => database.ReadAsync(sql => new Money(Charged(sql, mandate.Account, mandate.Terms.Price.Currency, MonthOf(sql.Now(time))), mandate.Terms.Price.Currency), ct);

    /// <summary>Its purchase is paid: from now on it holds, in the place of what was agreed before. False when it does already, or has ended.</summary>
    public ValueTask<bool> ActivateAsync(Mandate mandate, string? customer, string? card, CancellationToken ct) => database.WriteAsync(sql =>
    {
        Alone(sql, mandate);
        var now = sql.Now(time);
        if (sql.Change("update mandates set status = 'active', customer = $2, card = $3, since = $4, changed = $4 where id = $1 and status = 'asked'", mandate.Id, customer, card, now) == 0) return false;
        sql.Run("update mandates set status = 'ended', why = 'agreed anew', changed = $3 where account = $1 and id <> $2 and status in ('active', 'paused')", mandate.Account, mandate.Id, now);
        return true;
    }, ct);

    /// <summary>False when it has ended.</summary>
    public ValueTask<bool> EndAsync(Mandate mandate, string why, CancellationToken ct) => database.WriteAsync(sql =>
    {
        Alone(sql, mandate);
        return sql.Change("update mandates set status = 'ended', why = $2, changed = $3 where id = $1 and status <> 'ended'", mandate.Id, why, sql.Now(time)) == 1;
    }, ct);

    /// <summary>Charges again from now on. False when it is not paused.</summary>
    public ValueTask<bool> ResumeAsync(Mandate mandate, CancellationToken ct) => database.WriteAsync(sql =>
    {
        Alone(sql, mandate);
        var now = sql.Now(time);
        return sql.Change("update mandates set status = 'active', why = null, told = 0, since = $2, changed = $2 where id = $1 and status = 'paused'", mandate.Id, now) == 1;
    }, ct);

    /// <summary>Orders that were paid and agreed to something that is not in force yet: their buyer did not come back to see it.</summary>
    public async ValueTask<IReadOnlyList<string>> PaidAsync(int most, CancellationToken ct) => await database.ReadAsync(sql => sql.Query(
        "select m.purchase from mandates m join purchases p on p.id = m.purchase where m.status = 'asked' and p.status = 'paid' order by m.id limit $1", row => row.Text(0), most), ct);

    /// <summary>Consents whose token has less than agreed, or no calls, and of which nothing is being charged.</summary>
    public async ValueTask<IReadOnlyList<Mandate>> CrossedAsync(int most, CancellationToken ct) => await database.ReadAsync(sql => sql.Query("""
        select m.id, m.account, m.purchase, m.operation, m.price, m.budget, m.currency, m.calls, m.valid_seconds, m.below, m.monthly, m.customer, m.card, m.status, m.why, m.pending, m.sent, m.tries, m.due, m.created
        from mandates m where m.status = 'active' and m.pending is null and m.told < $2 and (
            exists (select 1 from accounts a where a.account = m.account and a.currency = m.currency and a.posted - a.held < m.below)
            or m.calls is not null and exists (select 1 from accounts a where a.account = m.account and a.currency = 'calls' and a.posted - a.held < 1))
        and exists (select 1 from tokens t where (t.id = substr(m.account, 7) or t.account = m.account) and t.status = 'active' and (t.expires is null or t.expires > $1))
        order by m.id limit $3
        """, Read, sql.Now(time), Number(MonthOf(sql.Now(time))), most), ct);

    /// <summary>Orders that are being charged and are to be looked at.</summary>
    public async ValueTask<IReadOnlyList<Mandate>> DueAsync(int most, CancellationToken ct) => await database.ReadAsync(sql => sql.Query("""
        select id, account, purchase, operation, price, budget, currency, calls, valid_seconds, below, monthly, customer, card, status, why, pending, sent, tries, due, created
        from mandates where pending is not null and due <= $1 order by due, id limit $2
        """, Read, sql.Now(time), most), ct);

    /// <summary>
    /// Makes the order of one crossing, once on all nodes and never above the cap: what was found is looked at again with the token's row
    /// kept, which whoever freezes, revokes or replaces the token changes. The attack: many calls on many nodes empty a token at once, or
    /// its buyer takes money back while it is topped up.
    /// </summary>
    /// <param name="most">The owner's own bound for a month.</param>
    public ValueTask<Crossing> CrossAsync(string id, Money most, CancellationToken ct) => database.WriteAsync(sql =>
    {
        if (Find(sql, id) is not { } seen) return default;
        Alone(sql, seen);
        var now = sql.Now(time);
        if (Find(sql, id) is not { Status: MandateStatus.Active, Pending: null } mandate || !IsDue(sql, mandate, now)) return default;
        if (sql.First("select 1 from mandates where account = $1 and pending is not null limit 1", row => row.Long(0), mandate.Account) == 1) return default;
        if (WasReversed(sql, mandate.Account, sql.First("select since from mandates where id = $1", row => row.Long(0), id)))
        {
            sql.Run("update mandates set status = 'paused', why = 'reversed', changed = $2 where id = $1", id, now);
            return new Crossing(null, "reversed", AtCap: false);
        }
        var (month, terms) = (MonthOf(now), mandate.Terms);
        var cap = most.Currency == terms.Monthly.Currency && most < terms.Monthly ? most : terms.Monthly;
        if (checked(Charged(sql, mandate.Account, terms.Price.Currency, month) + terms.Price.Units) > cap.Units)
            return new Crossing(null, null, sql.Change("update mandates set told = $2, changed = $3 where id = $1 and told < $2", id, Number(month), now) == 1);
        var order = Ids.New("auto"); // not made of the consent's own id, which is a right to see and end it
        sql.Run("update mandates set pending = $2, sent = null, tries = 0, due = $3, changed = $3 where id = $1", id, order, now);
        sql.Run("""
            insert into purchases (id, session, operation, price, budget, currency, calls, valid_seconds, token, topup, intent, status, shown, created, changed, mandate)
            values ($1, null, $2, $3, $4, $5, $6, $7, $8, 1, null, 'open', 0, $9, $9, $10)
            """, order, mandate.Operation, terms.Price.Units, terms.Budget.Units, terms.Price.Currency, terms.Calls, terms.Valid is { } valid ? (long)valid.TotalSeconds : SqlValue.Null, mandate.Token, now, id);
        return new Crossing(order, null, AtCap: false);
    }, ct);

    /// <summary>
    /// Takes the turn to charge; null: it is another node's, or the order is over. What was not sent yet is not sent any more once the
    /// consent has ended or the token may not be spent: the order ends instead.
    /// </summary>
    public ValueTask<(Mandate Mandate, bool MaySend)?> TurnAsync(Mandate seen, TimeSpan next, CancellationToken ct) => database.WriteAsync<(Mandate, bool)?>(sql =>
    {
        Alone(sql, seen);
        var now = sql.Now(time);
        if (Find(sql, seen.Id) is not { Pending: { } order } mandate || order != seen.Pending || mandate.Due != seen.Due || mandate.Due > now) return null;
        var may = mandate.Status == MandateStatus.Active && IsSpendable(sql, mandate, now);
        if (mandate.Sent is null && !may)
        {
            sql.Run("update purchases set status = 'ended', changed = $2 where id = $1 and status = 'open'", order, now);
            sql.Run("update mandates set pending = null, changed = $2 where id = $1", mandate.Id, now);
            return null;
        }
        sql.Run("update mandates set sent = coalesce(sent, $2), tries = tries + 1, due = $3, changed = $2 where id = $1", mandate.Id, now, now + next);
        return (Find(sql, mandate.Id)!, may);
    }, ct);

    /// <summary>The order is over: paid, or known never to be. False when somebody has said so before.</summary>
    /// <param name="paused">Why no further one is made until somebody has looked; null: it goes on.</param>
    public ValueTask<bool> OverAsync(Mandate mandate, string? intent, bool paid, string? paused, CancellationToken ct) => database.WriteAsync(sql =>
    {
        Alone(sql, mandate);
        var now = sql.Now(time);
        if (sql.Change("update mandates set pending = null, sent = null, changed = $3 where id = $1 and pending = $2", mandate.Id, mandate.Pending, now) == 0) return false;
        sql.Run("update purchases set status = $2, intent = coalesce($3, intent), changed = $4 where id = $1 and status <> 'paid'", mandate.Pending, paid ? "paid" : "ended", intent, now);
        if (paused is not null) sql.Run("update mandates set status = 'paused', why = $2 where id = $1 and status = 'active'", mandate.Id, paused);
        return true;
    }, ct);

    /// <summary>Whoever changes what may be charged for a token, on any node, comes after whoever did before.</summary>
    private static void Alone(Sql sql, Mandate mandate)
    {
        if (sql.IsShared) sql.Lock("select id from tokens where id = $1", row => row.Text(0), [mandate.Token]);
    }

    private static bool IsDue(Sql sql, Mandate mandate, DateTimeOffset now)
    {
        if (!IsSpendable(sql, mandate, now)) return false;
        if (sql.First("select posted - held from accounts where account = $1 and currency = $2", row => row.Long(0), mandate.Account, mandate.Terms.Below.Currency) < mandate.Terms.Below.Units) return true;
        return mandate.Terms.Calls is not null && sql.First("select posted - held from accounts where account = $1 and currency = $2", row => (long?)row.Long(0), mandate.Account, Token.CallsCurrency) < 1;
    }

    private static bool IsSpendable(Sql sql, Mandate mandate, DateTimeOffset now) => sql.First(
        "select 1 from tokens where (id = $1 or account = $2) and status = 'active' and (expires is null or expires > $3) limit 1", row => row.Long(0), mandate.Token, mandate.Account, now) == 1;

    private static bool WasReversed(Sql sql, string account, long since) => sql.First(
        "select 1 from entries where account = $1 and units < 0 and created >= $2 and (source >= 'reverse:' and source < 'reverse;' or source >= 'refund:' and source < 'refund;') limit 1", row => row.Long(0), account, since) == 1;

    /// <summary>What is not known to have failed counts: unknown is a state.</summary>
    private static long Charged(Sql sql, string account, string currency, DateTimeOffset month) => sql.First("""
        select cast(coalesce(sum(p.price), 0) as bigint) from purchases p where p.mandate in (select id from mandates where account = $1) and p.currency = $2 and p.status <> 'ended' and p.created >= $3
        """, row => row.Long(0), account, currency, month);

    private static DateTimeOffset MonthOf(DateTimeOffset now) => new(now.UtcDateTime.Year, now.UtcDateTime.Month, 1, 0, 0, 0, TimeSpan.Zero);

    private static long Number(DateTimeOffset month) => (month.Year * 12) + month.Month;

    private static Mandate? Find(Sql sql, string id) => sql.First("""
        select id, account, purchase, operation, price, budget, currency, calls, valid_seconds, below, monthly, customer, card, status, why, pending, sent, tries, due, created
        from mandates where id = $1
        """, Read, id);

    private static Mandate Read(SqlRow row)
    {
        Money Money(int column) => new(row.Long(column), row.Text(6));
        return new Mandate(row.Text(0), row.Text(1), row.Text(2), row.Text(3), new MandateTerms(Money(4), Money(5), row.LongOrNull(7), row.LongOrNull(8) is { } seconds ? TimeSpan.FromSeconds(seconds) : null, Money(9), Money(10)))
        {
            Customer = row.TextOrNull(11),
            Card = row.TextOrNull(12),
            Status = row.Text(13) switch { "asked" => MandateStatus.Asked, "active" => MandateStatus.Active, "paused" => MandateStatus.Paused, _ => MandateStatus.Ended },
            Why = row.TextOrNull(14),
            Pending = row.TextOrNull(15),
            Sent = row.TimeOrNull(16),
            Tries = row.Long(17),
            Due = row.Time(18),
            Created = row.Time(19),
        };
    }
}
