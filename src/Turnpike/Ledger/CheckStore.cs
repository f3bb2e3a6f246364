using System.Text;
using Turnpike.Storage;

namespace Turnpike.Ledger;

/// <summary>Feeds a books check from the database, on one snapshot: two streams in the order of ids, joined as they pass.</summary>
internal static class CheckStore
{
    public static BooksReport Run(Sql sql, CancellationToken ct)
    {
        var check = new BooksCheck();
        var accounts = sql.Stream("select account, currency, sum(units / 1000000000), sum(units % 1000000000), count(*) from entries group by account, currency",
            row => (Key: new AccountKey(row.Text(0), row.Text(1)), Units: LedgerStore.Whole(row.Long(2), row.Long(3)), Count: row.Long(4)));
        foreach (var account in accounts) check.Sum(account.Key, account.Units, account.Count);
        foreach (var account in sql.Stream("select account, currency, posted, held from accounts", row => (Key: new AccountKey(row.Text(0), row.Text(1)), Posted: row.Long(2), Held: row.Long(3))))
            check.Balance(account.Key, account.Posted, account.Held);
        Join(sql, check, ct);
        return check.Report();
    }

    private static void Join(Sql sql, BooksCheck check, CancellationToken ct)
    {
        using var holds = HoldStore.All(sql).GetEnumerator();
        var more = holds.MoveNext();
        foreach (var (source, moved) in Sources(sql))
        {
            ct.ThrowIfCancellationRequested();
            while (more && Precedes(holds.Current.Hold.Id, source))
            {
                check.Hold(holds.Current, Nothing);
                more = holds.MoveNext();
            }
            var isHold = more && holds.Current.Hold.Id == source;
            if (isHold)
            {
                check.Hold(holds.Current, moved);
                more = holds.MoveNext();
            }
            check.Transfer(source, isHold || LedgerStore.FindTransfer(sql, source) is not null, moved);
        }
        for (; more; more = holds.MoveNext()) check.Hold(holds.Current, Nothing);
    }

    // The database orders text by its bytes.
    private static bool Precedes(string id, string source) => Encoding.UTF8.GetBytes(id).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(source)) < 0;

    private static readonly Dictionary<AccountKey, long> Nothing = [];

    private static IEnumerable<(string Source, Dictionary<AccountKey, long> Moved)> Sources(Sql sql)
    {
        string? source = null;
        Dictionary<AccountKey, long> moved = [];
        var rows = sql.Stream("select source, account, currency, sum(units) from entries group by source, account, currency order by source",
            row => (Source: row.Text(0), Key: new AccountKey(row.Text(1), row.Text(2)), Units: row.Long(3)));
        foreach (var row in rows)
        {
            if (source is not null && source != row.Source)
            {
                yield return (source, moved);
                moved = [];
            }
            source = row.Source;
            moved[row.Key] = row.Units;
        }
        if (source is not null) yield return (source, moved);
    }
}
