using System.Collections.Frozen;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Turnpike.Ledger;
using Turnpike.Storage;

namespace Turnpike.Metering;

/// <summary>The records of use: written with the money of their call, or with the next transaction where there was none.</summary>
internal sealed class UsageStore(Database database, UsageExports exports, TimeProvider time)
{
    private const string New = """
        insert into usage_records (source, id, happened, operation, caller, payer, model, origin, charged, observed, cost, currency, receipt, expense, expense_currency, asked, reported, labels)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
        on conflict (source, id) do nothing
        """;

    /// <summary>Writes a record within a transaction that is open, and beside it what it is to be sent to; nothing when it is there already.</summary>
    public void Insert(Sql sql, UsageRecord record) => Insert(sql, record, ValuesOf(record));

    /// <summary>The same for a transaction to come: what can be done before it is done, since the writer is one for all.</summary>
    public Action<Sql> WriterOf(UsageRecord record)
    {
        var values = ValuesOf(record);
        return sql => Insert(sql, record, values);
    }

    private static SqlValue[] ValuesOf(UsageRecord record) =>
    [
        record.Source, record.Id, Microseconds.ToMicroseconds(record.Happened), record.Operation, record.Caller, record.Payer, record.Model, record.Origin,
        Write(record.Charged), Write(record.Observed), record.Cost?.Units ?? 0, record.Cost?.Currency, record.Receipt, record.Expense?.Units, record.Expense?.Currency,
        record.Asked, ToldBy(record) ? null : Write(record.Reported), record.Labels.Count == 0 ? null : WriteLabels(record.Labels),
    ];

    private void Insert(Sql sql, UsageRecord record, SqlValue[] values)
    {
        var destinations = exports();
        if (destinations.Count == 0) { sql.Run(New, values); return; }
        // A copy is not sent again: what it repeats may have been sent long ago.
        if (sql.Change(New, values) == 0) return;
        var now = sql.Now(time);
        foreach (var destination in destinations)
            sql.Run("""
                insert into usage_outbox (destination, queued, source, id, subject, tries, first, due, error)
                values ($1, $2, $3, $4, $5, 0, null, 0, null)
                """, destination, now, record.Source, record.Id, record.Subject);
    }

    /// <summary>A call without money: nobody waits, and it is durable with the next transaction.</summary>
    public ValueTask<bool> AddLaterAsync(UsageRecord record)
    {
        var write = WriterOf(record);
        return database.Writer.WriteLaterAsync(new StoreWrite<bool>(sql => { write(sql); return true; }), GroupCommit.Sometime);
    }

    /// <summary>Imported use and corrections; durable when it returns.</summary>
    public ValueTask AddAsync(UsageRecord record, CancellationToken ct) => database.WriteAsync(sql => Insert(sql, record), ct);

    public ValueTask<UsageRecord?> FindByReceiptAsync(string receipt, CancellationToken ct) => database.ReadAsync(sql => sql.First("""
        select source, id, happened, operation, caller, payer, model, origin, charged, observed, cost, currency, receipt, expense, expense_currency, asked, reported, labels
        from usage_records where source = $2 and id = $1 and receipt = $1
        """, Read, receipt, UsageRecord.Here), ct);

    /// <summary>The newest records first, at most so many.</summary>
    public ValueTask<IReadOnlyList<UsageRecord>> ListAsync(UsageFilter asked, int most, CancellationToken ct) => database.ReadAsync<IReadOnlyList<UsageRecord>>(sql => sql.Query("""
        select source, id, happened, operation, caller, payer, model, origin, charged, observed, cost, currency, receipt, expense, expense_currency, asked, reported, labels
        from usage_records
        where happened >= $1 and happened < $2 and (cast($3 as text) is null or caller = $3) and (cast($4 as text) is null or payer = $4) and (cast($5 as text) is null or operation = $5)
            and (happened, source, id) < ($6, $7, $8)
        order by happened desc, source desc, id desc limit $9
        """, Read, Microseconds.ToMicroseconds(asked.From), Microseconds.ToMicroseconds(asked.To), asked.Caller, asked.Payer, asked.Operation, asked.Before.Happened, asked.Before.Source, asked.Before.Id, most), ct);

    /// <summary>Gives each record of a time to <paramref name="take"/>, oldest first, without holding them all.</summary>
    public ValueTask<bool> ScanAsync(DateTimeOffset from, DateTimeOffset to, string? payer, Action<UsageRecord> take, CancellationToken ct) =>
        ScanAsync(sql => payer is null ? All(sql, from, to) : OfPayer(sql, from, to, payer), take, ct);

    /// <summary>The same for what one caller used, whoever paid.</summary>
    public ValueTask<bool> ScanCallerAsync(DateTimeOffset from, DateTimeOffset to, string caller, Action<UsageRecord> take, CancellationToken ct) =>
        ScanAsync(sql => OfCaller(sql, from, to, caller), take, ct);

