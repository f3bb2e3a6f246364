using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments.Sessions;

namespace Turnpike.Payments.Retries;

/// <summary>What is said about a payment that was presented before.</summary>
internal static class SecondLook
{
    /// <summary>The answer as it left, while it is kept; then where its receipt is.</summary>
    /// <param name="sessions">Whoever presents the very payment that bought a session is told its pass again, which no receipt shows; null: it is another payment.</param>
    public static async ValueTask<Answer> AgainAsync(AnswerStore answers, Payment payment, HoldState delivered, SessionPasses? sessions, CancellationToken ct)
    {
        if (await answers.FindAsync(delivered.Hold.Id, ct) is { } stored) return new Replay(stored);
        var receipt = PaymentReplies.ReceiptUrl(payment.Call, delivered.Hold.Receipt);
        return new Refusal(Reasons.AlreadyDelivered, $"Its receipt: {receipt}") { Receipt = receipt, Headers = sessions?.Again(payment, delivered) ?? [] };
    }
}
