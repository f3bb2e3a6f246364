using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments.Doubts;

namespace Turnpike.Payments.Refunds;

/// <summary>
/// The cashier's word for money that went back without it: at the rail's own desk, or through a bank. It has moved already, so it is
/// booked whatever the books would have allowed: as a refund of the payment, named by what the rail calls it, and so once.
/// </summary>
internal sealed class CashierReversals(ILedger ledger, InHand inHand)
{
    private const string Lost = "loss:disputed";

    /// <summary>Books that so much of a payment went back. Again under the same name, it books nothing.</summary>
    /// <param name="atLoss">The owner bears it: what was delivered was taken back through a bank, or has become something that is taken back elsewhere.</param>
    public async ValueTask BookAsync(HoldState payment, Reversal told, bool atLoss, CancellationToken ct)
    {
        var id = IdOf(payment, told.Name);
        await ledger.PostAsync(Refundable.Opening(payment), ct);
        while (await ledger.FindAsync(id, ct) is null or { Status: HoldStatus.Released })
        {
            var left = await Refundable.LeftAsync(ledger, payment, ct);
            switch (await ledger.ReserveAsync(inHand, NewHold(payment, id, told, atLoss, left), ct))
            {
                // What was credited for no answer is spent: the payer has it twice.
                case HoldResult.InsufficientFunds missing when missing.Account != Refundable.Account(payment): atLoss = true; break;
            }
        }
        var state = (await ledger.FindAsync(id, ct))!;
        if (state.Status == HoldStatus.Held) await ledger.CaptureAsync(new Capture(id, state.Hold.Ceiling) { Reference = told.Name, Events = [Event(state.Hold, AuditKinds.Refunded, told)] }, CancellationToken.None);
        await ledger.FinishAsync(id, HoldOutcome.Delivered, [], CancellationToken.None);
    }

    /// <summary>What was booked as gone has come back to the owner after all: new entries, and it may be given back again.</summary>
    public async ValueTask UndoAsync(HoldState payment, Reversal told, CancellationToken ct)
    {
        if (await ledger.FindAsync(IdOf(payment, told.Name), ct) is not { Status: HoldStatus.Settled } booked) return;
        var (legs, events) = (booked.Hold.Legs, (IReadOnlyList<AuditEvent>)[Event(booked.Hold, AuditKinds.RefundFailed, told)]);
        for (var i = 0; i < legs.Count; i++)
        {
            var moved = new Money(Legs.Moves(legs, i, booked.Captured.Units), legs[i].Amount.Currency);
            await ledger.PostAsync(new Transfer($"unrefund:{i}:{told.Name}", legs[i].To, legs[i].From, moved, told.Why, LimitedFrom: false, LimitedTo: legs[i].Limited) { Correlation = booked.Hold.Correlation, Events = i == 0 ? events : [] }, ct);
        }
    }

    private static string IdOf(HoldState payment, string name) => $"{Hold.RefundPrefix}{payment.Hold.Receipt}:stripe:{name}";

    private static Hold NewHold(HoldState payment, string id, Reversal told, bool atLoss, Money left)
    {
        var paid = payment.Hold;
        var credited = payment.Outcome == HoldOutcome.Credited && !atLoss;
        // All of a charge is all of what it took, whatever it was rounded up to.
        var amount = told.Amount > payment.Captured ? payment.Captured : told.Amount;
        var within = amount < left ? amount : left;
        var from = credited ? Undelivered.Account(paid.Payer) : atLoss ? Lost : $"refunded:{paid.Operation}";
        return new Hold
        {
            Id = id,
            Legs = [new Leg(from, paid.Legs[0].From, amount, Limited: credited), .. within.IsZero ? (ReadOnlySpan<Leg>)[] : [Refundable.Leg(payment, within)]],
            Binding = told.Name,
            Receipt = Ids.New("rf"),
            Correlation = paid.Correlation,
            Operation = paid.Operation,
            Payer = paid.Payer,
            Caller = paid.Caller,
            Method = told.Method,
            PriceVersion = paid.PriceVersion,
            Request = $"refund of {paid.Receipt}",
            Terms = new RefundTerms(paid.Receipt, "rail", told.Why, null).ToJson(),
        };
    }

    private static AuditEvent Event(Hold refund, string kind, Reversal told) => CashierReturns.Event(refund, kind, told.Method, told.Name) with { Detail = told.Why };
}

/// <summary>Money that went back without us.</summary>
/// <param name="Name">The rail's name for it.</param>
/// <param name="Method">How it stands among refunds: <c>told.refund</c>, <c>told.dispute</c>.</param>
internal sealed record Reversal(string Name, Money Amount, string Method, string Why);
