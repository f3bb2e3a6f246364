using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments.Refunds;

namespace Turnpike.Payments.Stripe;

/// <summary>
/// Refunds of card charges, under an idempotency key of their own. Stripe refuses more than was charged; an answer that tells neither
/// yes nor no leaves it open, and it is asked again under the same key, or looked for by its name once that key is too old.
/// </summary>
internal sealed class StripeRefunds(CurrentPayments current, HttpClients clients, TimeProvider time) : IRefundRail
{
    private static readonly TimeSpan KeyKept = TimeSpan.FromHours(23);
    private readonly ConcurrentDictionary<StripeSettings, StripeClient> stripes = new();

    public string Name => "refund.stripe";

    public bool Takes(HoldState payment) => payment is { Hold.Method: "mpp.stripe", Reference: not null } && current()?.Mpp?.Stripe is not null;

    public ValueTask<RefundPlan> PlanAsync(HoldState payment, Money amount, string refund, CancellationToken ct)
    {
        // A charge is rounded up to Stripe's units: all of it goes back as all of what was charged.
        var whole = amount == payment.Captured && long.TryParse(payment.RailAmount, CultureInfo.InvariantCulture, out var charged) ? charged : (long?)null;
        return (whole ?? StripeCurrencies.ExactlyOf(amount)) is { } minor
            ? ValueTask.FromResult(new RefundPlan(new StripeRefund(payment.Reference!, minor, refund).ToJson(), null))
            : RefundPlan.Not($"Stripe has no {amount}: give back an amount in its smallest unit.");
    }

    public async ValueTask<Settlement> SettleAsync(string plan, HoldState captured, CancellationToken ct)
    {
        if (current()?.Mpp?.Stripe is not { } settings) return new Settlement.Unknown(null, "Stripe is not configured any more.");
        var stripe = stripes.GetOrAdd(settings, s => new StripeClient(clients(s.Api, StripeClient.Timeout, StripeClient.MostBytes), s));
        var refund = JsonSerializer.Deserialize(plan, StripeJson.Default.StripeRefund)!;
        if (captured.Reference is { } known) return Judge(refund, await stripe.RefundAsync(known, ct), known);
        if (time.GetUtcNow() - captured.Created > KeyKept) return await FindAsync(stripe, refund, ct);
        return Judge(refund, await stripe.RefundAsync(refund, ct), null);
    }

    private static async ValueTask<Settlement> FindAsync(StripeClient stripe, StripeRefund refund, CancellationToken ct)
    {
        if (await stripe.RefundsOfAsync(refund.Intent, ct) is not { } all) return new Settlement.Unknown(null, "Stripe does not say what became of it.");
        return all.FirstOrDefault(r => r.Metadata?.GetValueOrDefault(StripeClient.RefundName) == refund.Refund) is { } found
            ? Judge(refund, new StripeAnswer(200, found, Replayed: false), found.Id)
            : new Settlement.Failed("never_refunded", "Stripe has no such refund.");
    }

    private static Settlement Judge(StripeRefund refund, StripeAnswer answer, string? known) => answer switch
    {
        { Status: >= 200 and < 300, Reply: { Id: { } id } reply } => reply.Status switch
        {
            "succeeded" when reply.Amount == refund.Amount => new Settlement.Settled(id, refund.Amount.ToString(CultureInfo.InvariantCulture)),
            "failed" or "canceled" => new Settlement.Failed(reply.Status, "Stripe could not carry the refund out.", id),
            _ => new Settlement.Unknown(id, $"Stripe says {reply.Status}."),
        },
        { Status: 400 or 402 or 404 } when known is null => new Settlement.Failed(answer.Reply?.Error?.Code ?? answer.Reply?.Error?.Type ?? "refused", "Stripe refused the refund."),
        // Our key, our rate, its trouble: nothing was decided, and asking again is safe.
        _ => new Settlement.Unknown(known, answer.Status == 0 ? "Stripe did not answer." : $"Stripe answered {answer.Status}."),
    };
}

/// <summary>A refund as Stripe is asked for it.</summary>
/// <param name="Intent">The PaymentIntent.</param>
/// <param name="Amount">In minor units.</param>
/// <param name="Refund">Our name for it: idempotency key and metadata.</param>
internal sealed record StripeRefund(string Intent, long Amount, string Refund)
{
    public string ToJson() => JsonSerializer.Serialize(this, StripeJson.Default.StripeRefund);
}
