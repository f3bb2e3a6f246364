using Turnpike.Audit;

namespace Turnpike.Ledger;

/// <summary>
/// A reservation whose id is what the rail spends once. One row is the replay protection, the budget check, the reservation, the
/// crash record, the key to the stored answer and the row on the dashboard.
/// </summary>
internal sealed record Hold
{
    /// <summary>Named by what the rail spends once: <c>eip3009:…</c>, <c>stripe:&lt;challenge&gt;</c>, <c>idem:&lt;payer&gt;:&lt;key&gt;</c>, or fresh.</summary>
    public required string Id { get; init; }

    /// <summary>The first leg is the money, or the first few when several accounts give for it; the others are caps. All are held or none.</summary>
    public required IReadOnlyList<Leg> Legs { get; init; }

    /// <summary>A digest of what this credential may buy (operation, target, method, body). Held again only for the same.</summary>
    public required string Binding { get; init; }

    public required string Receipt { get; init; }

    public required string Correlation { get; init; }

    public required string Operation { get; init; }

    public required string Payer { get; init; }

    public string? Caller { get; init; }

    /// <summary>How it is paid: <c>x402.exact</c>, <c>mpp.evm</c>, <c>mpp.stripe</c>, <c>prepaid</c> …</summary>
    public required string Method { get; init; }

    public required string PriceVersion { get; init; }

    /// <summary>The canonical request line, for receipts and support: <c>GET /forecast/paris</c>.</summary>
    public required string Request { get; init; }

    /// <summary>What settlement needs after a crash, as the method wrote it (JSON); null when settlement is a ledger act alone.</summary>
    public string? Terms { get; init; }

    /// <summary>When the rail can no longer take the money; null when it has no such moment.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>Accounts that get what is theirs by right (a period's allowance) in the same act, before anything is reserved of them.</summary>
    public IReadOnlyList<Raise> Raises { get; init; } = [];

    /// <summary>Who gives for the first leg, in this order, each as much as it has: it is split among them in the act of holding. Empty: the leg says it. Not kept.</summary>
    public IReadOnlyList<string> Sources { get; init; } = [];

    public IReadOnlyList<AuditEvent> Events { get; init; } = [];

    public Money Ceiling => Legs[0].Part ? Turnpike.Ledger.Legs.Sum(Legs) : Legs[0].Amount;

    /// <summary>The beginning of the ids of money on its way back; nothing a caller presents names such a hold.</summary>
    public const string RefundPrefix = "refund:";

    /// <summary>The beginning of the ids of what is paid to upstreams: one for each call that was paid for, named by its receipt.</summary>
    public const string PurchasePrefix = "buy:";

    public bool IsPurchase => Id.StartsWith(PurchasePrefix, StringComparison.Ordinal);

    public bool IsRefund => Id.StartsWith(RefundPrefix, StringComparison.Ordinal);
}

/// <summary>One movement a hold reserves. A fixed leg moves whole on capture (one call), the others as much as the first.</summary>
/// <param name="From">The account that gives; checked and reserved when <paramref name="Limited"/>.</param>
/// <param name="Limited">True for budgets, caps and allowances: never overdrawn. False for the outside world.</param>
/// <param name="Part">True for the first legs of a hold that share its money: a capture takes it from them in their order.</param>
internal readonly record struct Leg(string From, string To, Money Amount, bool Limited, bool Fixed = false, bool Part = false);

/// <summary>
/// Brings all that <paramref name="Account"/> was ever raised by to <paramref name="To"/>, from <paramref name="From"/>; opens it when new.
/// Raises to, never by: the same again, or less, posts nothing, so it can be asked for with every hold.
/// </summary>
/// <param name="Exact">Less takes back what has not been used: a limit that is lowered holds at once.</param>
internal readonly record struct Raise(string Account, string From, Money To, bool Exact = false);

/// <summary>What a capture takes, and what will be sent to the rail, stored before it is sent.</summary>
internal sealed record Capture(string Id, Money Amount)
{
    /// <summary>The rail's reference when the capture itself settles (prepaid); null when a rail still has to pay.</summary>
    public string? Reference { get; init; }

