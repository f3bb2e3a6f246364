using System.Text.Json;
using Turnpike.Ledger;
using Turnpike.Plans;
using Turnpike.Storage;

namespace Turnpike.Billing.Invoices;

/// <summary>What the books say is still to be billed, and what it is made of.</summary>
internal sealed class UnbilledStore(Database database)
{
    /// <summary>The accounts of all callers, or of one, that anything was ever written on; by name, each found by one look into the index.</summary>
    public async ValueTask<IReadOnlyList<string>> AccountsAsync(string? caller, CancellationToken ct)
    {
        var prefix = caller is null ? Postpaid.Unbilled : $"{Postpaid.Unbilled}{caller}:";
        return await database.ReadAsync(sql =>
        {
            List<string> found = [];
            var (at, end) = (prefix, prefix[..^1] + ";"); // the character after the colon
            while (sql.First("select min(account) from entries where account > $1 and account < $2", row => row.TextOrNull(0), at, end) is { } next) found.Add(at = next);
            return found;
        }, ct);
    }

    /// <summary>What was delivered and is not billed, by currency; corrections are below zero.</summary>
    public ValueTask<IReadOnlyDictionary<string, long>> OwedAsync(string account, CancellationToken ct) => database.ReadAsync<IReadOnlyDictionary<string, long>>(sql => sql.Query("""
        select currency, coalesce(sum(units / 1000000000), 0), coalesce(sum(units % 1000000000), 0) from entries where account = $1 group by currency
        """, row => (Currency: row.Text(0), Units: checked((long)-LedgerStore.Whole(row.Long(1), row.Long(2)))), account).ToDictionary(o => o.Currency, o => o.Units, StringComparer.Ordinal), ct);

    /// <summary>True while a call is still being served on this account.</summary>
    public ValueTask<bool> IsBusyAsync(string account, CancellationToken ct) => database.ReadAsync(sql =>
        sql.First("select count(*) from holds where status in ('held', 'captured', 'unknown') and legs like $1", row => row.Long(0), $"%{account}%") > 0, ct);

    /// <summary>Every entry of an account in one currency, as lines: what each operation and each plan comes to, to the last unit.</summary>
    public async ValueTask<IReadOnlyList<InvoiceLine>> LinesAsync(string account, string currency, CancellationToken ct) => await database.ScanAsync(sql =>
    {
        var lines = new SortedDictionary<(string Kind, string Of), InvoiceLine>();
        foreach (var (units, source, operation, outcome, used, from, to) in Entries(sql, account, currency))
        {
            var (kind, of) = Named(operation, from, to, account);
            var line = lines.GetValueOrDefault((kind, of)) ?? new InvoiceLine(kind, of, 0, [], 0);
            var counts = operation is not null && outcome != (long)HoldOutcome.Credited && !source.StartsWith(Hold.RefundPrefix, StringComparison.Ordinal);
            foreach (var (unit, quantity) in counts && used is not null ? JsonSerializer.Deserialize(used, InvoiceJson.Default.SortedDictionaryStringInt64)! : [])
                line.Units[unit] = line.Units.GetValueOrDefault(unit) + quantity;
            lines[(kind, of)] = line with { Calls = line.Calls + (counts ? 1 : 0), Amount = checked(line.Amount - units) };
        }
        return lines.Values.Where(line => line.Amount != 0 || line.Calls > 0).ToList();
    }, ct);

    private static IEnumerable<(long Units, string Source, string? Operation, long Outcome, string? Used, string? From, string? To)> Entries(Sql sql, string account, string currency) => sql.Stream("""
        select e.units, e.source, h.operation, h.outcome, u.charged, t.giver, t.taker
        from entries e left join holds h on h.id = e.source left join transfers t on t.id = e.source
            left join usage_records u on u.source = $3 and u.id = h.receipt and u.receipt = h.receipt
        where e.account = $1 and e.currency = $2
        """, row => (row.Long(0), row.Text(1), row.TextOrNull(2), row.Long(3), row.TextOrNull(4), row.TextOrNull(5), row.TextOrNull(6)), account, currency, Metering.UsageRecord.Here);

    private static (string Kind, string Of) Named(string? operation, string? from, string? to, string account)
    {
        const string Plan = "revenue:plan.";
        if (operation is not null) return ("usage", operation);
        var other = from == account ? to : from;
        if (other is null) return ("usage", "other");
        if (other.StartsWith(Plan, StringComparison.Ordinal)) return ("fee", other[Plan.Length..]);
        return ("usage", other[(other.IndexOf(':', StringComparison.Ordinal) + 1)..]);
    }
}
