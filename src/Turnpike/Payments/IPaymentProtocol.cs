using Turnpike.Catalog;

namespace Turnpike.Payments;

/// <summary>How payment is said. Pure; no I/O.</summary>
internal interface IPaymentProtocol
{
    string Name { get; }

    /// <summary>The request headers credentials of this protocol arrive in.</summary>
    IReadOnlyList<string> CredentialHeaders { get; }

    /// <summary>The credential this call presents; null when none is of this protocol. What cannot be read becomes <see cref="Credential.Malformed"/>.</summary>
    Credential? Read(Call call);

    /// <summary>Says the terms: headers first, and fields for the problem body.</summary>
    void WriteChallenge(Call call, IReadOnlyList<Offer> offers, Refusal refusal, Reply reply);

    /// <summary>Says that the money was taken.</summary>
    void WriteReceipt(Receipt receipt, Reply reply);
}

/// <summary>How payment is made.</summary>
internal interface IPaymentMethod
{
    /// <summary><c>x402.exact</c>, <c>mpp.evm</c>, <c>mpp.stripe</c>, <c>prepaid</c>.</summary>
    string Name { get; }

    string Protocol { get; }

    /// <summary>True when a capture is all there is to settling: the money is already here (prepaid).</summary>
    bool SettlesInBooks => false;

    /// <summary>True when less can be collected than was held: what metered prices need.</summary>
    bool TakesLess => SettlesInBooks;

    /// <summary>True when the money is always collected before forwarding.</summary>
    bool SettlesBefore => false;

    /// <summary>The terms for this call; empty when this method cannot serve its price.</summary>
    IReadOnlyList<Offer> Offer(Call call);

    /// <summary>
    /// Reads who claims to pay and which id the rail spends once into <see cref="Payment.HoldId"/>; believes nothing, asks nobody.
    /// A refusal means the credential is not of any offer here.
    /// </summary>
    Answer? Identify(Payment payment);

    /// <summary>Believes it, or not: local checks first, then the rail. Sets payer, legs and terms; moves nothing.</summary>
    ValueTask<Answer?> VerifyAsync(Payment payment, CancellationToken ct);

    /// <summary>What will be sent to the rail, to be stored with the capture before it is sent; null when the hold's terms say it all.</summary>
    ValueTask<string?> PrepareAsync(Ledger.HoldState held, Ledger.Money amount, CancellationToken ct) => ValueTask.FromResult<string?>(null);

    /// <summary>
    /// Collects what was captured, from what the books hold alone: a restart calls it with the same. Idempotent by hold id.
    /// </summary>
    ValueTask<Settlement> SettleAsync(Ledger.HoldState captured, CancellationToken ct);

    /// <summary>The same by whoever has captured it this moment, and nobody else before; what has failed in between is no first try any more.</summary>
    ValueTask<Settlement> SettleFirstAsync(Ledger.HoldState captured, CancellationToken ct) => SettleAsync(captured, ct);

    /// <summary>This payment counts as settled only when so many blocks hold it. Rails without blocks are final when they say so.</summary>
    void Confirm(Payment payment, int blocks)
    {
    }

    /// <summary>The network a payment is on, CAIP-2; null where there is none.</summary>
    string? NetworkOf(Payment payment) => null;

    /// <summary>What is left to spend after this payment, where that is known here.</summary>
    Ledger.Money? Remaining(Payment payment) => null;

    /// <summary>How to say that an account did not cover its leg.</summary>
    Refusal TooLittle(Ledger.HoldResult.InsufficientFunds missing) => new(Reasons.PaymentInsufficient, $"{missing.Available} is available.");
}
