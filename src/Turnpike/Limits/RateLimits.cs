using Turnpike.Catalog;

namespace Turnpike.Limits;

/// <summary>
/// Who may knock how often. Three doors stand open to strangers and each has its own limit, so that a flood at one of them
/// costs nothing at the next: terms handed out, proofs that were wrong, and calls to outside verifiers.
/// </summary>
internal sealed class RateLimits(RateCounters counters, RuleLimits rules)
{
    private const string Unpaid = "unpaid", Proofs = "invalid-proofs", Credentials = "invalid-credentials", Verifier = "verifier-calls";

    /// <summary>Who guesses at keys, tokens or signatures is slowed down, by address; whoever has a right one is not kept out by them.</summary>
    public Answer? Guessed(Call call, Answer? answer)
    {
        if (answer is not Refusal { Reason: { Status: 401 } reason, Headers.Count: 0 } || reason == Reasons.IdentityRequired || reason == Reasons.ProofRequired) return answer;
        var rate = Settings(call)?.InvalidProofs ?? LimitSettings.DefaultInvalidProofs;
        return Key(call, rate) is { } key && !counters.TryTake(Credentials, key, rate, out var wait) ? Wait(call, Reasons.TooManyGuesses, Credentials, rate, wait) : answer;
    }

    /// <summary>Before anything is verified: a caller whose proofs keep failing waits, and so does one who is too fast.</summary>
    public ValueTask<Answer?> AdmitAsync(Call call, CancellationToken ct)
    {
        if (call.Quote is null || Key(call, Settings(call)?.InvalidProofs ?? LimitSettings.DefaultInvalidProofs) is not { } key) return rules.AdmitAsync(call, ct);
        var rate = Settings(call)?.InvalidProofs ?? LimitSettings.DefaultInvalidProofs;
        return counters.IsSpent(Proofs, key, rate, out var wait)
            ? new(Wait(call, Reasons.TooManyInvalidProofs, Proofs, rate, wait))
            : rules.AdmitAsync(call, ct);
    }

    /// <summary>Terms are about to be handed out to someone who presented nothing; a 429 instead when that was asked too often.</summary>
    public Answer? TakeUnpaid(Call call)
    {
        var rate = Settings(call)?.Unpaid ?? LimitSettings.DefaultUnpaid;
        return Key(call, rate) is { } key && !counters.TryTake(Unpaid, key, rate, out var wait) ? Wait(call, Reasons.TooManyUnpaid, Unpaid, rate, wait) : null;
    }

    /// <summary>A proof was wrong.</summary>
    public void CountInvalidProof(Call call)
    {
        var rate = Settings(call)?.InvalidProofs ?? LimitSettings.DefaultInvalidProofs;
        if (Key(call, rate) is { } key) counters.TryTake(Proofs, key, rate, out _);
    }

    /// <summary>One call to an outside verifier, over all callers.</summary>
    public bool TryTakeVerifier(LimitSettings? settings, out TimeSpan wait) =>
        counters.TryTake(Verifier, "", settings?.VerifierCalls ?? LimitSettings.DefaultVerifierCalls, out wait);

    /// <summary>A limit somebody else owns (a token's own rate): a 429 when it is spent.</summary>
    public Answer? Take(Call call, string name, string key, RateLimit rate) =>
        counters.TryTake(name, key, rate, out var wait) ? null : Wait(call, Reasons.TooManyCalls, name, rate, wait);

    private static LimitSettings? Settings(Call call) => call.Catalog.Settings.Get<LimitSettings>();

    /// <summary>
    /// Null: not limited. The built-in limits say nothing about loopback, which is the owner's own machine or a proxy that was
    /// not listed (and then one address would be everybody); limits that are written down hold there as well.
    /// </summary>
    private static string? Key(Call call, RateLimit rate)
    {
        if (call.Loopback && Settings(call) is null) return null;
        return CallerKey.Of(call, rate.Key);
    }

    private static Refusal Wait(Call call, Reason reason, string name, RateLimit rate, TimeSpan wait) => new(reason, $"At most {rate.Amount} per {rate.Per.TotalSeconds} seconds.")
    {
        RetryAfter = wait,
        Limit = new LimitState(name, rate.Amount, rate.Amount, call.Now + wait, rate.Per),
    };
}
