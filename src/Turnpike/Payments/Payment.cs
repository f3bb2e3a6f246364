using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments.Included;
using Turnpike.Pricing;

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

    /// <summary>Who gives for the first leg, in this order; empty: the leg says it.</summary>
    public IReadOnlyList<string> Sources { get; set; } = [];

    /// <summary>What is brought up to its amount in the act of holding.</summary>
    public IReadOnlyList<Raise> Raises { get; set; } = [];

    /// <summary>What the token that pays says may be spent; empty: nothing but its budget.</summary>
    public IReadOnlyList<Turnpike.Plans.OwnedCap> TokenCaps { get; set; } = [];

    /// <summary>What is taken of the caller's plan; null where something else pays.</summary>
    public Claim? Included { get; set; }

    /// <summary>The allowance that no longer covered this call, told with the terms.</summary>
    public Refusal? UsedUp { get; set; }

    /// <summary>The account that did not cover this call, when one did not.</summary>
    public HoldResult.InsufficientFunds? ShortOf { get; set; }

    /// <summary>What settlement needs, as JSON of the method's own.</summary>
    public string? Terms { get; set; }

    /// <summary>When the rail can no longer take the money.</summary>
    public DateTimeOffset? Expires { get; set; }

    /// <summary>The price version this credential answers (terms given earlier are honoured until they expire).</summary>
    public string? PriceVersion { get; set; }

    /// <summary>The amount its terms were given at; the quote's when they say nothing.</summary>
    public Money? Agreed { get; set; }

    /// <summary>The price it answers, where it brings no terms of ours; null: the quote's.</summary>
    public PriceInForce? InForce { get; set; }

    /// <summary>
    /// How long the session lasts that it buys; null: it buys a call. By what was sold and not by what is asked now, or an edit of the
    /// document would sell an hour at the price of a call, and a minute at the price of an hour.
    /// </summary>
    public TimeSpan? Session => Credential?.Terms is { } terms ? terms.Session : InForce is { } price ? price.Session : (Call.Quote as SessionQuote)?.Lasts;

    /// <summary>
    /// True when it would open a session by money that was paid before, and nothing says that it was the price of one: it brings no
    /// terms, and what was paid is neither of this document nor the amount that is asked.
    /// </summary>
    public bool WouldOpenBy(Hold paid) => Session is not null && !IsKnownOf(paid) && paid.Ceiling != Ceiling;

    /// <summary>How long the session lasts that its money has bought; null where that was none, or where nothing says what it was.</summary>
    public TimeSpan? SoldBy(Hold paid) => IsKnownOf(paid) ? Session : null;

    /// <summary>Its terms say what was sold; without them, the document does that it was sold by.</summary>
    private bool IsKnownOf(Hold paid) => Credential?.Terms is not null || paid.PriceVersion == (InForce?.Version ?? Call.Quote!.Version);

    public string ReceiptId => field ??= Ids.New("r");

    /// <summary>The hold as the books have it.</summary>
    public HoldState? State { get; set; }

    public bool ByCredit { get; set; }

    /// <summary>Set when only the payer's credit may pay: the retry of something paid and not delivered.</summary>
    public bool CreditOnly { get; set; }

    /// <summary>Collected before forwarding, so that a refusal costs the upstream nothing.</summary>
    public bool SettlesBefore { get; set; }

    /// <summary>It is to be final before anything is forwarded.</summary>
    public bool IsConfirmedFirst { get; set; }

    /// <summary>A sum above which more is asked of this payer; null: nothing is.</summary>
    public PayerLine? Line { get; set; }

    /// <summary>The digest of the body, where the payment is bound to it.</summary>
    public string? BodyDigest { get; set; }

    /// <summary>The answer as it left, to be kept for a retry; null when it was too large or nobody can ask again.</summary>
    public StoredAnswer? Keep { get; set; }

    public AnswerSettings Answers => Call.Catalog.Settings.Get<PaymentSettings>()?.Answers ?? AnswerSettings.Usual;

    /// <summary>What all who gave for it had left when it was held; null where one account gives.</summary>
    public Money? LeftWhenHeld { get; set; }

    /// <summary>What is left of the budget that paid, once that is known.</summary>
    public Money? Remaining { get; set; }

    /// <summary>What left: status, bytes and digests, and what was done when the caller hung up, as the trail keeps them.</summary>
    public string? Passed { get; set; }

    public bool Delivered { get; set; }

    /// <summary>The upstream's answer is one that is charged for, as its status or what it tells says.</summary>
    public bool Sells { get; set; }

    /// <summary>The caller left when a part of the answer had passed, and nobody made it.</summary>
    public bool LeftMidway { get; set; }

    /// <summary>The database did not say what became of the collection: its hold is not this call's to end any more.</summary>
    public bool InDoubt { get; set; }

    /// <summary>True when collection has begun: from here on a caller who leaves is charged and may ask again.</summary>
    public bool Collecting { get; set; }

    /// <summary>A retry can name this payment: its credential is single-use, or it has an Idempotency-Key.</summary>
    public bool MayBeAskedAgain { get; set; }

    /// <summary>What is paid for it in turn, to an upstream that asks for payment; null: nothing.</summary>
    public Buying.UpstreamPayment? Bought { get; set; }

    public bool IsPaid => State is { Status: HoldStatus.Captured or HoldStatus.Settled or HoldStatus.Unknown };

    public Money Ceiling => Agreed ?? Call.Quote!.Ceiling;

    /// <summary>Who pays, and how that is named: put aside while another way to pay is tried.</summary>
    public Presented Presented
    {
        get => new(Credential, Method, Payer, HoldId, BodyDigest, MayBeAskedAgain) { PriceVersion = PriceVersion, Agreed = Agreed, InForce = InForce };
        set
        {
            (Credential, Method, Payer, HoldId, BodyDigest, MayBeAskedAgain, Legs, Raises) = (value.Credential, value.Method, value.Payer, value.HoldId, value.BodyDigest, value.MayBeAskedAgain, [], []);
            (PriceVersion, Agreed, InForce) = (value.PriceVersion, value.Agreed, value.InForce);
        }
    }

    /// <summary>What was used; null for a price that is the same for every answer.</summary>
    public MeteredQuote? Metered => Call.Quote as MeteredQuote;

    /// <summary>What is being taken, once that is known: the price, or what was used within what is held.</summary>
    public Money? Taken { get; set; }

    /// <summary>Reserves less: what the account has, when that is enough for the request.</summary>
    public bool TryLower(Money available)
    {
        if (Metered is not { } quote || available.Currency != Ceiling.Currency || available.Currency != quote.Least.Currency || available < quote.Least || available >= Ceiling) return false;
        Agreed = available;
        Legs = [.. Legs.Select(leg => leg.Fixed ? leg : leg with { Amount = available })];
        return true;
    }

    /// <summary>
    /// What this credential may buy. EIP-3009 does not sign the resource, so this does: the first presentation binds the proof to
    /// operation, method, canonical target and body, and only the same bytes are ever given the answer again.
    /// </summary>
    public string Binding
    {
        get
        {
            var bound = $"{Call.Operation.Name}\n{Call.RequestLine}\n{BodyDigest}\n{(Method!.SettlesInBooks ? Payer : Credential!.Digest)}";
            return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(bound)));
        }
    }

    /// <summary>A decision about it, for the trail.</summary>
    public AuditEvent Event(string kind, string? reason = null, string? reference = null, string? detail = null) =>
        Call.Event(kind, reason, reference, detail, payer: Payer, method: ByCredit ? "credit" : Method?.Name, amount: (Taken ?? Ceiling).ToString());

    public ValueTask DisposeAsync() => close(this);
}

/// <summary>One way to pay a call, before anything of it is held.</summary>
internal sealed record Presented(Credential? Credential, IPaymentMethod? Method, string? Payer, string? HoldId, string? BodyDigest, bool MayBeAskedAgain)
{
    /// <summary>What its credential answers; null where that is the quote.</summary>
    public Money? Agreed { get; init; }

    public string? PriceVersion { get; init; }

    public PriceInForce? InForce { get; init; }
}
