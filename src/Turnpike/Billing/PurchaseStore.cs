using Turnpike.Ledger;
using Turnpike.Payments.Refunds;
using Turnpike.Storage;

namespace Turnpike.Billing;

/// <summary>Orders, and what Stripe told of them.</summary>
internal sealed class PurchaseStore(Database database, TimeProvider time)
{
    public ValueTask AddAsync(Purchase order, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        return database.WriteAsync(sql => sql.Run("""
            insert into purchases (id, session, operation, price, budget, currency, calls, valid_seconds, token, topup, intent, status, shown, created, changed, owner)
            values ($1, null, $2, $3, $4, $5, $6, $7, $8, $9, null, 'open', 0, $10, $10, $11)
            """, order.Id, order.Operation, order.Price.Units, order.Budget.Units, order.Price.Currency, order.Calls,
            order.Valid is { } valid ? (long)valid.TotalSeconds : SqlValue.Null, order.Token, order.TopUp ? 1 : 0, now, order.Owner), ct);
    }

    public ValueTask SetSessionAsync(string id, string session, CancellationToken ct) =>
        database.WriteAsync(sql => sql.Run("update purchases set session = $2, changed = $3 where id = $1 and session is null", id, session, time.GetUtcNow()), ct);

    public ValueTask<Purchase?> FindAsync(string id, CancellationToken ct) => database.ReadAsync(sql => sql.First("""
        select id, operation, price, budget, currency, calls, valid_seconds, token, topup, session, intent, status, shown, created, owner
        from purchases where id = $1
        """, Read, id), ct);

    public ValueTask<Purchase?> FindBySessionAsync(string session, CancellationToken ct) => database.ReadAsync(sql => sql.First("""
        select id, operation, price, budget, currency, calls, valid_seconds, token, topup, session, intent, status, shown, created, owner
        from purchases where session = $1
        """, Read, session), ct);

    /// <summary>Where the money went of a sale in one call: into the token made by it, or onto the one that was topped up. Null: nowhere yet.</summary>
    public ValueTask<Bought?> BoughtAsync(string token, string receipt, CancellationToken ct) => database.ReadAsync(sql => sql.First(
        "select taker, units, currency from transfers where id in ($1, $2)", row => new Bought(row.Text(0), new Money(row.Long(1), row.Text(2))), $"issue:{token}", $"topup:{receipt}"), ct);

    public ValueTask<Purchase?> FindByIntentAsync(string intent, CancellationToken ct) => database.ReadAsync(sql => sql.First("""
        select id, operation, price, budget, currency, calls, valid_seconds, token, topup, session, intent, status, shown, created, owner
        from purchases where intent = $1
        """, Read, intent), ct);

    /// <summary>Paid is final: an expiry that arrives late changes nothing.</summary>
    public ValueTask SetStatusAsync(string id, PurchaseStatus status, string? intent, CancellationToken ct) => database.WriteAsync(sql => sql.Run("""
        update purchases set status = $2, intent = coalesce($3, intent), changed = $4 where id = $1 and status <> 'paid'
        """, id, Text(status), intent, time.GetUtcNow()), ct);

    /// <summary>Counts one more showing; false when it has been shown <paramref name="most"/> times.</summary>
    public async ValueTask<bool> TryShowAsync(string id, long most, CancellationToken ct) =>
        await database.WriteAsync(sql => sql.Change("update purchases set shown = shown + 1, changed = $3 where id = $1 and shown < $2", id, most, time.GetUtcNow()), ct) == 1;

    /// <summary>Notes an event of Stripe's. False when it is known and done: a copy.</summary>
    public ValueTask<bool> NoteAsync(StripeEvent told, CancellationToken ct) => database.WriteAsync(sql =>
    {
        if (sql.First("select done from stripe_events where id = $1", row => (long?)row.Long(0), told.Id) is { } done) return done == 0;
        sql.Run("insert into stripe_events (id, type, intent, amount, created, done) values ($1, $2, $3, $4, $5, 0)", told.Id, Kind(told), told.Intent, told.Amount, time.GetUtcNow());
        return true;
    }, ct);

