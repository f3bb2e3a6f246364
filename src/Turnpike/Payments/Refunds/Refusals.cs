using Turnpike.Ledger;

namespace Turnpike.Payments.Refunds;

/// <summary>Every way to say no to an operator who wants something given back.</summary>
internal static class Refusals
{
    public static readonly RefundResult.Refused KeyReused = new("idempotency-mismatch", "The key was used for another order", "Send the same order again, or take another Idempotency-Key.");

    public static readonly RefundResult.Refused AlreadyBack = new("already-credited", "The payer has it back", "Its answer was not delivered, and so it was credited by itself. Order it as rail to pay that credit out.");

    public static readonly RefundResult.Refused CreditSpent = new("credit-spent", "The payer has spent it", "Its answer was not delivered, the amount became the payer's credit, and less than that is left.");

    public static readonly RefundResult.Refused BoughtSpent = new("token-spent", "What it bought is spent", "The token it bought has less left than is to be given back: order what is left of it, or less.");

    public static readonly RefundResult.Refused NotYetBought = NotRefundable("It bought a token that is not made yet: the buyer gets it by the same proof.");

    /// <summary>Null when the payment has come to an end that something can be given back of.</summary>
    public static RefundResult.Refused? Of(HoldState payment) => payment switch
    {
        _ when payment.Hold.IsPurchase => NotRefundable("It is what an upstream was paid: its seller gives it back, or nobody does."),
        _ when payment.Hold.IsRefund => NotRefundable("It is a refund itself."),
        { Status: HoldStatus.Released } => NotRefundable("Nothing was taken: it was released."),
        { Status: HoldStatus.Unknown } => NotRefundable("It is not known whether anything was taken: resolve it first."),
        // In flight it may yet become credit by itself, and then it would be given back twice.
        { Status: not HoldStatus.Settled } or { Outcome: HoldOutcome.Open } => NotRefundable("Its answer is on its way: wait until it is delivered."),
        _ => null,
    };

    public static RefundResult.Refused TooMuch(HoldState payment, Money left) =>
        new("refund-exceeds", "That is more than was taken", $"{payment.Captured} was taken, {left} of it has not been given back.");

    public static RefundResult.Refused NoRail(HoldState payment) =>
        new("rail-cannot-refund", "Its rail cannot give it back", $"'{payment.Hold.Method}' has no refunds here, or is not configured for them. Order it as credit.");

    public static RefundResult.Refused RailRefused(string why) => new("refund-refused", "The rail does not give it back", why);

    private static RefundResult.Refused NotRefundable(string why) => new("not-refundable", "There is nothing to give back", why);
}
