using Turnpike.Catalog;
using Turnpike.Ledger;

namespace Turnpike.Payments.Retries;

/// <summary>What is said about a payment that was presented before.</summary>
internal static class SecondLook
{
    /// <summary>The answer as it left, while it is kept; then where its receipt is.</summary>
    public static async ValueTask<Answer> AgainAsync(AnswerStore answers, Call call, HoldState delivered, CancellationToken ct) =>
        await answers.FindAsync(delivered.Hold.Id, ct) is { } stored ? new Replay(stored)
            : new Refusal(Reasons.AlreadyDelivered, $"Its receipt: {Cashier.ReceiptUrl(call, delivered.Hold.Receipt)}") { Receipt = Cashier.ReceiptUrl(call, delivered.Hold.Receipt) };

    public static Refusal Mismatch(Payment payment, HoldState known) => payment.Method!.SettlesInBooks
        ? new Refusal(Reasons.IdempotencyMismatch, $"It was used for '{known.Hold.Request}' or another body.")
        : new Refusal(Reasons.CredentialUsed, "It was presented before, for another request or in another form.");

    public static Refusal Pending(Payment payment, string? reference) => new(Reasons.SettlementUnknown, "The payment was sent and is not confirmed yet.")
    {
        RetryAfter = TimeSpan.FromSeconds(5),
        Failure = Failure(payment, "settlement_pending", reference),
    };

    public static FailedSettlement Failure(Payment payment, string code, string? reference) =>
        new(payment.Credential!.Protocol, payment.Method!.NetworkOf(payment) ?? "", payment.Payer, reference, code);
}
