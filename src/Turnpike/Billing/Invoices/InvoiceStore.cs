using System.Text.Json;
using Turnpike.Ledger;
using Turnpike.Storage;

namespace Turnpike.Billing.Invoices;

/// <summary>Invoices. Each step is one statement that only the state before it lets through, so that two nodes, or one after a crash, take it once.</summary>
internal sealed class InvoiceStore(Database database, TimeProvider time)
{
    /// <summary>Writes a draft unless there is one of this caller, currency and period.</summary>
    public ValueTask AddAsync(Invoice draft, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        return database.WriteAsync(sql => sql.Run("""
            insert into invoices (id, caller, currency, period_start, period_end, number, status, lines, moves, total, carried, charged, tax, credited, due_seconds, grace_seconds, booked,
                opened, due, ended, reference, stripe_invoice, stripe_account, url, error, looked, created, changed)
            values ($1, $2, $3, $4, $5, null, 'draft', $6, $7, $8, $9, $10, 0, 0, $11, $12, 0, null, null, null, null, null, null, null, null, $13, $13, $13)
            on conflict (caller, currency, period_end) do nothing
            """, draft.Id, draft.Caller, draft.Currency, draft.Start, draft.End, JsonSerializer.Serialize(draft.Lines, InvoiceJson.Default.IReadOnlyListInvoiceLine),
            JsonSerializer.Serialize(draft.Moves, InvoiceJson.Default.IReadOnlyDictionaryStringInt64), draft.Total.Units, draft.Carried.Units, draft.Charged.Units,
            (long)draft.DueAfter.TotalSeconds, (long)draft.Grace.TotalSeconds, now), ct);
    }

    public ValueTask<Invoice?> FindAsync(string id, CancellationToken ct) => database.ReadAsync(sql => sql.First("""
        select id, caller, currency, period_start, period_end, number, status, lines, moves, total, carried, charged, tax, credited, due_seconds, grace_seconds, booked, opened, due, ended, reference, stripe_invoice, url, error, created, looked
        from invoices where id = $1
        """, Read, id), ct);

    public ValueTask<Invoice?> FindByStripeAsync(string invoice, CancellationToken ct) => database.ReadAsync(sql => sql.First("""
        select id, caller, currency, period_start, period_end, number, status, lines, moves, total, carried, charged, tax, credited, due_seconds, grace_seconds, booked, opened, due, ended, reference, stripe_invoice, url, error, created, looked
        from invoices where stripe_invoice = $1
        """, Read, invoice), ct);

    /// <summary>The invoice before this moment, whose leftover the next one begins with.</summary>
    public ValueTask<Invoice?> BeforeAsync(string caller, string currency, DateTimeOffset end, CancellationToken ct) => database.ReadAsync(sql => sql.First("""
        select id, caller, currency, period_start, period_end, number, status, lines, moves, total, carried, charged, tax, credited, due_seconds, grace_seconds, booked, opened, due, ended, reference, stripe_invoice, url, error, created, looked
        from invoices where caller = $1 and currency = $2 and period_end < $3 order by period_end desc limit 1
        """, Read, caller, currency, end), ct);

    /// <summary>Newest periods first.</summary>
    public async ValueTask<IReadOnlyList<Invoice>> ListAsync(string? caller, InvoiceStatus? status, int most, CancellationToken ct) => await database.ReadAsync(sql => sql.Query("""
        select id, caller, currency, period_start, period_end, number, status, lines, moves, total, carried, charged, tax, credited, due_seconds, grace_seconds, booked, opened, due, ended, reference, stripe_invoice, url, error, created, looked
        from invoices where ($1 = '' or caller = $1) and ($2 = '' or status = $2) order by period_end desc, caller, currency limit $3
        """, Read, caller ?? "", status is { } one ? Text(one) : "", most), ct);

    /// <summary>Those that wait for something: to be booked or sent, to be paid, or to be looked at.</summary>
    public async ValueTask<IReadOnlyList<Invoice>> WaitingAsync(CancellationToken ct) => await database.ReadAsync(sql => sql.Query("""
        select id, caller, currency, period_start, period_end, number, status, lines, moves, total, carried, charged, tax, credited, due_seconds, grace_seconds, booked, opened, due, ended, reference, stripe_invoice, url, error, created, looked
        from invoices where status = 'draft' or booked = 0 order by period_end, caller, currency
        """, Read), ct);

