using Turnpike.Catalog;

namespace Turnpike.Payments.Stripe;

/// <summary>Collects one charge and tells what became of it. Repeating it is safe for as long as Stripe keeps its idempotency key.</summary>
internal sealed class StripeCharge(StripeClient stripe, TimeProvider time)
{
    /// <summary>Stripe keeps keys for a day at least; after that a repetition could charge anew.</summary>
    private static readonly TimeSpan KeyKept = TimeSpan.FromHours(23);

    /// <param name="first">True when this hold has not been tried before: then an answer repeated by Stripe is not ours (GHSA-8mhj-rffc-rcvw).</param>
    public async ValueTask<Settlement> SettleAsync(StripeTerms terms, DateTimeOffset since, bool first, CancellationToken ct)
    {
        if (time.GetUtcNow() - since > KeyKept) return await FindAsync(terms, ct);
        var answer = await stripe.ChargeAsync(terms, ct);
        if (answer is { Replayed: true } && first) return Failed("idempotent_replayed", "Stripe has charged this challenge before.", null);
        return answer.Status switch
        {
            >= 200 and < 300 when answer.Reply is { } intent => await JudgeAsync(terms, intent, ct),
            400 or 402 or 404 => Failed(CodeOf(answer.Reply), "Stripe refused the payment token.", null),
            // Said of this request alone: an earlier one may have taken the money.
            401 or 403 or 429 when !first => new Settlement.Unknown(null, $"Stripe answered {answer.Status}."),
            401 or 403 => Failed("stripe_refused_us", "Card payments cannot be taken right now.", Reasons.VerifierDown),
            429 => Failed("stripe_rate_limited", "Card payments cannot be taken right now.", Reasons.VerifierBusy),
            _ => new Settlement.Unknown(null, answer.Status == 0 ? "Stripe did not answer." : $"Stripe answered {answer.Status}."),
        };
    }

    private async ValueTask<Settlement> FindAsync(StripeTerms terms, CancellationToken ct)
    {
        var answer = await stripe.FindAsync(terms.Challenge, ct);
        if (answer is not { Status: >= 200 and < 300, Reply: { } found }) return new Settlement.Unknown(null, "Stripe does not say what became of it.");
        return found.Id is null ? Failed("never_charged", "Stripe has no payment for it.", null) : await JudgeAsync(terms, found, ct);
    }

    private async ValueTask<Settlement> JudgeAsync(StripeTerms terms, StripeReply intent, CancellationToken ct)
    {
        var ours = intent.Amount == terms.Amount && string.Equals(intent.Currency, terms.Currency, StringComparison.OrdinalIgnoreCase);
        switch (intent.Status)
        {
            case "succeeded" when ours && intent.Id is { } id:
                return new Settlement.Settled(id, terms.Amount.ToString(System.Globalization.CultureInfo.InvariantCulture));
            case "requires_action" when intent.Id is { } id:
                // Nobody else can confirm it, as its client secret never leaves us; cancelling only tidies up.
                await stripe.CancelAsync(id, terms.IdempotencyKey, ct);
                return Failed("requires_action", "The payer has to confirm this payment with the bank.", Reasons.PaymentActionRequired, id);
            case "requires_payment_method" or "canceled":
                return Failed(intent.Status, "Stripe refused the payment token.", null, intent.Id);
            default:
                return new Settlement.Unknown(intent.Id, ours ? $"Stripe says {intent.Status}." : "Stripe's answer is for another amount.");
        }
    }

    private static string CodeOf(StripeReply? reply) => reply?.Error is { } error ? error.DeclineCode ?? error.Code ?? error.Type ?? "refused" : "refused";

    private static Settlement.Failed Failed(string code, string detail, Reason? reason, string? reference = null) => new(code, detail, reference) { As = reason };
}
