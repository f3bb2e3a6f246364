using Turnpike.Ledger;

namespace Turnpike.Billing;

/// <summary>One order of a bundle. Its terms are what they were when it was ordered, whatever the document says later.</summary>
/// <param name="Token">The token it creates, chosen with the order so that every way to finish it makes the same one; or the one it tops up.</param>
internal sealed record Purchase(string Id, string Operation, Money Price, Money Budget, long? Calls, TimeSpan? Valid, string Token, bool TopUp)
{
    /// <summary>The checkout's own name for it; null until the checkout answered.</summary>
    public string? Session { get; init; }

    /// <summary>The payment behind it, once there is one.</summary>
    public string? Intent { get; init; }

    public PurchaseStatus Status { get; init; }

    /// <summary>How often its token was shown.</summary>
    public long Shown { get; init; }

    public DateTimeOffset Created { get; init; }

    /// <summary>It was ordered at our own till: nobody paid anything for it.</summary>
    public bool ByTestMoney => Session?.StartsWith(TestSession, StringComparison.Ordinal) == true;

    /// <summary>How the sessions of our own till begin.</summary>
    public const string TestSession = "cs_sandbox_";

    /// <summary>Whose the token is, as far as that is known: money may be moved between tokens of one owner.</summary>
    public string? Owner { get; init; }
}

/// <summary>How far an order got. What was paid stays paid: refunds and disputes are movements of their own.</summary>
internal enum PurchaseStatus
{
    Open,
    Paid,
    Ended,
}
