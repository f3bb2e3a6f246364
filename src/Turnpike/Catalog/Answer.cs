namespace Turnpike.Catalog;

/// <summary>What ends a call at the gate. Expected answers are values; exceptions are bugs.</summary>
internal abstract record Answer;

/// <summary>A no, with a reason from the table and what the agent can do about it.</summary>
internal sealed record Refusal(Reason Reason, string Detail) : Answer
{
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The protocol's own code (x402 error code); told beside ours.</summary>
    public string? Code { get; init; }

    /// <summary>What WWW-Authenticate says beside a 401 or 403; empty: the usual.</summary>
    public IReadOnlyList<string> Challenges { get; init; } = [];

    /// <summary>More headers that belong to it.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>What the rail said of a settlement, for the protocol's failure receipt; null when nothing was tried.</summary>
    public FailedSettlement? Failure { get; init; }

    /// <summary>Where to ask whether an operator has said yes.</summary>
    public string? ApprovalUrl { get; init; }

    /// <summary>A limit that was hit: what it is, how much is used, when it starts anew.</summary>
    public LimitState? Limit { get; init; }

    /// <summary>Whose cap was reached: <c>organisation</c>, <c>caller</c>, <c>key</c>, <c>token</c> or <c>task</c>.</summary>
    public string? Level { get; init; }

    /// <summary>The URL of a receipt, where the payment has bought something before.</summary>
    public string? Receipt { get; init; }
}

/// <summary>A settlement that failed or is pending, as its protocol tells it.</summary>
internal sealed record FailedSettlement(string Protocol, string Network, string? Payer, string? Transaction, string Code);

/// <summary>A limit as a refusal tells it, in <paramref name="Unit"/>; a window of zero is at once.</summary>
internal sealed record LimitState(string Name, long Limit, long Used, DateTimeOffset ResetAt, TimeSpan Window, string Unit = "requests");

/// <summary>The answer that was already paid for, once more.</summary>
internal sealed record Replay(StoredAnswer Stored) : Answer;

/// <summary>A kept answer: status, headers as they left, body.</summary>
internal sealed record StoredAnswer(int Status, IReadOnlyList<KeyValuePair<string, string>> Headers, ReadOnlyMemory<byte> Body);

/// <summary>Management of a payment: an empty 204 with the protocol's headers.</summary>
internal sealed record Management(IReadOnlyList<KeyValuePair<string, string>> Headers) : Answer;
