using Turnpike.Ledger;

namespace Turnpike.Metering;

/// <summary>What calls brought in, what they cost, and what is left, from the records of use.</summary>
internal sealed class MarginQueries(UsageStore records)
{
    private const int MostGroups = 10_000;

    /// <summary>One row for each group and currency; groups beyond the bound are told together.</summary>
    public async ValueTask<IReadOnlyList<Margin>> AskAsync(DateTimeOffset from, DateTimeOffset to, IReadOnlyList<string> dimensions, CancellationToken ct)
    {
        var sums = new Dictionary<(string Group, string Currency), Margin>();
        await records.ScanAsync(from, to, null, record =>
        {
            // What a plan's allowance paid in units brought in no money, and costs the same.
            Money? earned = record.Cost is { } paid && Money.IsMoney(paid.Currency) ? paid : null;
            if (earned is { } revenue) Of(record, revenue.Currency).Earn(revenue, record.Expense is not null);
            if (record.Expense is { } cost) Of(record, cost.Currency).Spend(cost, earned is not null);
        }, ct);
        return [.. sums.OrderBy(s => s.Key.Group, StringComparer.Ordinal).ThenBy(s => s.Key.Currency, StringComparer.Ordinal).Select(s => s.Value)];

        Margin Of(UsageRecord record, string currency)
        {
            string?[] values = [.. dimensions.Select(d => MeterDefinition.DimensionOf(record, d))];
            var key = (string.Join('\0', values), currency);
            if (!sums.ContainsKey(key) && sums.Count >= MostGroups) (values, key) = ([.. dimensions.Select(_ => MeterQueries.Others)], (MeterQueries.Others, currency));
            return sums.TryGetValue(key, out var sum) ? sum : sums[key] = new Margin(values, currency);
        }
    }
}

/// <summary>What one group brought in and cost, in one currency.</summary>
internal sealed class Margin(IReadOnlyList<string?> group, string currency)
{
    private Int128 revenue, cost;

    public IReadOnlyList<string?> Group => group;

    public string Currency => currency;

    public long Calls { get; private set; }

    /// <summary>Paid calls whose cost nobody wrote down: they are in the revenue alone.</summary>
    public long WithoutCost { get; private set; }

    public Money Revenue => Of(revenue);

    public Money Cost => Of(cost);

    public Money Left => Of(revenue - cost);

    public void Earn(Money paid, bool hasCost)
    {
        revenue += paid.Units;
        Calls++;
        if (!hasCost) WithoutCost++;
    }

    public void Spend(Money spent, bool wasPaid)
    {
        cost += spent.Units;
        if (!wasPaid) Calls++;
    }

    private Money Of(Int128 units) => new(checked((long)units), currency);
}
