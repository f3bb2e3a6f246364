using Turnpike.Ledger;
using Turnpike.Storage;

namespace Turnpike.Billing.Statements;

/// <summary>What moved on one account in a time, in and out, and what it had at the end of it.</summary>
internal sealed record AccountFlow(string Account, string Currency, Int128 In, Int128 Out, Int128 Closing);

/// <summary>The entries of a time, for statements and exports; each on one snapshot, without holding them all.</summary>
internal sealed class BookStore(Database database)
{
    public ValueTask<IReadOnlyList<AccountFlow>> FlowsAsync(DateTimeOffset from, DateTimeOffset to, CancellationToken ct) => database.ScanAsync<IReadOnlyList<AccountFlow>>(sql =>
    {
        List<AccountFlow> flows = [];
        foreach (var flow in sql.Stream("""
            select account, currency,
                coalesce(sum(case when created >= $1 and units > 0 then units / 1000000000 else 0 end), 0), coalesce(sum(case when created >= $1 and units > 0 then units % 1000000000 else 0 end), 0),
                coalesce(sum(case when created >= $1 and units < 0 then units / 1000000000 else 0 end), 0), coalesce(sum(case when created >= $1 and units < 0 then units % 1000000000 else 0 end), 0),
                coalesce(sum(units / 1000000000), 0), coalesce(sum(units % 1000000000), 0)
            from entries where created < $2 group by account, currency order by account, currency
            """, Read, Microseconds.ToMicroseconds(from), Microseconds.ToMicroseconds(to)))
        {
            ct.ThrowIfCancellationRequested();
            flows.Add(flow);
        }
        return flows;
    }, ct);

    /// <summary>Every entry of a time, those of one source together, oldest first.</summary>
    public async ValueTask ScanAsync(DateTimeOffset from, DateTimeOffset to, Action<BookLine> take, CancellationToken ct) => await database.ScanAsync(sql =>
    {
        foreach (var line in sql.Stream("""
            select created, source, kind, account, currency, units from entries where created >= $1 and created < $2 order by created, source, kind, account, currency, sequence
            """, row => new BookLine(row.Time(0), row.Text(1), row.Text(2), row.Text(3), new Money(row.Long(5), row.Text(4))), Microseconds.ToMicroseconds(from), Microseconds.ToMicroseconds(to)))
        {
            ct.ThrowIfCancellationRequested();
            take(line);
        }
        return true;
    }, ct);

    /// <summary>What upstreams cost for the calls of a time, where operations say so.</summary>
    public async ValueTask<IReadOnlyList<Money>> ExpensesAsync(DateTimeOffset from, DateTimeOffset to, CancellationToken ct) => await database.ScanAsync(sql => sql.Query("""
        select expense_currency, sum(expense) from usage_records where happened >= $1 and happened < $2 and expense_currency is not null group by expense_currency order by expense_currency
        """, row => new Money(row.Long(1), row.Text(0)), from, to), ct);

    /// <summary>What tokens still have that had expired by then: sold, and never to be spent as it is.</summary>
    public async ValueTask<IReadOnlyList<Money>> ExpiredAsync(DateTimeOffset at, CancellationToken ct) => await database.ScanAsync(sql => sql.Query("""
        select e.currency, coalesce(sum(e.units / 1000000000), 0), coalesce(sum(e.units % 1000000000), 0)
        from tokens t join entries e on e.account = 'token:' || t.id where t.expires <= $1 and e.created < $1 group by e.currency order by e.currency
        """, row => new Money(checked((long)LedgerStore.Whole(row.Long(1), row.Long(2))), row.Text(0)), at), ct);

    private static AccountFlow Read(SqlRow row) => new(row.Text(0), row.Text(1), LedgerStore.Whole(row.Long(2), row.Long(3)), -LedgerStore.Whole(row.Long(4), row.Long(5)), LedgerStore.Whole(row.Long(6), row.Long(7)));
}
