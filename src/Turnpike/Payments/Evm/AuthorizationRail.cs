using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Protocols.X402;

namespace Turnpike.Payments.Evm;

/// <summary>What x402 exact and MPP evm share once their local checks are passed: an authorization, believed and collected on its chain.</summary>
internal sealed class AuthorizationRail(EvmChains chains, IVerifierLimit limit)
{
    /// <summary>Asks the chain, within what outside verifiers may be asked; then sets payer, legs, terms and expiry.</summary>
    public async ValueTask<Answer?> VerifyAsync(Payment payment, EvmChain chain, AuthorizationTerms terms, CancellationToken ct)
    {
        if (!limit.TryAcquire(out var retryAfter)) return new Refusal(Reasons.VerifierBusy, "Its proof was not looked at.") { RetryAfter = retryAfter };
        if (await chain.Facilitator.VerifyAsync(terms, ct) is { } refusal) return refusal;
        payment.Payer = PayerOf(terms);
        payment.Legs = [new Leg($"external:evm:{payment.Payer}", $"revenue:{payment.Call.Operation.Name}", payment.Ceiling, Limited: false)];
        payment.Terms = terms.ToJson();
        payment.Expires = terms.Expires;
        return null;
    }

    /// <summary>Kept with the hold, so that a restart asks for as many.</summary>
    public static void Confirm(Payment payment, int blocks)
    {
        if (AuthorizationTerms.FromJson(payment.Terms) is { } terms) payment.Terms = (terms with { Blocks = blocks }).ToJson();
    }

    public async ValueTask<string?> PrepareAsync(HoldState held, CancellationToken ct) =>
        AuthorizationTerms.FromJson(held.Hold.Terms) is { } terms && chains.Find(terms.Network) is { } chain ? await chain.Facilitator.PrepareAsync(terms, ct) : null;

    public async ValueTask<Settlement> SettleAsync(HoldState captured, CancellationToken ct)
    {
        if (AuthorizationTerms.FromJson(captured.Hold.Terms) is not { } terms) return new Settlement.Unknown(null, "The hold does not hold an authorization.");
        if (chains.Find(terms.Network) is not { } chain) return new Settlement.Unknown(null, $"{terms.Network} is not configured any more.");
        var again = captured.Status == HoldStatus.Unknown || captured.Reference is not null;
        var settlement = await chain.Facilitator.SettleAsync(terms, captured.Broadcast, captured.Created, again, ct);
        if (settlement is Settlement.Settled settled && terms.Blocks > 0)
            return chain.Confirmations is { } confirmations ? await confirmations.WaitAsync(settled, (ulong)terms.Blocks, ct) : new Settlement.Unknown(settled.Reference, "No node counts its blocks.");
        // A transaction that reverted has told the world the signature: until it expires, or its nonce is spent, anybody can carry it
        // out when the wallet is filled. To give the hold back, and take another payment, would be to be paid twice for one answer.
        return settlement is Settlement.Failed { Reference: not null, Code: not (ErrorCodes.ValidBefore or ErrorCodes.NonceAlreadyUsed) } failed ? new Settlement.Unknown(failed.Reference, failed.Detail) { Refused = failed.Code } : settlement;
    }

    /// <summary>A payer as the books know it: CAIP-10 in lower case.</summary>
    private static string PayerOf(AuthorizationTerms terms) => $"{terms.Network}:{terms.Payer.ToLowerHex()}";
}
