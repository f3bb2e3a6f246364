namespace Turnpike.Protocols.Mpp;

/// <summary>The problem types of MPP; every 402 among them carries fresh challenges.</summary>
public static class Problems
{
    public const string BaseUri = "https://paymentauth.org/problems/";

    /// <summary>No credential.</summary>
    public static Problem PaymentRequired { get; } = Of("payment-required", "Payment Required");

    /// <summary>Bad base64, JSON or shape.</summary>
    public static Problem MalformedCredential { get; } = Of("malformed-credential", "Malformed Credential");

    /// <summary>Id unknown, terms tampered with, another route's, or consumed.</summary>
    public static Problem InvalidChallenge { get; } = Of("invalid-challenge", "Invalid Challenge");

    public static Problem PaymentExpired { get; } = Of("payment-expired", "Payment Expired");

    public static Problem PaymentInsufficient { get; } = Of("payment-insufficient", "Payment Insufficient");

    /// <summary>Proof wrong, declined or replayed.</summary>
    public static Problem VerificationFailed { get; } = Of("verification-failed", "Verification Failed");

    /// <summary>The payload does not fit the method.</summary>
    public static Problem InvalidPayload { get; } = Of("invalid-payload", "Invalid Payload");

    /// <summary>The payer has to do something more, such as 3-D Secure.</summary>
    public static Problem PaymentActionRequired { get; } = Of("payment-action-required", "Payment Action Required");

    /// <summary>Method or intent not offered here.</summary>
    public static Problem MethodUnsupported { get; } = Of("method-unsupported", "Method Unsupported", 400);

    /// <summary>More than one credential, or headers that contradict each other.</summary>
    public static Problem BadRequest { get; } = Of("bad-request", "Bad Request", 400);

    public static Problem SessionInvalidSignature { get; } = Of("session/invalid-signature", "Invalid Signature");

    public static Problem SessionSignerMismatch { get; } = Of("session/signer-mismatch", "Signer Mismatch");

    public static Problem SessionAmountExceedsDeposit { get; } = Of("session/amount-exceeds-deposit", "Amount Exceeds Deposit");

    public static Problem SessionDeltaTooSmall { get; } = Of("session/delta-too-small", "Delta Too Small");

    public static Problem SessionInsufficientBalance { get; } = Of("session/insufficient-balance", "Insufficient Balance");

    public static Problem SessionChallengeNotFound { get; } = Of("session/challenge-not-found", "Challenge Not Found");

    /// <summary>The caller must drop the channel it remembers.</summary>
    public static Problem SessionChannelNotFound { get; } = Of("session/channel-not-found", "Channel Not Found", 410);

    /// <summary>The caller must drop the channel it remembers.</summary>
    public static Problem SessionChannelFinalized { get; } = Of("session/channel-finalized", "Channel Closed", 410);

    private static Problem Of(string name, string title, int status = 402) => new(BaseUri + name, title, status);
}