    /// <summary>What will be broadcast (signed transaction, idempotency key), so that a restart repeats exactly this.</summary>
    public string? Broadcast { get; init; }

    /// <summary>What else is written in the same transaction: the record of what the money was for. It may run again, and writes the same then.</summary>
    public Action<Storage.Sql>? With { get; init; }

    /// <summary>The amount the rail moves, in its own units as text, when that differs in precision.</summary>
    public string? RailAmount { get; init; }

    /// <summary>Only while this incarnation holds it: another node may have given it back since. Null: whoever holds it.</summary>
    public string? HeldBy { get; init; }

    /// <summary>What is paid for has passed already (streams): taken and delivered are one act, or a crash between them would give back what was had.</summary>
    public bool Delivered { get; init; }

    /// <summary>What is booked by the same act: a loss that comes with it. Once, however often the capture is repeated.</summary>
    public IReadOnlyList<Transfer> Besides { get; init; } = [];

    public IReadOnlyList<AuditEvent> Events { get; init; } = [];
}

/// <summary>Where a hold is in its life.</summary>
internal enum HoldStatus
{
    Held,
    Captured,
    Unknown,
    Settled,
    Released,
}

/// <summary>A hold as it stands in the books.</summary>
/// <param name="Observed">Streams: the last checkpoint, what a crash is charged for.</param>
/// <param name="Captured">What was taken; zero again when it was released.</param>
/// <param name="Sequence">Grows with every new hold: the order of lists.</param>
/// <param name="Incarnation">The process that held it last.</param>
internal sealed record HoldState(Hold Hold, HoldStatus Status, Money Observed, Money Captured, string? Reference, string? Broadcast, string? RailAmount, string? Note,
    long Sequence, string Incarnation, DateTimeOffset Created, DateTimeOffset Changed)
{
    /// <summary>What became of the answer that was paid for.</summary>
    public HoldOutcome Outcome { get; init; }

    /// <summary>What was left in the account that paid when this was captured, in all that share it when it was held; null where nobody keeps count, and when read back later.</summary>
    public Money? Left { get; init; }

    /// <summary>What each leg's account has after this act, where any was raised for it; empty otherwise, and when read back later.</summary>
    public IReadOnlyList<AccountState?> Accounts { get; init; } = [];

    public bool IsOpen => Status is HoldStatus.Held or HoldStatus.Captured or HoldStatus.Unknown;
}

/// <summary>What became of the answer a settled hold paid for.</summary>
internal enum HoldOutcome
{
    /// <summary>Not known (yet): after a crash this means undelivered.</summary>
    Open,

    /// <summary>It was passed on to its end.</summary>
    Delivered,

    /// <summary>It was not, and the payer has the amount as credit.</summary>
    Credited,
}

/// <summary>What came of asking for a hold.</summary>
internal abstract record HoldResult
{
    /// <summary>Reserved and durable. <see cref="Again"/> is true when a released hold was taken up once more.</summary>
    internal sealed record Held(HoldState State, bool Again) : HoldResult;

    /// <summary>The credential was presented before (or a released one with another binding); nothing was reserved.</summary>
    internal sealed record AlreadyUsed(HoldState State) : HoldResult;

    /// <summary>This account cannot cover its leg; nothing was reserved.</summary>
    internal sealed record InsufficientFunds(string Account, Money Available) : HoldResult;
}

/// <summary>An immediate movement between two accounts.</summary>
/// <param name="LimitedFrom">The giving account keeps a balance and is never overdrawn.</param>
/// <param name="LimitedTo">The receiving account keeps a balance (it is opened when new).</param>
internal sealed record Transfer(string Id, string From, string To, Money Amount, string Reason, bool LimitedFrom, bool LimitedTo)
{
    public string? Correlation { get; init; }

    /// <summary>What a limited giver has to keep, in the smallest units.</summary>
    public long Leaves { get; init; }

    public IReadOnlyList<AuditEvent> Events { get; init; } = [];
}

/// <summary>What came of a transfer; asking again with the same id and content answers <see cref="Existed"/>.</summary>
internal enum PostResult
{
    Posted,
    Existed,
    InsufficientFunds,
    Conflict,
}
