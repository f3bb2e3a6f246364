using System.Collections.Concurrent;
using Turnpike.Catalog;
using Turnpike.Ledger;

namespace Turnpike.Payments;

/// <summary>
/// The one mutable object in flight: from the credential to the receipt. Leaving it unsettled gives the money back.
/// </summary>
internal sealed class Payment(Call call, Func<Payment, ValueTask> close) : IAsyncDisposable
{
    public Call Call { get; } = call;

    public Credential? Credential { get; set; }

    public IPaymentMethod? Method { get; set; }

    /// <summary>What the rail spends once; set by <see cref="IPaymentMethod.Identify"/>.</summary>
    public string? HoldId { get; set; }

    /// <summary>Who pays, verified.</summary>
    public string? Payer { get; set; }

    /// <summary>The accounts to reserve, money first; set by verification.</summary>
    public IReadOnlyList<Leg> Legs { get; set; } = [];

    /// <summary>What settlement needs, as JSON of the method's own.</summary>
    public string? Terms { get; set; }

    /// <summary>When the rail can no longer take the money.</summary>
    public DateTimeOffset? Expires { get; set; }

    /// <summary>The price version this credential answers (terms given earlier are honoured until they expire).</summary>
    public string? PriceVersion { get; set; }

    /// <summary>The amount its terms were given at; the quote's when they say nothing.</summary>
    public Money? Agreed { get; set; }

    public string ReceiptId => field ??= Ids.New("r");

    /// <summary>The hold as the books have it.</summary>
    public HoldState? State { get; set; }

    public bool ByCredit { get; set; }

    /// <summary>Set when only the payer's credit may pay: the retry of something paid and not delivered.</summary>
    public bool CreditOnly { get; set; }

    /// <summary>Collected before forwarding, so that a refusal costs the upstream nothing.</summary>
    public bool SettlesBefore { get; set; }

    /// <summary>The digest of the body, where the payment is bound to it.</summary>
    public string? BodyDigest { get; set; }

    /// <summary>The answer as it left, to be kept for a retry; null when it was too large or nobody can ask again.</summary>
    public StoredAnswer? Keep { get; set; }

    public AnswerSettings Answers => Call.Catalog.Settings.Get<PaymentSettings>()?.Answers ?? AnswerSettings.Usual;

    /// <summary>What is left of the budget that paid, once that is known.</summary>
    public Money? Remaining { get; set; }

    /// <summary>What left: status, bytes and digests, as the trail keeps them.</summary>
    public string? Passed { get; set; }

    public bool Delivered { get; set; }

    /// <summary>True when collection has begun: from here on a caller who leaves is charged and may ask again.</summary>
    public bool Collecting { get; set; }

    /// <summary>A retry can name this payment: its credential is single-use, or it has an Idempotency-Key.</summary>
    public bool MayBeAskedAgain { get; set; }

    public bool IsPaid => State is { Status: HoldStatus.Captured or HoldStatus.Settled or HoldStatus.Unknown };

    public Money Ceiling => Agreed ?? Call.Quote!.Ceiling;

    public ValueTask DisposeAsync() => close(this);
}

/// <summary>
/// Holds this process is collecting for or answering right now. Whoever finishes what others left behind keeps away from them,
/// however long they take and whatever the clock says: else the payer would have both the answer and its price as credit.
/// </summary>
internal sealed class InHand
{
    private readonly ConcurrentDictionary<string, bool> holds = new(StringComparer.Ordinal);

    public void Take(string hold) => holds[hold] = true;

    public void Leave(string hold) => holds.TryRemove(hold, out _);

    public bool Has(string hold) => holds.ContainsKey(hold);
}
