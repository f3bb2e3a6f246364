using System.Security.Cryptography;
using System.Text;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments.Doubts;
using Turnpike.Payments.Prepaid;

namespace Turnpike.Payments.Retries;

/// <summary>
/// A payer who lost an answer may not have the proof any more and signs a new one: an Idempotency-Key beside it says that it is the
/// same call, and the first answer is given without taking the second payment. x402's <c>payment-identifier</c> names the very
/// payload instead. Both are asked only of a payer who was verified: a key is no secret.
/// </summary>
internal sealed class RetryKeys(RetryKeyStore store, ILedger ledger, InHand inHand, TimeProvider time)
{
    /// <summary>Whoever has the key and no hold yet is about to make it; longer ago than this, it was a crash.</summary>
    private static readonly TimeSpan OnItsWay = TimeSpan.FromSeconds(30);

    private static readonly Refusal Busy = new(Reasons.InFlight, "A payment under this key is being served.") { RetryAfter = TimeSpan.FromSeconds(1) };

    /// <summary>Null: this payment is the one its keys name. Otherwise a no, or the payment that answers in its place.</summary>
    public async ValueTask<RetryVerdict?> ClaimAsync(Payment payment, CancellationToken ct)
    {
        if (payment.Method!.SettlesInBooks) return null; // there the key names the hold itself
        if (IdempotencyKey.Read(payment.Call, payment.Payer!, out var key) is Refusal unreadable) return new(unreadable, null);
        var verdict = key is null ? null : await ClaimAsync(payment, "key:" + key, ofPayload: false, ct);
        return verdict is null && payment.Credential!.Identifier is { } identifier ? await ClaimAsync(payment, $"x402:{payment.Payer}:{identifier}", ofPayload: true, ct) : verdict;
    }

    private async ValueTask<RetryVerdict?> ClaimAsync(Payment payment, string key, bool ofPayload, CancellationToken ct)
    {
        var (mine, request) = (payment.HoldId!, Digest(payment));
        var found = await store.ClaimAsync(key, mine, request, ct);
        if (found.Hold == mine) return null;
        var first = await ledger.FindAsync(found.Hold, ct);
        var gone = first is null ? time.GetUtcNow() - found.Created > OnItsWay : first.Status == HoldStatus.Released;
        if (first is not null && !gone && (ofPayload ? !IsItsCredit(payment, first) : found.Request != request))
            return new(ofPayload ? new Refusal(Reasons.IdentifierReused, "It came with another payload.") : new Refusal(Reasons.IdempotencyMismatch, $"It was used for '{first.Hold.Request}' or another body."), null);
        switch (first)
        {
            case null when !gone: return new(Busy, null);
            case { Status: HoldStatus.Held or HoldStatus.Captured }: return new(Busy, null);
            case { Status: HoldStatus.Unknown } or { Outcome: HoldOutcome.Delivered }: return new(null, first);
            case { Status: HoldStatus.Settled } when inHand.IsBusy(first): return new(Busy, null);
        }
        // Nothing was delivered under it, so this payment is the one it names from now on.
        return await store.TakeOverAsync(key, found, mine, request, ct) ? null : new(Busy, null);
    }

    /// <summary>The same payload once more, paid from the credit its first presentation left.</summary>
    private static bool IsItsCredit(Payment payment, HoldState first) => payment.HoldId == $"again:{first.Hold.Receipt}";

    /// <summary>What makes a request the same, whatever pays for it.</summary>
    private static string Digest(Payment payment) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{payment.Call.Operation.Name}\n{payment.Call.RequestLine}\n{payment.BodyDigest}")));
}

/// <summary>A no to a key, or the payment that has bought its answer, or whose end nobody knows yet.</summary>
internal sealed record RetryVerdict(Refusal? Refused, HoldState? Instead);
