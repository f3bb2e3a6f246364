using Turnpike.Ledger;
using Turnpike.Pricing.Periods;

namespace Turnpike.Payments.Metered;

/// <summary>
/// Takes what a call used of the periods its price counts over, before its money is taken: whose turn it was is then settled, and a
/// crash in between charges what was worked out, not an estimate.
/// </summary>
internal sealed class PeriodCount(PeriodStore periods)
{
    public async ValueTask TakeAsync(Payment payment)
    {
        // What an allowance in tokens pays for is not sold: it does not count.
        if (payment.Metered is not { } quote || !Money.IsMoney(payment.Ceiling.Currency)) return;
        var usage = quote.Call.Usage;
        if (quote.InPeriods(usage, payment.Call.Operation.Name) is not { Count: > 0 } uses) return;
        await periods.TakeAsync(payment.State!.Hold.Receipt, SubjectOf(payment.State), uses, payment.Call.Now, due =>
        {
            usage.InPeriod = due;
            return MeteredCharge.Due(payment).Units;
        }, CancellationToken.None);
    }

    /// <summary>Nothing was charged: another node gave it back.</summary>
    public async ValueTask GiveBackAsync(Payment payment)
    {
        if (payment.Metered?.Call.Usage.InPeriod.Count > 0) await periods.GiveBackAsync(payment.State!.Hold.Receipt, SubjectOf(payment.State), CancellationToken.None);
    }

    /// <summary>What a call that a crash cut off was about to be charged; null where nothing was worked out.</summary>
    public async ValueTask<Money?> ChargedAsync(HoldState open, CancellationToken ct) =>
        await periods.FindAsync(open.Hold.Receipt, ct) is [var take, ..] ? new Money(take.Charge, open.Hold.Ceiling.Currency) : null;

    private static string SubjectOf(HoldState state) => state.Hold.Caller ?? state.Hold.Payer;
}
