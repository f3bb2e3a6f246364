using Turnpike.Ledger;
using Turnpike.Storage;

namespace Turnpike.Billing.Invoices;

/// <summary>A plan with a fee, and the time a caller had it.</summary>
internal sealed record PlanSpan(string Caller, DateTimeOffset Since, string Plan, Money Fee, DateTimeOffset? Until)
{
    /// <summary>
    /// What the fee comes to in a period, by the time the plan was had in it. Parts of one period that follow each other add up to the
    /// whole fee, to the last unit: each is the difference of two roundings at the same points.
    /// </summary>
    public long ShareOf(DateTimeOffset start, DateTimeOffset end)
    {
        var from = Since > start ? Since : start;
        var to = Until is { } until && until < end ? until : end;
        return to <= from ? 0 : At(to) - At(from);

        long At(DateTimeOffset moment) => (long)((Int128)Fee.Units * (moment - start).Ticks / (end - start).Ticks);
    }
}

/// <summary>Which plan with a fee each caller had, and when.</summary>
internal sealed class PlanSpanStore(Database database)
{
    /// <summary>The caller has this now, or nothing that costs a fee; the same as before changes nothing.</summary>
    /// <param name="ended">When the plan before ended by its date: that counts, and not when somebody looked.</param>
    public ValueTask ObserveAsync(string caller, string? plan, Money? fee, DateTimeOffset now, DateTimeOffset? ended, CancellationToken ct) => database.WriteAsync(sql =>
    {
        var last = sql.First("select caller, since, plan, fee, currency, until from plan_spans where caller = $1 and until is null order by since desc limit 1", Read, caller);
        if (last is null && fee is null || last is not null && last.Plan == plan && last.Fee == fee) return;
        var at = ended is { } end && end <= now && (last is null || end > last.Since) ? end : now;
        if (last is not null && at <= last.Since) at = last.Since.AddTicks(TimeSpan.TicksPerMicrosecond);
        if (last is not null) sql.Run("update plan_spans set until = $3 where caller = $1 and since = $2 and until is null", caller, last.Since, at);
        if (fee is { } costs && plan is not null)
            sql.Run("insert into plan_spans (caller, since, plan, fee, currency, until) values ($1, $2, $3, $4, $5, null) on conflict (caller, since) do nothing", caller, at, plan, costs.Units, costs.Currency);
    }, ct);

    public async ValueTask<IReadOnlyList<PlanSpan>> AllAsync(CancellationToken ct) => await database.ReadAsync(sql =>
        sql.Query("select caller, since, plan, fee, currency, until from plan_spans order by caller, since", Read), ct);

    private static PlanSpan Read(SqlRow row) => new(row.Text(0), row.Time(1), row.Text(2), new Money(row.Long(3), row.Text(4)), row.TimeOrNull(5));
}
