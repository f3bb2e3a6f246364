namespace Turnpike.Payments;

/// <summary>How often an outside verifier (chain node, facilitator) may be asked, over all callers.</summary>
internal interface IVerifierLimit
{
    /// <summary>Takes one question; false, and when to come again, when there are none left.</summary>
    bool TryAcquire(out TimeSpan retryAfter);
}
