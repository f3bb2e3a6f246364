using Turnpike.Storage;

namespace Turnpike.Ledger;

/// <summary>The SQL of one batch: loads what the books need, writes what they changed.</summary>
internal static class LedgerStore
{
    public static HoldState? Find(Sql sql, string id) =>
        sql.First(HoldStore.Select + "where id = $1", HoldRow.Read, id);

    /// <summary>The holds of these ids, theirs alone until the transaction ends.</summary>
    public static List<HoldState> LockHolds(Sql sql, string[] ids) =>
        sql.Lock(HoldStore.Select + "where id = $1", HoldRow.Read, ids);

    /// <summary>The balances of these accounts that have one, theirs alone until the transaction ends.</summary>
    public static List<(AccountKey Key, long Posted, long Held, long Raised)> LockBalances(Sql sql, string[] accounts, string[] currencies) =>
        sql.Lock("select account, currency, posted, held, raised from accounts where account = $1 and currency = $2",
            row => (new AccountKey(row.Text(0), row.Text(1)), row.Long(2), row.Long(3), row.Long(4)), accounts, currencies);

    /// <summary>The first of the numbers that are this batch's alone.</summary>
    public static long TakeNumbers(Sql sql) => sql.First("select nextval('numbers')", row => row.Long(0));

    public static Transfer? FindTransfer(Sql sql, string id) =>
        sql.First("select id, giver, taker, units, currency, reason, correlation from transfers where id = $1",
            row => new Transfer(row.Text(0), row.Text(1), row.Text(2), new Money(row.Long(3), row.Text(4)), row.Text(5), false, false) { Correlation = row.TextOrNull(6) }, id);

    /// <summary>What an account has and what of it is held; null when it is not limited.</summary>
    public static (long Posted, long Held, long Raised)? FindBalance(Sql sql, AccountKey key) =>
        sql.First<(long, long, long)?>("select posted, held, raised from accounts where account = $1 and currency = $2", row => (row.Long(0), row.Long(1), row.Long(2)), key.Account, key.Currency);

    /// <summary>The sum of an account's entries.</summary>
    public static long Entered(Sql sql, AccountKey key) =>
        checked((long)sql.First("select coalesce(sum(units / 1000000000), 0), coalesce(sum(units % 1000000000), 0) from entries where account = $1 and currency = $2", row => Whole(row.Long(0), row.Long(1)), key.Account, key.Currency));

    /// <summary>A sum in two parts: what the outside world has given in all may be more than 64 bits hold, and then neither database adds it up.</summary>
    public static Int128 Whole(long billions, long rest) => (Int128)billions * 1_000_000_000 + rest;

    public static long Counter(Sql sql, string name) => sql.First("select value from counters where name = $1", row => row.Long(0), name);

    public static void SetCounter(Sql sql, string name, long value) =>
        sql.Run("insert into counters (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value", name, value);

    public static void Save(Sql sql, Books books)
    {
        // In order of their ids where nodes may insert the same ones: then they wait for each other, never in a circle.
        if (sql.IsShared) books.Changes.Sort();
        foreach (var hold in books.Changes.Holds) Save(sql, hold);
        foreach (var balance in books.Balances.Changed) Save(sql, balance);
        foreach (var transfer in books.Changes.Transfers) Insert(sql, transfer, books.Now);
        foreach (var entry in books.Changes.Entries) Insert(sql, entry);
    }

    private static void Save(Sql sql, BookedHold hold)
    {
        if (hold.Stored && !hold.Retaken) Update(sql, hold.State);
        else Write(sql, hold.Stored ? RetakeHold : InsertHold, hold.State);
    }

    private const string InsertHold = """
        insert into holds (sequence, id, status, binding, receipt, correlation, operation, payer, caller, method, price_version, request,
                           terms, expires, legs, observed, captured, reference, broadcast, rail_amount, note, incarnation, created, changed, outcome)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)
        """;

    // In place: a node that waits for the lock of a row that is deleted and written anew finds none, and takes the hold for one that never was.
    private const string RetakeHold = """
        update holds set sequence = $1, status = $3, binding = $4, receipt = $5, correlation = $6, operation = $7, payer = $8, caller = $9, method = $10, price_version = $11,
                         request = $12, terms = $13, expires = $14, legs = $15, observed = $16, captured = $17, reference = $18, broadcast = $19, rail_amount = $20, note = $21,
                         incarnation = $22, created = $23, changed = $24, outcome = $25
        where id = $2
        """;

    private static void Write(Sql sql, string statement, HoldState state)
    {
        var hold = state.Hold;
        sql.RunRow(statement,
            state.Sequence, hold.Id, HoldRow.Text(state.Status), hold.Binding, hold.Receipt, hold.Correlation, hold.Operation, hold.Payer, hold.Caller,
            hold.Method, hold.PriceVersion, hold.Request, hold.Terms, hold.Expires, Legs.Write(hold.Legs), state.Observed.Units, state.Captured.Units,
            state.Reference, state.Broadcast, state.RailAmount, state.Note, state.Incarnation, state.Created, state.Changed, (long)state.Outcome);
    }

    private static void Update(Sql sql, HoldState state) =>
        sql.RunRow("""
            update holds set status = $2, observed = $3, captured = $4, reference = $5, broadcast = $6, rail_amount = $7, note = $8, changed = $9, outcome = $10
            where id = $1
            """,
            state.Hold.Id, HoldRow.Text(state.Status), state.Observed.Units, state.Captured.Units, state.Reference, state.Broadcast,
            state.RailAmount, state.Note, state.Changed, (long)state.Outcome);

    private static void Save(Sql sql, Balance balance)
    {
        if (balance.Stored) sql.RunRow("update accounts set posted = $3, held = $4, raised = $5 where account = $1 and currency = $2", balance.Key.Account, balance.Key.Currency, balance.Posted, balance.Held, balance.Raised);
        else sql.RunRow("insert into accounts (account, currency, posted, held, raised) values ($1, $2, $3, $4, $5)", balance.Key.Account, balance.Key.Currency, balance.Posted, balance.Held, balance.Raised);
    }

    private static void Insert(Sql sql, Transfer transfer, DateTimeOffset now) =>
        sql.RunRow("insert into transfers (id, giver, taker, units, currency, reason, correlation, created) values ($1, $2, $3, $4, $5, $6, $7, $8)",
            transfer.Id, transfer.From, transfer.To, transfer.Amount.Units, transfer.Amount.Currency, transfer.Reason, transfer.Correlation, now);

    private static void Insert(Sql sql, Entry entry) =>
        sql.RunRow("insert into entries (account, currency, sequence, units, source, kind, created) values ($1, $2, $3, $4, $5, $6, $7)",
            entry.Account.Account, entry.Account.Currency, entry.Sequence, entry.Units, entry.Source, entry.Kind, entry.Created);
}