    /// <summary>Those that Stripe collects and was not asked about since.</summary>
    public async ValueTask<IReadOnlyList<Invoice>> NotLookedAtAsync(DateTimeOffset since, CancellationToken ct) => await database.ReadAsync(sql => sql.Query("""
        select id, caller, currency, period_start, period_end, number, status, lines, moves, total, carried, charged, tax, credited, due_seconds, grace_seconds, booked, opened, due, ended, reference, stripe_invoice, url, error, created, looked
        from invoices where status in ('open', 'past_due') and stripe_invoice is not null and looked < $1 order by looked limit 100
        """, Read, since), ct);

    /// <summary>Periods that have been billed.</summary>
    public async ValueTask<IReadOnlySet<(string Caller, string Currency, DateTimeOffset End)>> BilledAsync(CancellationToken ct) =>
        (await database.ReadAsync(sql => sql.Query("select caller, currency, period_end from invoices", row => (row.Text(0), row.Text(1), row.Time(2))), ct)).ToHashSet();

    /// <summary>Callers with an invoice that was not paid when its grace had ended, or never will be.</summary>
    public async ValueTask<IReadOnlyList<string>> InArrearsAsync(DateTimeOffset now, CancellationToken ct) => await database.ReadAsync(sql => sql.Query("""
        select distinct caller from invoices where status = 'uncollectible' or status in ('open', 'past_due') and due + grace_seconds * 1000000 <= $1
        """, row => row.Text(0), now), ct);

    public ValueTask BookedAsync(string id, CancellationToken ct) => database.WriteAsync(sql => sql.Run("update invoices set booked = 1, changed = $2 where id = $1", id, time.GetUtcNow()), ct);

    /// <summary>True when a movement of this id is in the books.</summary>
    public ValueTask<bool> IsPostedAsync(string transfer, CancellationToken ct) => database.ReadAsync(sql => LedgerStore.FindTransfer(sql, transfer) is not null, ct);

    public ValueTask LookedAsync(string id, CancellationToken ct) => database.WriteAsync(sql => sql.Run("update invoices set looked = $2 where id = $1", id, time.GetUtcNow()), ct);

    public ValueTask SetErrorAsync(string id, string? error, CancellationToken ct) => database.WriteAsync(sql => sql.Run("update invoices set error = $2 where id = $1", id, error), ct);

    /// <summary>Stripe's own name for it, once.</summary>
    public ValueTask SetStripeAsync(string id, string stripe, string? account, CancellationToken ct) =>
        database.WriteAsync(sql => sql.Run("update invoices set stripe_invoice = $2, stripe_account = $3, changed = $4 where id = $1 and stripe_invoice is null", id, stripe, account, time.GetUtcNow()), ct);

    /// <summary>Sent: it gets its number. Once; false when it was no draft any more.</summary>
    public ValueTask<bool> OpenAsync(string id, Money tax, string? url, DateTimeOffset due, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        return database.WriteAsync(sql =>
        {
            if (sql.Change("update invoices set status = 'open', tax = $2, url = $3, opened = $4, due = $5, error = null, changed = $4 where id = $1 and status = 'draft' and booked = 1", id, tax.Units, url, now, due) == 0) return false;
            sql.Run("insert into counters (name, value) values ('invoices', 1) on conflict (name) do update set value = counters.value + 1");
            sql.Run("update invoices set number = (select value from counters where name = 'invoices') where id = $1", id);
            return true;
        }, ct);
    }

    /// <summary>Not paid in time.</summary>
    public async ValueTask<IReadOnlyList<string>> AgeAsync(DateTimeOffset now, CancellationToken ct)
    {
        var late = await database.ReadAsync(sql => sql.Query("select id from invoices where status = 'open' and due <= $1", row => row.Text(0), now), ct);
        List<string> aged = [];
        foreach (var id in late)
            if (await database.WriteAsync(sql => sql.Change("update invoices set status = 'past_due', changed = $2 where id = $1 and status = 'open'", id, now), ct) == 1) aged.Add(id);
        return aged;
    }

    /// <summary>Paid, void or given up. What is paid or void stays so; what was given up may still be paid. False when it was that already, or cannot become it.</summary>
    public async ValueTask<bool> EndAsync(string id, InvoiceStatus status, string? reference, CancellationToken ct) => await database.WriteAsync(sql => sql.Change("""
        update invoices set status = $2, reference = coalesce($3, reference), ended = $4, booked = 0, changed = $4
        where id = $1 and status <> $2 and (status in ('draft', 'open', 'past_due') or status = 'uncollectible' and $2 = 'paid')
        """, id, Text(status), reference, time.GetUtcNow()), ct) == 1;

