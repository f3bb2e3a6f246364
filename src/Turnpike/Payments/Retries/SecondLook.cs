using Turnpike.Catalog;
using Turnpike.Ledger;

namespace Turnpike.Payments.Retries;

/// <summary>What is said about a payment that was presented before.</summary>
internal static class SecondLook
{
    /// <summary>The answer as it left, while it is kept; then where its receipt is.</summary>
    public static async ValueTask<Answer> AgainAsync(AnswerStore answers, Call call, HoldState delivered, CancellationToken ct) =>
        await answers.FindAsync(delivered.Hold.Id, ct) is { } stored ? new Replay(stored)
            : new Refusal(Reasons.AlreadyDelivered, $"Its receipt: {PaymentReplies.ReceiptUrl(call, delivered.Hold.Receipt)}") { Receipt = PaymentReplies.ReceiptUrl(call, delivered.Hold.Receipt) };
}
