using Turnpike.Audit;
using Turnpike.Storage;
using Turnpike.Storage.Nodes;

namespace Turnpike.Ledger;

/// <summary>
/// The ledger's part of a batch: loads the holds and accounts the commands name, lets the books decide, writes what changed and
/// chains the events of what happened. Where this process is the only writer, what was loaded stays true from batch to batch.
/// </summary>
internal sealed class LedgerWriter : IWriteParticipant
{
    private const int MostKept = 65_536;

    private readonly HashSet<AccountKey> sought = []; // also those that have no balance
    private readonly AuditChain audit;
    private readonly NodeLease lease;
    private (long Hold, long Entry)? committed;
    private Sql? writing;
    private bool alone; // the last try opened an account, and nobody may meanwhile take it for unlimited

    public LedgerWriter(NodeLease lease, AuditChain audit)
    {
        (this.audit, this.lease) = (audit, lease);
        Books = new Books(lease.Incarnation, key => LedgerStore.Entered(writing!, key), id => writing!.IsShared ? LedgerStore.Find(writing, id) : null);
    }

    public Books Books { get; }

    public void Begin(Sql sql, ReadOnlySpan<WriteCommand> batch, DateTimeOffset now)
    {
        writing = sql;
        (Books.Now, Books.Incarnation) = (now, lease.Incarnation);
        if (sql.IsShared)
        {
            Forget();
            SharedBooks.Load(sql, Books, batch, alone);
            committed = (Books.LastHold, Books.LastEntry);
            return;
        }
        if (sought.Count + Books.HoldCount > MostKept || batch is [{ IsAlone: true }]) Forget();
        committed ??= (LedgerStore.Counter(sql, "holds"), LedgerStore.Counter(sql, "entries"));
        (Books.LastHold, Books.LastEntry) = committed.Value;
        foreach (var command in batch)
            if (command is ILedgerWrite write)
                Load(sql, write.Names);
    }

    public void End(Sql sql)
    {
        if (sql.IsShared) CheckShared();
        LedgerStore.Save(sql, Books);
        foreach (var happened in Books.Changes.Events) audit.Append(sql, happened);
        if (sql.IsShared) return;
        if (Books.LastHold != committed!.Value.Hold) LedgerStore.SetCounter(sql, "holds", Books.LastHold);
        if (Books.LastEntry != committed.Value.Entry) LedgerStore.SetCounter(sql, "entries", Books.LastEntry);
    }

    public void Committed()
    {
        committed = (Books.LastHold, Books.LastEntry);
        alone = false;
        Books.DropFinished();
        Books.Saved();
    }

    public void RolledBack() => Forget();

    public void Stopped() => Forget();

    private void CheckShared()
    {
        if (Books.LastEntry - committed!.Value.Entry >= SharedBooks.Numbers) throw new StorageException("The batch has more entries than numbers.");
        if (alone || Books.Balances.Changed.All(balance => balance.Stored)) return;
        alone = true;
        throw new StorageException("An account is opened: again, alone.") { Fault = StorageFault.Conflict };
    }

    private void Forget()
    {
        Books.Clear();
        sought.Clear();
    }

    private void Load(Sql sql, in LedgerNames names)
    {
        if (names.Hold is { } id && !Books.Knows(id) && LedgerStore.Find(sql, id) is { } state)
        {
            Books.Load(state);
            Load(sql, state.Hold.Legs);
        }
        if (names.Opening is { } hold)
        {
            Load(sql, hold.Legs);
            foreach (var source in hold.Sources) Load(sql, new AccountKey(source, hold.Ceiling.Currency));
            foreach (var raise in hold.Raises)
            {
                Load(sql, new AccountKey(raise.Account, raise.To.Currency));
                Load(sql, new AccountKey(raise.From, raise.To.Currency));
            }
        }
        if (names.Transfer is { } transfer) Load(sql, transfer);
        foreach (var besides in names.Besides ?? []) Load(sql, besides);
    }

    private void Load(Sql sql, Transfer transfer)
    {
        if (LedgerStore.FindTransfer(sql, transfer.Id) is { } known) Books.Load(known);
        Load(sql, new AccountKey(transfer.From, transfer.Amount.Currency));
        Load(sql, new AccountKey(transfer.To, transfer.Amount.Currency));
    }

    private void Load(Sql sql, IReadOnlyList<Leg> legs)
    {
        foreach (var leg in legs)
        {
            Load(sql, leg.Giver());
            Load(sql, leg.Taker());
        }
    }

    private void Load(Sql sql, AccountKey key)
    {
        if (sought.Add(key) && LedgerStore.FindBalance(sql, key) is { } balance) Books.Balances.Load(key, balance.Posted, balance.Held, balance.Raised);
    }
}

/// <summary>What a command will touch, so that a batch loads it at once.</summary>
internal readonly record struct LedgerNames(string? Hold, Hold? Opening = null, Transfer? Transfer = null, IReadOnlyList<Transfer>? Besides = null);

/// <summary>A command of the ledger among others in a batch.</summary>
internal interface ILedgerWrite
{
    LedgerNames Names { get; }
}

/// <summary>One verb on the books.</summary>
internal sealed class LedgerWrite<T>(LedgerWriter writer, LedgerNames names, Func<Books, T> decide, Action<Sql>? with = null) : WriteCommand<T>, ILedgerWrite
{
    public LedgerNames Names => names;

    protected override T Write(Sql sql)
    {
        var decided = decide(writer.Books);
        with?.Invoke(sql);
        return decided;
    }

    protected override bool ChangedNothing(Exception failure) => failure is LedgerException or OverflowException;
}
