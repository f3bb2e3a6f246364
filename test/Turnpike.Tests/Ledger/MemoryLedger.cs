using Turnpike.Audit;
using Turnpike.Ledger;
using Turnpike.Storage;

namespace Turnpike.Tests.Ledger;

/// <summary>The model: the books alone, everything in memory, nothing durable. Tests compare every store with it.</summary>
internal sealed class MemoryLedger : ILedger
{
    private readonly Lock gate = new();
    private readonly TimeProvider clock;
    private readonly string incarnation;
    private readonly Books books;
    private readonly List<Entry> entries = [];
    private readonly List<AuditEvent> events = [];
    private readonly HashSet<string> transfers = [];

    public MemoryLedger(TimeProvider clock, string incarnation)
    {
        this.clock = clock;
        this.incarnation = incarnation;
        books = new Books(incarnation, key => entries.Where(entry => entry.Account == key).Sum(entry => entry.Units));
    }

    /// <summary>What would stand in the trail.</summary>
    public IReadOnlyList<AuditEvent> Events => Locked(() => events.ToList());

    public ValueTask<HoldState?> FindAsync(string id, CancellationToken ct) => Read(() => books.Find(id));

    public ValueTask<HoldState?> FindInTurnAsync(string id, CancellationToken ct) => FindAsync(id, ct);

    public ValueTask<HoldState?> FindByReceiptAsync(string receipt, CancellationToken ct) => Read(() => books.Holds.FirstOrDefault(state => state.Hold.Receipt == receipt));

    public ValueTask<HoldResult> HoldAsync(Hold hold, CancellationToken ct) => Decide(() => books.Hold(hold));

    public async ValueTask CheckpointAsync(string id, Money observed, CancellationToken ct) => await Decide(() => books.Checkpoint(id, observed));

    public ValueTask<HoldState> CaptureAsync(Capture capture, CancellationToken ct) => Decide(() => books.Capture(capture));

    public ValueTask<HoldState> SettledAsync(string id, string reference, string? railAmount, IReadOnlyList<AuditEvent> events, CancellationToken ct) =>
        Decide(() => books.Settled(id, reference, railAmount, events));

    public async ValueTask FinishAsync(string id, HoldOutcome outcome, IReadOnlyList<AuditEvent> events, CancellationToken ct, bool soon = false, Action<Turnpike.Storage.Sql>? with = null) =>
        await Decide(() => books.Finish(id, outcome, events));

    public async ValueTask CreditAsync(string id, IReadOnlyList<Transfer> back, CancellationToken ct) => await Decide(() => books.Credit(id, back));

    public ValueTask<IReadOnlyList<HoldState>> OrphansAsync(CancellationToken ct) =>
        Read<IReadOnlyList<HoldState>>(() => [.. books.Holds
            .Where(state => state.Incarnation != incarnation && state.Status != HoldStatus.Released && state.Outcome == HoldOutcome.Open).OrderBy(state => state.Sequence)]);

    public async ValueTask UnknownAsync(string id, string? reference, IReadOnlyList<AuditEvent> events, CancellationToken ct) =>
        await Decide(() => books.Unknown(id, reference, events));

    public ValueTask<HoldState> ReleaseAsync(string id, string reason, IReadOnlyList<AuditEvent> events, CancellationToken ct, string? heldBy = null) =>
        Decide(() => books.Release(id, reason, events, heldBy));

    public ValueTask<PostResult> PostAsync(Transfer transfer, CancellationToken ct) => Decide(() => books.Post(transfer));

    public ValueTask<Money> AvailableAsync(string account, string currency, CancellationToken ct) => Read(() => books.Available(account, currency));

    public ValueTask<AccountState?> AccountAsync(string account, string currency, CancellationToken ct) =>
        Read(() => books.Balances.TryGet(new AccountKey(account, currency), out var balance) ? new AccountState(new Money(balance.Available, currency), new Money(balance.Raised, currency)) : null);

    public ValueTask<IReadOnlyList<HoldState>> UnfinishedAsync(int most, CancellationToken ct) =>
        Read<IReadOnlyList<HoldState>>(() => [.. books.Holds
            .Where(state => state.IsOpen && (state.Status != HoldStatus.Held || state.Incarnation != incarnation))
            .OrderBy(state => state.Sequence).Take(most)]);

    public ValueTask<IReadOnlyList<HoldState>> OwnAsync(int most, CancellationToken ct) =>
        Read<IReadOnlyList<HoldState>>(() => [.. books.Holds
            .Where(state => state.Incarnation == incarnation && state is { Status: not (HoldStatus.Released or HoldStatus.Unknown), Outcome: HoldOutcome.Open })
            .OrderBy(state => state.Sequence).Take(most)]);

    public ValueTask<IReadOnlyList<HoldState>> ListAsync(HoldFilter filter, CancellationToken ct)
    {
        var before = long.TryParse(filter.Before, System.Globalization.CultureInfo.InvariantCulture, out var sequence) ? sequence : long.MaxValue;
        return Read<IReadOnlyList<HoldState>>(() => [.. books.Holds
            .Where(state => state.Sequence < before && state.Hold.IsRefund == filter.Refunds && state.Hold.IsPurchase == filter.Purchases
                && (filter.Status is null || HoldRow.Text(state.Status) == filter.Status)
                && (filter.Payer is null || state.Hold.Payer == filter.Payer)
                && (filter.Operation is null || state.Hold.Operation == filter.Operation)
                && (filter.Correlation is null || state.Hold.Correlation == filter.Correlation))
            .OrderByDescending(state => state.Sequence).Take(filter.Most)]);
    }

    public ValueTask<BooksReport> VerifyAsync(CancellationToken ct) => Read(Verify);

    private BooksReport Verify()
    {
        var check = new BooksCheck();
        foreach (var account in entries.GroupBy(entry => entry.Account)) check.Sum(account.Key, account.Sum(entry => entry.Units), account.Count());
        foreach (var balance in books.Balances.All) check.Balance(balance.Key, balance.Posted, balance.Held);
        var moved = entries.GroupBy(entry => entry.Source).ToDictionary(source => source.Key,
            source => source.GroupBy(entry => entry.Account).ToDictionary(account => account.Key, account => account.Sum(entry => entry.Units)));
        foreach (var hold in books.Holds) check.Hold(hold, moved.GetValueOrDefault(hold.Hold.Id) ?? []);
        foreach (var (source, sums) in moved) check.Transfer(source, transfers.Contains(source) || books.Knows(source), sums);
        return check.Report();
    }

    private ValueTask<T> Decide<T>(Func<T> decide)
    {
        try
        {
            return Read(() =>
            {
                books.Now = clock.Now();
                var result = decide();
                entries.AddRange(books.Changes.Entries);
                events.AddRange(books.Changes.Events);
                transfers.UnionWith(books.Changes.Transfers.Select(transfer => transfer.Id));
                books.Saved();
                return result;
            });
        }
        catch (Exception e) when (e is LedgerException or OverflowException)
        {
            return ValueTask.FromException<T>(e);
        }
    }

    private ValueTask<T> Read<T>(Func<T> read) => new(Locked(read));

    private T Locked<T>(Func<T> read)
    {
        lock (gate) return read();
    }
}
