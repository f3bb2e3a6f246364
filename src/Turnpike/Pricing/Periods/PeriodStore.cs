using System.Globalization;
using Turnpike.Storage;

namespace Turnpike.Pricing.Periods;

/// <summary>
/// How far callers are in the tiers of a period. Taking is one statement that adds and tells what was there before, so that of any
/// number of calls at once, on any number of nodes, each has a stretch of its own, and together they come to what one call would.
/// </summary>
internal sealed class PeriodStore(Database database)
{
    /// <summary>
    /// Takes what a call used, and works out what it is charged from that; the same receipt takes once. It may run again after another
    /// command's failure, so <paramref name="charge"/> must have no effect but on what it is given.
    /// </summary>
    /// <param name="charge">Given what each unit comes to, in millionths, the whole charge in smallest units.</param>
    public async ValueTask TakeAsync(string receipt, string subject, IReadOnlyList<PeriodUse> uses, DateTimeOffset now, Func<IReadOnlyDictionary<string, Int128>, long> charge, CancellationToken ct) => await database.WriteAsync(sql =>
    {
        var known = Taken(sql, receipt).ToDictionary(t => t.Unit, StringComparer.Ordinal);
        List<PeriodTake> takes = [];
        foreach (var use in uses) takes.Add(known.GetValueOrDefault(use.Unit) ?? Take(sql, subject, use, now));
        var units = charge(takes.ToDictionary(t => t.Unit, t => t.Due, StringComparer.Ordinal));
        foreach (var take in takes)
            if (!known.ContainsKey(take.Unit))
                sql.Run("insert into price_takes (receipt, unit, price, ends, earlier, quantity, due, charge, happened) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                    receipt, take.Unit, take.Price, take.Ends, take.Earlier, take.Quantity, Text(take.Due), units, now);
    }, ct);

    /// <summary>The call was not charged after all: what it took is there again.</summary>
    public ValueTask GiveBackAsync(string receipt, string subject, CancellationToken ct) => database.WriteAsync(sql =>
    {
        foreach (var take in Taken(sql, receipt))
            sql.Run("update price_periods set used = used - $4 where subject = $1 and price = $2 and ends = $3", subject, take.Price, take.Ends, take.Quantity);
        sql.Run("delete from price_takes where receipt = $1", receipt);
    }, ct);

    /// <summary>What a call took, and what it was charged for all it used; none where its price knows no period.</summary>
    public ValueTask<IReadOnlyList<PeriodTake>> FindAsync(string receipt, CancellationToken ct) => database.ReadAsync<IReadOnlyList<PeriodTake>>(sql => Taken(sql, receipt), ct);

    private static PeriodTake Take(Sql sql, string subject, PeriodUse use, DateTimeOffset now)
    {
        var (_, end) = use.Rate.Over!.At(now);
        var used = sql.First("""
            insert into price_periods (subject, price, ends, used, due) values ($1, $2, $3, $4, '0')
            on conflict (subject, price, ends) do update set used = price_periods.used + $4 returning used
            """, row => row.Long(0), subject, use.Price, end, use.Quantity);
        // Whoever is the first of a period sweeps up what is left of those before.
        if (used == use.Quantity) sql.Run("delete from price_periods where subject = $1 and price = $2 and ends < $3", subject, use.Price, end);
        var before = Number(sql.First("select due from price_periods where subject = $1 and price = $2 and ends = $3", row => row.Text(0), subject, use.Price, end)!);
        var due = use.Rate.More(used - use.Quantity, use.Quantity, before);
        sql.Run("update price_periods set due = $4 where subject = $1 and price = $2 and ends = $3", subject, use.Price, end, Text(Int128.Max(before, use.Rate.Of(used))));
        return new PeriodTake(use.Unit, use.Price, end, used - use.Quantity, use.Quantity, due, 0);
    }

    private static List<PeriodTake> Taken(Sql sql, string receipt) => sql.Query("select unit, price, ends, earlier, quantity, due, charge from price_takes where receipt = $1",
        row => new PeriodTake(row.Text(0), row.Text(1), row.Time(2), row.Long(3), row.Long(4), Number(row.Text(5)), row.Long(6)), receipt);

    private static string Text(Int128 number) => number.ToString(CultureInfo.InvariantCulture);

    private static Int128 Number(string text) => Int128.Parse(text, CultureInfo.InvariantCulture);
}

/// <summary>What a call used of one unit whose tiers count over a period.</summary>
/// <param name="Price">Names the tiers: operation, model and unit.</param>
internal sealed record PeriodUse(string Unit, string Price, Rate Rate, long Quantity);

/// <summary>A stretch of a period that belongs to one call.</summary>
/// <param name="Due">What it comes to, in millionths of the smallest unit.</param>
/// <param name="Charge">What the whole call was charged, in smallest units.</param>
internal sealed record PeriodTake(string Unit, string Price, DateTimeOffset Ends, long Earlier, long Quantity, Int128 Due, long Charge);
