using Turnpike.Storage;

namespace Turnpike.Billing.Disputes;

/// <summary>Which call a charge of Stripe's paid for.</summary>
internal sealed class ChargeStore(Database database)
{
    /// <summary>The receipt of the call; null when no call was paid by it, or is known to have been.</summary>
    public ValueTask<string?> ReceiptAsync(string intent, CancellationToken ct) => database.ReadAsync(sql => sql.First("select receipt from holds where method = 'mpp.stripe' and reference = $1", row => row.Text(0), intent), ct);

    /// <summary>Charges about which something was told that is not dealt with, and whose call is known.</summary>
    public async ValueTask<IReadOnlyList<string>> BehindAsync(CancellationToken ct) => await database.ReadAsync(sql => sql.Query("""
        select distinct stripe_events.intent from stripe_events join holds on holds.method = 'mpp.stripe' and holds.reference = stripe_events.intent
        where stripe_events.done = 0 order by stripe_events.intent limit 100
        """, row => row.Text(0)), ct);

    /// <summary>All that was told of a charge is dealt with.</summary>
    public ValueTask DoneAsync(string intent, CancellationToken ct) => database.WriteAsync(sql => sql.Run("update stripe_events set done = 1 where intent = $1 and done = 0", intent), ct);

    /// <summary>The disputes of a charge.</summary>
    public async ValueTask<IReadOnlyList<string>> DisputesAsync(string intent, CancellationToken ct) => await database.ReadAsync(sql => sql.Query("select id from disputes where intent = $1 order by id", row => row.Text(0), intent), ct);
}
