using Turnpike.Ledger;
using Turnpike.Payments.Stripe;
using Turnpike.Storage;

namespace Turnpike.Billing.Disputes;

/// <summary>A payment its buyer took back through the bank, as Stripe last told.</summary>
/// <param name="Due">Until when evidence is taken.</param>
/// <param name="Submitted">When ours was.</param>
internal sealed record Dispute(string Id, string Intent, Money Amount, string Status, string? Reason, DateTimeOffset? Due, DateTimeOffset? Submitted, DateTimeOffset Created)
{
    public bool IsClosed => Status is "won" or "lost" or "warning_closed";
}

/// <summary>Disputes. An outcome is final: what was told before it and arrives after it changes nothing.</summary>
internal sealed class DisputeStore(Database database, TimeProvider time)
{
    /// <summary>Notes how a dispute stands; the dispute as it then is.</summary>
    public ValueTask<Dispute?> NoteAsync(StripeEvent told, CancellationToken ct)
    {
        if (told is not { Dispute: { } id, Intent: { } intent, Amount: { } minor, Currency: { } currency }) return default;
        var (now, amount) = (time.GetUtcNow(), StripeCurrencies.OfMinor(minor, currency.ToUpperInvariant()));
        return database.WriteAsync(sql =>
        {
            sql.Run("""
                insert into disputes (id, intent, amount, currency, status, reason, due, submitted, created, changed) values ($1, $2, $3, $4, $5, $6, $7, null, $8, $8)
                on conflict (id) do update set status = excluded.status, due = excluded.due, changed = excluded.changed where disputes.status not in ('won', 'lost', 'warning_closed')
                """, id, intent, amount.Units, amount.Currency, told.Status ?? "needs_response", told.Reason, told.Due, now);
            return Find(sql, id);
        }, ct);
    }

    public ValueTask<Dispute?> FindAsync(string id, CancellationToken ct) => database.ReadAsync(sql => Find(sql, id), ct);

    public async ValueTask<IReadOnlyList<Dispute>> ListAsync(int most, CancellationToken ct) => await database.ReadAsync(sql =>
        sql.Query("select id, intent, amount, currency, status, reason, due, submitted, created from disputes order by created desc, id limit $1", Read, most), ct);

    public ValueTask SubmittedAsync(string id, string status, CancellationToken ct) => database.WriteAsync(sql =>
        sql.Run("update disputes set submitted = $2, status = $3, changed = $2 where id = $1 and status not in ('won', 'lost', 'warning_closed')", id, time.GetUtcNow(), status), ct);

    private static Dispute? Find(Sql sql, string id) => sql.First("select id, intent, amount, currency, status, reason, due, submitted, created from disputes where id = $1", Read, id);

    private static Dispute Read(SqlRow row) => new(row.Text(0), row.Text(1), new Money(row.Long(2), row.Text(3)), row.Text(4), row.TextOrNull(5), row.TimeOrNull(6), row.TimeOrNull(7), row.Time(8));
}