    private ValueTask<bool> ScanAsync(Func<Sql, IEnumerable<UsageRecord>> records, Action<UsageRecord> take, CancellationToken ct) => database.ScanAsync(sql =>
    {
        foreach (var record in records(sql))
        {
            ct.ThrowIfCancellationRequested();
            take(record);
        }
        return true;
    }, ct);

    private static IEnumerable<UsageRecord> All(Sql sql, DateTimeOffset from, DateTimeOffset to) => sql.Stream("""
        select source, id, happened, operation, caller, payer, model, origin, charged, observed, cost, currency, receipt, expense, expense_currency, asked, reported, labels
        from usage_records where happened >= $1 and happened < $2 order by happened
        """, Read, Microseconds.ToMicroseconds(from), Microseconds.ToMicroseconds(to));

    private static IEnumerable<UsageRecord> OfPayer(Sql sql, DateTimeOffset from, DateTimeOffset to, string payer) => sql.Stream("""
        select source, id, happened, operation, caller, payer, model, origin, charged, observed, cost, currency, receipt, expense, expense_currency, asked, reported, labels
        from usage_records where payer = $3 and happened >= $1 and happened < $2 order by happened
        """, Read, Microseconds.ToMicroseconds(from), Microseconds.ToMicroseconds(to), payer);

    private static IEnumerable<UsageRecord> OfCaller(Sql sql, DateTimeOffset from, DateTimeOffset to, string caller) => sql.Stream("""
        select source, id, happened, operation, caller, payer, model, origin, charged, observed, cost, currency, receipt, expense, expense_currency, asked, reported, labels
        from usage_records where caller = $3 and happened >= $1 and happened < $2 order by happened
        """, Read, Microseconds.ToMicroseconds(from), Microseconds.ToMicroseconds(to), caller);

    /// <summary>A record of the columns every query here has, in their order.</summary>
    public static UsageRecord Read(SqlRow row) => new()
    {
        Source = row.Text(0),
        Id = row.Text(1),
        Happened = row.Time(2),
        Operation = row.Text(3),
        Caller = row.TextOrNull(4),
        Payer = row.TextOrNull(5),
        Model = row.TextOrNull(6),
        Origin = row.Text(7),
        Charged = ReadCounts(row.Text(8)),
        Observed = ReadCounts(row.Text(9)),
        Cost = row.TextOrNull(11) is { } currency ? new Money(row.Long(10), currency) : null,
        Receipt = row.TextOrNull(12),
        Expense = row.TextOrNull(14) is { } spent ? new Money(row.Long(13), spent) : null,
        Asked = row.TextOrNull(15),
        Reported = row.TextOrNull(16) is { } told ? ReadCounts(told) : row.Text(7) == "reported" ? Told(ReadCounts(row.Text(8))) : new(),
        Labels = row.TextOrNull(17) is { } labels ? ReadLabels(labels) : FrozenDictionary<string, string>.Empty,
    };

    /// <summary>True where what was charged says what was told: all of it, but for what is measured here. It need not be kept twice.</summary>
    private static bool ToldBy(UsageRecord record)
    {
        if (record.Origin != "reported") return !record.Reported.Any();
        foreach (var (unit, count) in record.Reported)
            if (count != (Units.IsMeasured(unit) ? 0 : record.Charged[unit])) return false;
        foreach (var (unit, count) in record.Charged)
            if (!Units.IsMeasured(unit) && count != record.Reported[unit]) return false;
        return true;
    }

    private static Counts Told(Counts charged)
    {
        var told = new Counts();
        foreach (var (unit, count) in charged)
            if (!Units.IsMeasured(unit)) told[unit] = count;
        return told;
    }

    private static string WriteLabels(IReadOnlyDictionary<string, string> labels)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(128);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var (name, value) in labels) json.WriteString(name, value);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static Dictionary<string, string> ReadLabels(string text)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        using var json = JsonDocument.Parse(text);
        foreach (var label in json.RootElement.EnumerateObject()) labels[label.Name] = label.Value.GetString()!;
        return labels;
    }

    /// <summary><c>{"input_tokens":12,"output_tokens":10}</c>: names are ours, so nothing needs escaping.</summary>
    private static string Write(Counts counts)
    {
        var text = new DefaultInterpolatedStringHandler(0, 0, CultureInfo.InvariantCulture, stackalloc char[512]);
        text.AppendLiteral("{");
        var any = false;
        foreach (var (unit, count) in counts)
        {
            text.AppendLiteral(any ? ",\"" : "\"");
            text.AppendLiteral(unit);
            text.AppendLiteral("\":");
            text.AppendFormatted(count);
            any = true;
        }
        text.AppendLiteral("}");
        return text.ToStringAndClear();
    }

    private static Counts ReadCounts(string text)
    {
        var counts = new Counts();
        var json = new Utf8JsonReader(Encoding.UTF8.GetBytes(text));
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var unit = json.GetString()!;
            json.Read();
            counts[unit] = json.GetInt64();
        }
        return counts;
    }
}
