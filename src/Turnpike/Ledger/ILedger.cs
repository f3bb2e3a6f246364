using Turnpike.Audit;

namespace Turnpike.Ledger;

/// <summary>
/// Double entry in two phases. Every verb is idempotent by id, acknowledged only when durable, and carries the audit events that
/// are written in the same transaction. Cancelling counts only while a command waits for a place in the queue. When the disk fails
/// every verb throws <see cref="Storage.StorageUnavailableException"/> (503). Invariants: DESIGN §4, I1–I10.
/// </summary>
internal interface ILedger
{
    /// <summary>The hold of this id, or null when nothing was ever held under it.</summary>
    ValueTask<HoldState?> FindAsync(string id, CancellationToken ct);

    /// <summary>The same, asked for in turn behind everything that was sent before: what is not there then will not come.</summary>
    ValueTask<HoldState?> FindInTurnAsync(string id, CancellationToken ct);

    /// <summary>The hold whose receipt has this id, or null.</summary>
    ValueTask<HoldState?> FindByReceiptAsync(string receipt, CancellationToken ct);

    /// <summary>
    /// Reserves every leg or none. A released hold of the same id and binding may be held again; any other hold of that id is already
    /// used, whoever asks. The events are written only when it is held.
    /// </summary>
    ValueTask<HoldResult> HoldAsync(Hold hold, CancellationToken ct);

    /// <summary>Streams: what has passed so far, so that a crash is charged for it. At most once a second per hold.</summary>
    ValueTask CheckpointAsync(string id, Money observed, CancellationToken ct);

    /// <summary>
    /// Takes at most the ceiling and gives the rest back. With a reference the hold is settled by the same act. Again for the same
    /// amount answers as before, and a new broadcast then replaces the old one (a raised fee).
    /// </summary>
    /// <exception cref="HoldLostException">Another node has given it back.</exception>
    /// <exception cref="LedgerException">Above the ceiling, another amount than before, released, or never held: a bug; nothing changed.</exception>
    ValueTask<HoldState> CaptureAsync(Capture capture, CancellationToken ct);

    /// <summary>The rail has paid: captured or unknown becomes settled. Where somebody else said so first, the hold as they left it.</summary>
    ValueTask<HoldState> SettledAsync(string id, string reference, string? railAmount, IReadOnlyList<AuditEvent> events, CancellationToken ct);

    /// <summary>What became of the answer that was paid for. The first word stands.</summary>
    /// <param name="soon">Nobody waits: it is durable within 100 ms, with the next transaction. A crash before that credits the payer.</param>
    /// <param name="with">What others write with it; not when another word stands.</param>
    ValueTask FinishAsync(string id, HoldOutcome outcome, IReadOnlyList<AuditEvent> events, CancellationToken ct, bool soon = false, Action<Storage.Sql>? with = null);

    /// <summary>
    /// Taken and not delivered: what goes back is posted and the hold is credited, both or neither. Nothing when its outcome is known
    /// already: whoever looked a moment ago must not give back what was delivered since.
    /// </summary>
    ValueTask CreditAsync(string id, IReadOnlyList<Transfer> back, CancellationToken ct);

    /// <summary>The rail did not answer: captured becomes unknown until the settler knows better.</summary>
    ValueTask UnknownAsync(string id, string? reference, IReadOnlyList<AuditEvent> events, CancellationToken ct);

    /// <summary>Gives everything back. What was captured is reversed by new entries, never edited.</summary>
    /// <param name="heldBy">Only while this incarnation holds or collects it, else nothing: its heir may have asked the rail since, or given it back, and somebody holds it anew.</param>
    /// <returns>The hold as it stands now.</returns>
    ValueTask<HoldState> ReleaseAsync(string id, string reason, IReadOnlyList<AuditEvent> events, CancellationToken ct, string? heldBy = null);

    /// <summary>Moves money at once: top-ups, refunds, credit, corrections. Idempotent by id.</summary>
    ValueTask<PostResult> PostAsync(Transfer transfer, CancellationToken ct);

    /// <summary>What a limited account can still hold; zero when it does not exist.</summary>
    ValueTask<Money> AvailableAsync(string account, string currency, CancellationToken ct);

    /// <summary>A limited account as it stands: what it can still hold, and all it was ever raised by; null when it does not exist.</summary>
    ValueTask<AccountState?> AccountAsync(string account, string currency, CancellationToken ct);

    /// <summary>Unfinished holds (held, captured, unknown) this node is the heir of, and its own captured and unknown ones: the settler's work. No other node's are among them.</summary>
    ValueTask<IReadOnlyList<HoldState>> UnfinishedAsync(int most, CancellationToken ct);

    /// <summary>What incarnations that are gone left behind for this node: every open hold, and settled ones nobody knows to have been delivered.</summary>
    ValueTask<IReadOnlyList<HoldState>> OrphansAsync(CancellationToken ct);

    /// <summary>What this process holds, collects for, or has not said of what became of it: most is in flight, oldest first.</summary>
    ValueTask<IReadOnlyList<HoldState>> OwnAsync(int most, CancellationToken ct);

    /// <summary>Payments, newest first, for the Admin API.</summary>
    ValueTask<IReadOnlyList<HoldState>> ListAsync(HoldFilter filter, CancellationToken ct);

    /// <summary>Recounts everything from the entries: sums to zero per currency, balances equal entries, nothing overdrawn, captured ≤ ceiling.</summary>
    ValueTask<BooksReport> VerifyAsync(CancellationToken ct);
}

/// <summary>A limited account. What was used of its raises is <c>Raised - Available</c>, while nothing else was posted to it.</summary>
internal sealed record AccountState(Money Available, Money Raised);

/// <summary>Which payments to list; or, instead of them, which refunds, or which payments to upstreams.</summary>
internal sealed record HoldFilter(string? Status = null, string? Payer = null, string? Operation = null, string? Correlation = null, string? Before = null, int Most = 50, bool Refunds = false, bool Purchases = false);

/// <summary>The outcome of a books check: totals per currency and role, and every finding as a sentence.</summary>
internal sealed record BooksReport(IReadOnlyList<AccountTotal> Totals, long Holds, long OpenHolds, long Entries, IReadOnlyList<string> Findings)
{
    public bool Balanced => Findings.Count == 0;
}

/// <summary>The sum of entries of all accounts of one role (<c>revenue</c>, <c>token</c>, <c>external</c> …) in one currency.</summary>
internal sealed record AccountTotal(string Role, Money Sum);
