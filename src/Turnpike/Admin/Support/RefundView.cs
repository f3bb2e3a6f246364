using Turnpike.Ledger;
using Turnpike.Payments.Refunds;

namespace Turnpike.Admin.Support;

/// <summary>A refund as it stands in the books.</summary>
/// <param name="Id">Also its receipt's.</param>
/// <param name="Payment">The receipt of what it is of.</param>
/// <param name="Status"><c>done</c>, <c>pending</c> while the rail has not said, or <c>failed</c>: then nothing was given back.</param>
/// <param name="As"><c>rail</c> or <c>credit</c>.</param>
/// <param name="Reference">The rail's name for it.</param>
/// <param name="RailAmount">What the rail moves, in its own units.</param>
/// <param name="Failure">Why it failed.</param>
internal sealed record RefundView(string Id, string Payment, string Status, MoneyView Amount, string As, string Method, string Payer, string Reason, string? Reference, string? RailAmount, string? Failure,
    string Correlation, DateTimeOffset Created, DateTimeOffset Changed)
{
    public static RefundView Of(HoldState state)
    {
        var (hold, terms) = (state.Hold, RefundTerms.From(state)!);
        return new RefundView(hold.Receipt, terms.Of, StatusOf(state), MoneyView.Of(hold.Ceiling), terms.As, hold.Method, hold.Payer, terms.Reason, state.Reference, state.RailAmount,
            state.Status == HoldStatus.Released ? state.Note : null, hold.Correlation, state.Created, state.Changed);
    }

    /// <summary>All refunds of a payment, newest first.</summary>
    public static async ValueTask<IReadOnlyList<RefundView>> OfAsync(ILedger ledger, HoldState payment, CancellationToken ct) =>
        [.. (await ledger.ListAsync(new HoldFilter(Correlation: payment.Hold.Correlation, Most: 500, Refunds: true), ct)).Where(r => RefundTerms.From(r)?.Of == payment.Hold.Receipt).Select(Of)];

    private static string StatusOf(HoldState state) => state.Status switch { HoldStatus.Settled => "done", HoldStatus.Released => "failed", _ => "pending" };
}

/// <summary>Refunds, newest first.</summary>
internal sealed record RefundList(IReadOnlyList<RefundView> Refunds);
