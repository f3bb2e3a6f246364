namespace Turnpike.Client;

/// <summary>
/// The connection broke, or the caller stopped waiting, after a payment was sent: it may have been taken. Send
/// <see cref="PaymentAttempt.ToRequest"/> to ask again with the same credential; a fresh request would pay a second time.
/// </summary>
public sealed class PaymentOutcomeUnknownException(PaymentAttempt attempt, Exception cause)
    : Exception($"A payment of {attempt.Amount} by {attempt.Protocol} was sent, and its answer was lost: it may have been taken.", cause)
{
    /// <summary>What was sent.</summary>
    public PaymentAttempt Attempt => attempt;
}