    /// <summary>Notes a credit; false when it exists, or there is not so much left to give.</summary>
    public ValueTask<bool> CreditAsync(CreditNote note, CancellationToken ct) => database.WriteAsync(sql =>
    {
        if (sql.First("select 1 from credit_notes where id = $1", row => row.Long(0), note.Id) == 1) return false;
        if (sql.Change("update invoices set credited = credited + $2, changed = $3 where id = $1 and credited + $2 <= charged and status in ('open', 'past_due', 'paid', 'uncollectible')", note.Invoice, note.Amount.Units, note.Created) == 0) return false;
        sql.Run("insert into credit_notes (id, invoice, amount, currency, reason, paid_out, done, reference, error, created) values ($1, $2, $3, $4, $5, $6, 0, null, null, $7)",
            note.Id, note.Invoice, note.Amount.Units, note.Amount.Currency, note.Reason, note.PaidOut ? 1 : 0, note.Created);
        return true;
    }, ct);

    public ValueTask CreditedAsync(string note, string? reference, CancellationToken ct) => database.WriteAsync(sql => sql.Run("update credit_notes set done = 1, reference = $2 where id = $1", note, reference), ct);

    public ValueTask<CreditNote?> FindNoteAsync(string id, CancellationToken ct) =>
        database.ReadAsync(sql => sql.First("select id, invoice, amount, currency, reason, paid_out, done, reference, created from credit_notes where id = $1", ReadNote, id), ct);

    public async ValueTask<IReadOnlyList<CreditNote>> NotesAsync(string invoice, CancellationToken ct) => await database.ReadAsync(sql =>
        sql.Query("select id, invoice, amount, currency, reason, paid_out, done, reference, created from credit_notes where invoice = $1 order by created, id", ReadNote, invoice), ct);

    /// <summary>Credit notes that Stripe has not been told of.</summary>
    public async ValueTask<IReadOnlyList<CreditNote>> UntoldNotesAsync(CancellationToken ct) => await database.ReadAsync(sql =>
        sql.Query("select id, invoice, amount, currency, reason, paid_out, done, reference, created from credit_notes where done = 0 order by created, id", ReadNote), ct);

    public static string Text(InvoiceStatus status) => status == InvoiceStatus.PastDue ? "past_due" : status.ToString().ToLowerInvariant();

    public static InvoiceStatus? StatusOf(string? text) => text switch
    {
        "draft" => InvoiceStatus.Draft,
        "open" => InvoiceStatus.Open,
        "paid" => InvoiceStatus.Paid,
        "past_due" => InvoiceStatus.PastDue,
        "uncollectible" => InvoiceStatus.Uncollectible,
        "void" => InvoiceStatus.Void,
        _ => null,
    };

    private static CreditNote ReadNote(SqlRow row) => new(row.Text(0), row.Text(1), new Money(row.Long(2), row.Text(3)), row.Text(4), row.Long(5) == 1, row.Long(6) == 1, row.TextOrNull(7), row.Time(8));

    private static Invoice Read(SqlRow row)
    {
        var currency = row.Text(2);
        return new Invoice(row.Text(0), row.Text(1), currency, row.Time(3), row.Time(4))
        {
            Number = row.LongOrNull(5),
            Status = StatusOf(row.Text(6)) ?? InvoiceStatus.Draft,
            Lines = JsonSerializer.Deserialize(row.Text(7), InvoiceJson.Default.IReadOnlyListInvoiceLine)!,
            Moves = JsonSerializer.Deserialize(row.Text(8), InvoiceJson.Default.IReadOnlyDictionaryStringInt64)!,
            Total = new Money(row.Long(9), currency),
            Carried = new Money(row.Long(10), currency),
            Charged = new Money(row.Long(11), currency),
            Tax = new Money(row.Long(12), currency),
            Credited = new Money(row.Long(13), currency),
            DueAfter = TimeSpan.FromSeconds(row.Long(14)),
            Grace = TimeSpan.FromSeconds(row.Long(15)),
            Booked = row.Long(16) == 1,
            Opened = row.TimeOrNull(17),
            Due = row.TimeOrNull(18),
            Ended = row.TimeOrNull(19),
            Reference = row.TextOrNull(20),
            StripeInvoice = row.TextOrNull(21),
            Url = row.TextOrNull(22),
            Error = row.TextOrNull(23),
            Created = row.Time(24),
            Looked = row.Time(25),
        };
    }
}
