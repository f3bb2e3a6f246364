using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Payments.Refunds;
using Turnpike.Payments.Stripe;
using Turnpike.Tokens;

namespace Turnpike.Billing.Disputes;

/// <summary>
/// Calls paid by card whose money went back at Stripe's side: refunded in its dashboard, or lost in a dispute. What is told only makes us
/// look; what Stripe then shows is booked, each refund and each dispute once by its name, in whatever order and however often it is told.
/// </summary>
internal sealed class ChargeDesk(ChargeStore store, PurchaseStore events, DisputeStore disputes, CashierReversals reversals, TokenDesk desk, TokenReclaim reclaim, ILedger ledger, CurrentPayments current, HttpClients clients)
{
    private const string ByRefund = "told.refund", ByDispute = "told.dispute";

    /// <summary>True when what is told of charges concerns us: of one we do not know yet, it is kept until we do.</summary>
    public bool Listens => current()?.Mpp is { Stripe: not null, StripeWebhookSecrets.Count: > 0 };

    /// <summary>The call a charge paid for; null when it paid for none, or is not known to have.</summary>
    public async ValueTask<HoldState?> FindAsync(string? intent, CancellationToken ct) =>
        intent is not null && await store.ReceiptAsync(intent, ct) is { } receipt ? await ledger.FindByReceiptAsync(receipt, ct) : null;

    /// <summary>False: it could not be dealt with now, so Stripe shall tell it again.</summary>
    public async ValueTask<bool> ToldAsync(HoldState payment, StripeEvent told, CancellationToken ct)
    {
        if (!await events.NoteAsync(told, ct)) return true;
        if (!await LookAsync(payment, ct)) return false;
        await events.DoneAsync(told.Id, ct);
        return true;
    }

    /// <summary>What was told before its call was known to be paid, or to a process that died.</summary>
    public async ValueTask CatchUpAsync(CancellationToken ct)
    {
        if (!Listens) return;
        foreach (var intent in await store.BehindAsync(ct))
            if (await FindAsync(intent, ct) is { } payment && await LookAsync(payment, ct)) await store.DoneAsync(intent, ct);
    }

    /// <summary>Compares the books with what Stripe shows; false while either cannot be said.</summary>
    private async ValueTask<bool> LookAsync(HoldState payment, CancellationToken ct)
    {
        // While its answer is on its way it may yet become credit by itself, and that decides where the money is taken from.
        if (payment is not { Status: HoldStatus.Settled, Outcome: not HoldOutcome.Open, Reference: { } intent } || current()?.Mpp?.Stripe is not { } settings) return false;
        var stripe = new StripeClient(clients(settings.Api, StripeClient.Timeout, StripeClient.MostBytes), settings);
        if (await stripe.RefundsOfAsync(intent, ct) is not { } refunds) return false;
        foreach (var refund in refunds)
        {
            if (refund is not { Id: { } id, Amount: { } minor } || await IsOursAsync(refund, ct)) continue;
            var told = new Reversal(id, StripeCurrencies.OfMinor(minor, payment.Captured.Currency), ByRefund, "refunded at Stripe");
            if (refund.Status == "succeeded") await BookAsync(payment, told, ct);
            else if (refund.Status is "failed" or "canceled") await reversals.UndoAsync(payment, told, ct);
        }
        foreach (var id in await store.DisputesAsync(intent, ct))
            if (await disputes.FindAsync(id, ct) is { Status: "lost" } lost) await BookAsync(payment, new Reversal(id, lost.Amount, ByDispute, "lost in a dispute"), ct);
        return true;
    }

    /// <summary>A token that was bought with it loses the same amount, as far as it is there, and ends before anything else when all of it went back, unless other money came to it.</summary>
    private async ValueTask BookAsync(HoldState payment, Reversal told, CancellationToken ct)
    {
        var token = payment.Hold.Operation.StartsWith(PayApi.Selling, StringComparison.Ordinal) ? TokenText.IdFor(payment.Hold.Receipt) : null;
        var bought = token is null ? null : await events.BoughtAsync(token, payment.Hold.Receipt, ct);
        if (bought is not null && bought.Account == Token.AccountOf(token!) && told.Amount >= bought.Paid) await desk.EndAsync(token!, TokenStatus.Revoked, $"its payment was {told.Why}", ct);
        await reversals.BookAsync(payment, told, atLoss: bought is not null || told.Method == ByDispute, ct);
        if (bought is not null) await reclaim.TakeAsync(new SoldTo(bought.Account, payment.Hold.Operation, payment.Created), told.Name, told.Amount < bought.Paid ? told.Amount : bought.Paid, told.Why, ct);
    }

    /// <summary>Ordered here: it is booked by whoever ordered it.</summary>
    private async ValueTask<bool> IsOursAsync(StripeReply refund, CancellationToken ct) =>
        refund.Metadata?.GetValueOrDefault(StripeClient.RefundName) is { } name && await ledger.FindByReceiptAsync(name, ct) is { Hold.IsRefund: true };
}
