using Turnpike.Ledger;
using Turnpike.Payments.Refunds;
using Turnpike.Tokens;

namespace Turnpike.Billing;

/// <summary>
/// Refunds of payments by their receipt. One that bought a token takes the same amount off the token in the same act; given back whole,
/// the token ends, and what was a gift of it too; where other money came to it, it goes on with that.
/// </summary>
internal sealed class SaleRefunds(CashierReturns returns, PurchaseStore store, TokenDesk desk, HandoverStore transfers, ILedger ledger)
{
    public async ValueTask<RefundResult> RefundAsync(RefundOrder order, CancellationToken ct)
    {
        var paid = order.Payment;
        if (!paid.Hold.Operation.StartsWith(PayApi.Selling, StringComparison.Ordinal)) return await returns.RefundAsync(order, ct);
        var token = TokenText.IdFor(paid.Hold.Receipt);
        if (await store.BoughtAsync(token, paid.Hold.Receipt, ct) is not { } bought) return Refusals.NotYetBought;
        var result = await returns.RefundAsync(order with { Bought = bought }, ct);
        if (result is RefundResult.Ordered { State.Status: not HoldStatus.Released and var status } && (await Refundable.LeftAsync(ledger, paid, ct)).IsZero) await EndAsync(token, paid.Hold.Receipt, status == HoldStatus.Settled, ct);
        return result;
    }

    /// <summary>While the rail has not said yes the token stands still: ordered again under the same key, it ends.</summary>
    private async ValueTask EndAsync(string token, string receipt, bool done, CancellationToken ct)
    {
        if (await desk.FindAsync(token, ct) is not { } whole) return;
        await desk.EndAsync(token, done ? TokenStatus.Revoked : TokenStatus.Frozen, done ? "its payment was given back" : "its payment is being given back", ct);
        // Its own gift: what was given with a later top-up is that one's.
        if (done && await transfers.MovedAsync($"issue:{token}:gift", whole.Budget.Currency, ct) is { IsZero: false } gift) await desk.TakeAsync(whole.Account, $"reverse:{receipt}:gift", gift, "external:promotion", ct);
    }
}