    /// <summary>
    /// Notes that so much more of what was paid with test money goes back, once for each key; under which name, or null when that is more
    /// than was paid. The order's row is written first: two who ask at once would both count from the same cent.
    /// </summary>
    public ValueTask<string?> ReturnAsync(Purchase order, long units, string key, CancellationToken ct) => database.WriteAsync(sql =>
    {
        var (id, intent) = (ReturnId(order, key), "test:" + order.Id);
        sql.Run("update purchases set intent = $2 where id = $1", order.Id, intent);
        if (sql.First("select id from stripe_events where id = $1", row => row.Text(0), id) is not null) return intent;
        var after = units + sql.First("select coalesce(max(amount), 0) from stripe_events where intent = $1 and type = 'charge.refunded'", row => row.Long(0), intent);
        if (after > order.Price.Units) return null;
        sql.Run("insert into stripe_events (id, type, intent, amount, created, done) values ($1, 'charge.refunded', $2, $3, $4, 0)", id, intent, after, time.GetUtcNow());
        return intent;
    }, ct);

    /// <summary>What was ordered under this key before.</summary>
    public async ValueTask<bool> IsReturnedAsync(Purchase order, string key, CancellationToken ct) =>
        await database.ReadAsync(sql => sql.First("select id from stripe_events where id = $1", row => row.Text(0), ReturnId(order, key)), ct) is not null;

    /// <summary>What was paid for of all tokens that spend one account, whichever of them it was ordered with; the order that made the first of them first.</summary>
    public async ValueTask<IReadOnlyList<Purchase>> OfAccountAsync(string account, CancellationToken ct) => await database.ReadAsync(sql => sql.Query("""
        select id, operation, price, budget, currency, calls, valid_seconds, token, topup, session, intent, status, shown, created, owner
        from purchases where token in (select id from tokens where id = $1 or account = $2) and status = 'paid' order by topup, created, id limit 1000
        """, Read, Tokens.TokenStore.FirstOf(account), account), ct);

    private static string ReturnId(Purchase order, string key) => $"refund:{order.Id}:{key}";

    public ValueTask DoneAsync(string id, CancellationToken ct) => database.WriteAsync(sql => sql.Run("update stripe_events set done = 1 where id = $1", id), ct);

    /// <summary>What was told of a payment before we knew it.</summary>
    public async ValueTask<IReadOnlyList<StripeEvent>> WaitingAsync(string intent, CancellationToken ct) => await database.ReadAsync(sql => sql.Query(
        "select id, type, intent, amount from stripe_events where intent = $1 and done = 0 order by created, id",
        row => Read(row.Text(1).Split(' '), row), intent), ct);

    /// <summary>Payments of paid orders about which something was told that is not dealt with.</summary>
    public async ValueTask<IReadOnlyList<Purchase>> BehindAsync(CancellationToken ct) => await database.ReadAsync(sql => sql.Query("""
        select id, operation, price, budget, currency, calls, valid_seconds, token, topup, session, intent, status, shown, created, owner
        from purchases where status = 'paid' and intent in (select intent from stripe_events where done = 0 and intent is not null) order by created, id limit 100
        """, Read), ct);

    /// <summary>How much of a payment is known to have gone back, in minor units.</summary>
    public ValueTask<long> RefundedAsync(string intent, CancellationToken ct) => database.ReadAsync(sql => sql.First(
        "select coalesce(max(amount), 0) from stripe_events where intent = $1 and type = 'charge.refunded' and done = 1", row => row.Long(0), intent), ct);

    private static Purchase Read(SqlRow row) => new(row.Text(0), row.Text(1), new Money(row.Long(2), row.Text(4)), new Money(row.Long(3), row.Text(4)), row.LongOrNull(5),
        row.LongOrNull(6) is { } seconds ? TimeSpan.FromSeconds(seconds) : null, row.Text(7), row.Long(8) == 1)
    {
        Session = row.TextOrNull(9),
        Intent = row.TextOrNull(10),
        Status = row.Text(11) switch { "paid" => PurchaseStatus.Paid, "ended" => PurchaseStatus.Ended, _ => PurchaseStatus.Open },
        Shown = row.Long(12),
        Created = row.Time(13),
        Owner = row.TextOrNull(14),
    };

    // A dispute's outcome is kept beside its type: an order that is known to be paid only later must still hear of it.
    private static string Kind(StripeEvent told) => told.Type == "charge.dispute.closed" && told.Status is { } outcome ? $"{told.Type} {outcome}" : told.Type;

    private static StripeEvent Read(string[] kind, SqlRow row) => new(row.Text(0), kind[0]) { Intent = row.TextOrNull(2), Amount = row.LongOrNull(3), Status = kind.ElementAtOrDefault(1) };

    private static string Text(PurchaseStatus status) => status switch { PurchaseStatus.Paid => "paid", PurchaseStatus.Ended => "ended", _ => "open" };
}
