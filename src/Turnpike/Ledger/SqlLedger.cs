using Turnpike.Audit;
using Turnpike.Storage;
using Turnpike.Storage.Nodes;

namespace Turnpike.Ledger;

/// <summary>The ledger on the node's database: every verb is a command of the one writer, decided by <see cref="Books"/>.</summary>
internal sealed class SqlLedger : ILedger
{
    private readonly Database database;
    private readonly LedgerWriter writer;
    private readonly NodeLease lease;

    /// <param name="incarnation">Names this process: holds of any other name are leftovers of an earlier one.</param>
    public SqlLedger(Database database, AuditTrail audit, string incarnation) : this(database, audit, NodeLease.Alone(incarnation))
    {
    }

    /// <param name="lease">Says whose holds are this process's to finish, and whether it may take money.</param>
    public SqlLedger(Database database, AuditTrail audit, NodeLease lease)
    {
        this.database = database;
        this.lease = lease;
        writer = new LedgerWriter(lease, audit.Chain);
        if (database.IsWritable) database.Writer.Join(writer);
    }

    public ValueTask<HoldState?> FindAsync(string id, CancellationToken ct) => database.ReadAsync(sql => LedgerStore.Find(sql, id), ct);

    public ValueTask<HoldState?> FindInTurnAsync(string id, CancellationToken ct) => WriteAsync(new LedgerNames(id), books => books.Find(id), ct);

    public ValueTask<HoldState?> FindByReceiptAsync(string receipt, CancellationToken ct) => database.ReadAsync(sql => HoldStore.FindByReceipt(sql, receipt), ct);

    public ValueTask<HoldResult> HoldAsync(Hold hold, CancellationToken ct) => TakeAsync(new LedgerNames(hold.Id, Opening: hold), books => books.Hold(hold), ct);

    public async ValueTask CheckpointAsync(string id, Money observed, CancellationToken ct) => await WriteAsync(new LedgerNames(id), books => books.Checkpoint(id, observed), ct);

    public ValueTask<HoldState> CaptureAsync(Capture capture, CancellationToken ct) => TakeAsync(new LedgerNames(capture.Id, Besides: capture.Besides), books => books.Capture(capture), ct, capture.With);

    public ValueTask<HoldState> SettledAsync(string id, string reference, string? railAmount, IReadOnlyList<AuditEvent> events, CancellationToken ct) =>
        WriteAsync(new LedgerNames(id), books => books.Settled(id, reference, railAmount, events), ct);

    public async ValueTask FinishAsync(string id, HoldOutcome outcome, IReadOnlyList<AuditEvent> events, CancellationToken ct, bool soon = false, Action<Sql>? with = null)
    {
        var stands = false;
        var finish = new LedgerWrite<HoldState>(writer, new LedgerNames(id), books =>
        {
            var state = books.Finish(id, outcome, events);
            stands = state.Outcome == outcome;
            return state;
        }, with is null ? null : sql => { if (stands) with(sql); });
        if (soon) await database.Writer.WriteLaterAsync(finish, GroupCommit.Soon);
        else await database.Writer.WriteAsync(finish, ct);
    }

    public async ValueTask CreditAsync(string id, IReadOnlyList<Transfer> back, CancellationToken ct) =>
        await WriteAsync(new LedgerNames(id, Besides: back), books => books.Credit(id, back), ct);

    public async ValueTask UnknownAsync(string id, string? reference, IReadOnlyList<AuditEvent> events, CancellationToken ct) =>
        await WriteAsync(new LedgerNames(id), books => books.Unknown(id, reference, events), ct);

    public ValueTask<HoldState> ReleaseAsync(string id, string reason, IReadOnlyList<AuditEvent> events, CancellationToken ct, string? heldBy = null) =>
        WriteAsync(new LedgerNames(id), books => books.Release(id, reason, events, heldBy), ct);

    public ValueTask<PostResult> PostAsync(Transfer transfer, CancellationToken ct) => WriteAsync(new LedgerNames(null, Transfer: transfer), books => books.Post(transfer), ct);

    public ValueTask<Money> AvailableAsync(string account, string currency, CancellationToken ct) =>
        database.ReadAsync(sql => LedgerStore.FindBalance(sql, new AccountKey(account, currency)) is { } balance ? new Money(balance.Posted - balance.Held, currency) : Money.Zero(currency), ct);

    public ValueTask<AccountState?> AccountAsync(string account, string currency, CancellationToken ct) =>
        database.ReadAsync(sql => LedgerStore.FindBalance(sql, new AccountKey(account, currency)) is { } balance ? new AccountState(new Money(balance.Posted - balance.Held, currency), new Money(balance.Raised, currency)) : null, ct);

    public async ValueTask<IReadOnlyList<HoldState>> UnfinishedAsync(int most, CancellationToken ct) => await database.ReadAsync(sql => lease.IsAlone ? HoldStore.Unfinished(sql, lease.Incarnation, most) : HoldStore.Inherited(sql, lease.Incarnation, most), ct);

    public async ValueTask<IReadOnlyList<HoldState>> OrphansAsync(CancellationToken ct) => await database.ReadAsync(sql => lease.IsAlone ? HoldStore.Orphans(sql, lease.Incarnation) : HoldStore.InheritedOrphans(sql, lease.Incarnation), ct);

    public async ValueTask<IReadOnlyList<HoldState>> OwnAsync(int most, CancellationToken ct) => await database.ReadAsync(sql => HoldStore.Own(sql, lease.Incarnation, most), ct);

    public async ValueTask<IReadOnlyList<HoldState>> ListAsync(HoldFilter filter, CancellationToken ct) => await database.ReadAsync(sql => HoldStore.List(sql, filter), ct);

    public ValueTask<BooksReport> VerifyAsync(CancellationToken ct) => database.ScanAsync(sql => CheckStore.Run(sql, ct), ct);

    // Without a lease another node may be giving back what is held here.
    private ValueTask<T> TakeAsync<T>(LedgerNames names, Func<Books, T> decide, CancellationToken ct, Action<Sql>? with = null) =>
        lease.IsHeld ? database.Writer.WriteAsync(new LedgerWrite<T>(writer, names, decide, with), ct) : throw new StorageUnavailableException("This node's lease has lapsed; it takes no money until it is renewed.");

    private ValueTask<T> WriteAsync<T>(LedgerNames names, Func<Books, T> decide, CancellationToken ct) =>
        database.Writer.WriteAsync(new LedgerWrite<T>(writer, names, decide), ct);
}
