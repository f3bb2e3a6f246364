using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments.Included;
using Turnpike.Plans;

namespace Turnpike.Payments.Doubts;

/// <summary>What a payer is told whose payment is not taken, or not yet known to be.</summary>
internal static class PaymentRefusals
{
    /// <summary>A proof that does not hold, counted against who sent it; too little money is no bad proof.</summary>
    public static Refusal Wrong(this Limits.RateLimits limits, Call call, Answer answer)
    {
        var refusal = (Refusal)answer;
        if (refusal.Reason.Status == 402 && !Reasons.IsAboutFunds(refusal.Reason)) limits.CountInvalidProof(call);
        return refusal;
    }

    public static Refusal Mismatch(Payment payment, HoldState known) => payment.Method!.SettlesInBooks
        ? new Refusal(Reasons.IdempotencyMismatch, $"It was used for '{known.Hold.Request}' or another body.")
        : new Refusal(Reasons.CredentialUsed, "It was presented before, for another request or in another form.");

    public static Refusal TooLittle(Payment payment, HoldResult.InsufficientFunds missing)
    {
        payment.ShortOf = missing;
        if (Caps.IsCap(missing.Account)) return CapReached.Of(payment, missing);
        if (payment.CreditOnly) return new Refusal(Reasons.CredentialUsed, "Its credit has been spent since.");
        // What the plan includes renews by itself; the balance does not.
        return payment.Method is BalanceMethod && payment.UsedUp is { } usedUp ? usedUp : payment.Method!.TooLittle(missing);
    }

    public static Refusal Pending(Payment payment, string? reference) => new(Reasons.SettlementUnknown, "The payment was sent and is not confirmed yet.")
    {
        RetryAfter = TimeSpan.FromSeconds(5),
        Failure = Failure(payment, "settlement_pending", reference),
    };

    /// <summary>The rail's no is told on; what we believe of it is the settler's matter (ADR 0026).</summary>
    public static Refusal Refused(Payment payment, string code, string detail) => new(Reasons.SettlementFailed, detail) { Code = code, Failure = Failure(payment, code, null) };

    public static FailedSettlement Failure(Payment payment, string code, string? reference) =>
        new(payment.Credential!.Protocol, payment.Method!.NetworkOf(payment) ?? "", payment.Payer, reference, code);
}
