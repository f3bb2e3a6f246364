using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments.Doubts;

namespace Turnpike.Payments.Refunds;

/// <summary>
/// The cashier's way back. A refund is a hold like a payment: intended is held, sent is captured, and it ends settled or released,
/// by the same three-valued rule. Its second leg takes the amount from what may still be given back of the payment, an account
/// that was opened with what was captured: so all refunds of a payment together never exceed it, however many are ordered at once.
/// </summary>
internal sealed partial class CashierReturns(IEnumerable<IRefundRail> rails, ILedger ledger, InHand inHand, ILogger<CashierReturns> log)
{
    private readonly IRefundRail[] rails = [.. rails];

    /// <summary>Gives back, or says why not. The same order again answers as before; one that failed is tried again.</summary>
    public async ValueTask<RefundResult> RefundAsync(RefundOrder order, CancellationToken ct)
    {
        var (payment, id) = (order.Payment, order.HoldId);
        if (await ledger.FindAsync(id, ct) is { } known)
        {
            if (known.Hold.Binding != order.Binding) return Refusals.KeyReused;
            if (known.Status != HoldStatus.Released) return new RefundResult.Ordered(known);
        }
        if (Refusals.Of(payment) is { } objection) return objection;
        var rail = order.As == RefundAs.Credit ? null : Array.Find(rails, r => r.Takes(payment));
        if (rail is null && order.As == RefundAs.Rail) return Refusals.NoRail(payment);
        if (rail is null && payment.Outcome == HoldOutcome.Credited) return Refusals.AlreadyBack;

        await ledger.PostAsync(Refundable.Opening(payment), ct);
        var amount = order.Amount ?? await Refundable.LeftAsync(ledger, payment, ct);
        if (amount.IsZero) return Refusals.TooMuch(payment, amount);
        var receipt = Ids.New("rf");
        var plan = rail is null ? new RefundPlan(null, null) : await rail.PlanAsync(payment, amount, receipt, ct);
        if (plan.Objection is { } why) return Refusals.RailRefused(why);
        if (rail is null && Undelivered.Target(payment.Hold) is var target && (payment.Hold.Legs[0].Limited || target != payment.Hold.Legs[0].From)) await ledger.PostAsync(Refundable.Opened(target, amount.Currency), ct);
        var before = payment.Captured - await Refundable.LeftAsync(ledger, payment, ct);
        if (amount > payment.Captured - before) return Refusals.TooMuch(payment, payment.Captured - before);
        var hold = NewHold(order, rail, receipt, amount, plan, before);
        return await ledger.ReserveAsync(inHand, hold, ct) switch
        {
            HoldResult.Held held => await MakeNowAsync(held.State),
            HoldResult.AlreadyUsed used => used.State.Hold.Binding == order.Binding ? new RefundResult.Ordered(used.State) : Refusals.KeyReused,
            HoldResult.InsufficientFunds missing when missing.Account == order.Bought?.Account => Refusals.BoughtSpent,
            HoldResult.InsufficientFunds missing => missing.Account == Refundable.Account(payment) ? Refusals.TooMuch(payment, await Refundable.LeftAsync(ledger, payment, ct)) : Refusals.CreditSpent,
            _ => throw new InvalidOperationException(),
        };
    }

    /// <summary>What a crash or a silent rail left open. True when it has come to its end.</summary>
    public async ValueTask<bool> FinishAsync(HoldState open, CancellationToken ct)
    {
        switch (open.Status)
        {
            case HoldStatus.Held: // an operator ordered it, and was maybe told so
                await MakeAsync(open);
                return (await ledger.FindAsync(open.Hold.Id, ct))!.IsOpen is false;
            case HoldStatus.Settled:
                await ledger.FinishAsync(open.Hold.Id, HoldOutcome.Delivered, [], ct);
                return true;
            case HoldStatus.Released:
                return true;
            default:
                await SendAsync(open);
                return (await ledger.FindAsync(open.Hold.Id, ct))!.IsOpen is false;
        }
    }

    private async ValueTask<RefundResult> MakeNowAsync(HoldState held)
    {
        inHand.Take(held.Hold.Id);
        try { return await MakeAsync(held); }
        catch (Storage.StorageUnavailableException)
        {
            inHand.Leave(held.Hold, delivered: false);
            throw;
        }
        finally { inHand.Leave(held.Hold.Id); }
    }

    /// <summary>Never cancelled from here on: half a refund is worse than a late one.</summary>
    private async ValueTask<RefundResult> MakeAsync(HoldState held)
    {
        var (id, amount) = (held.Hold.Id, held.Hold.Ceiling);
        if (RailOf(held) is not { } rail)
        {
            await ledger.CaptureAsync(new Capture(id, amount) { Reference = held.Hold.Receipt, Events = [Event(held, AuditKinds.Refunded, reference: held.Hold.Receipt)] }, CancellationToken.None);
            return await DoneAsync(id);
        }
        string? broadcast;
        try { broadcast = await rail.PrepareAsync(RefundTerms.From(held)!.Rail!, CancellationToken.None); }
        catch (Exception e) when (e is not Storage.StorageUnavailableException)
        {
            Log.RailFailed(log, e, id); // nothing was sent
            return await FailAsync(held, new Settlement.Failed("not-prepared", "The rail cannot be asked right now."));
        }
        return await SendAsync(await ledger.CaptureAsync(new Capture(id, amount) { Broadcast = broadcast }, CancellationToken.None));
    }

    private async ValueTask<RefundResult> SendAsync(HoldState captured)
    {
        var id = captured.Hold.Id;
        switch (await AskAsync(captured))
        {
            case Settlement.Settled settled:
                await ledger.SettledAsync(id, settled.Reference, settled.RailAmount, [Event(captured, AuditKinds.Refunded, reference: settled.Reference)], CancellationToken.None);
                return await DoneAsync(id);
            case Settlement.Failed failed:
                return await FailAsync(captured, failed);
            case Settlement.Unknown unknown:
                if (captured.Status != HoldStatus.Unknown || unknown.Reference is not null)
                    await ledger.UnknownAsync(id, unknown.Reference, captured.Status == HoldStatus.Unknown ? [] : [Event(captured, AuditKinds.Unknown, "refund-unknown", unknown.Reference)], CancellationToken.None);
                return new RefundResult.Ordered((await ledger.FindAsync(id, CancellationToken.None))!);
            default: throw new InvalidOperationException();
        }
    }

    /// <summary>Whatever a rail's code throws, the money may have moved: unknown, and the settler finds out.</summary>
    private async ValueTask<Settlement> AskAsync(HoldState captured)
    {
        if (RailOf(captured) is not { } rail) return new Settlement.Unknown(null, "The rail is not configured any more.");
        try { return await rail.SettleAsync(RefundTerms.From(captured)!.Rail!, captured, CancellationToken.None); }
        catch (Exception e) when (e is not Storage.StorageUnavailableException)
        {
            Log.RailFailed(log, e, captured.Hold.Id);
            return new Settlement.Unknown(null, "The rail failed.");
        }
    }

    private async ValueTask<RefundResult> FailAsync(HoldState open, Settlement.Failed failed)
    {
        // What is unknown is the settler's to end; anything else only while no other node has taken it over.
        var now = await ledger.ReleaseAsync(open.Hold.Id, failed.Code, [Event(open, AuditKinds.RefundFailed, failed.Code, failed.Reference)], CancellationToken.None, open.Status == HoldStatus.Unknown ? null : open.Incarnation);
        if (now.Status != HoldStatus.Released) return new RefundResult.Ordered(now);
        return Refusals.RailRefused($"{failed.Detail} ({failed.Code})");
    }

    private async ValueTask<RefundResult> DoneAsync(string id)
    {
        await ledger.FinishAsync(id, HoldOutcome.Delivered, [], CancellationToken.None);
        return new RefundResult.Ordered((await ledger.FindAsync(id, CancellationToken.None))!);
    }

    private static Hold NewHold(RefundOrder order, IRefundRail? rail, string receipt, Money amount, RefundPlan plan, Money before)
    {
        var paid = order.Payment.Hold;
        var credited = order.Payment.Outcome == HoldOutcome.Credited;
        // What was credited goes out of that credit, as far as it is still there; else it is a refund of revenue.
        var from = credited ? Undelivered.Account(paid.Payer) : $"refunded:{paid.Operation}";
        IReadOnlyList<Leg> money = credited || rail is not null ? [new Leg(from, rail is null ? Undelivered.Target(paid) : paid.Legs[0].From, amount, Limited: credited)] : Undelivered.Back(order.Payment, from, amount, before);
        var hold = new Hold
        {
            Id = order.HoldId,
            Legs = [.. money, Refundable.Leg(order.Payment, amount), .. Unbuy(order, amount)],
            Binding = order.Binding,
            Receipt = receipt,
            Correlation = paid.Correlation,
            Operation = paid.Operation,
            Payer = paid.Payer,
            Caller = paid.Caller,
            Method = rail?.Name ?? "refund.credit",
            PriceVersion = paid.PriceVersion,
            Request = $"refund of {paid.Receipt}",
            Terms = new RefundTerms(paid.Receipt, rail is null ? "credit" : "rail", order.Reason, plan.Terms).ToJson(),
            Expires = plan.Expires,
        };
        return hold with { Events = [Event(hold, AuditKinds.RefundOrdered, null, receipt) with { Detail = order.Reason }] };
    }

    /// <summary>Nobody has both the money and what it bought: taken out of the token with the refund, and put back when that fails.</summary>
    private static IEnumerable<Leg> Unbuy(RefundOrder order, Money amount) => order.Bought is not { } bought ? []
        : [new Leg(bought.Account, order.Payment.Hold.Legs[0].To, amount < bought.Paid ? amount : bought.Paid, Limited: true, Fixed: true)];

    private IRefundRail? RailOf(HoldState refund) => Array.Find(rails, r => r.Name == refund.Hold.Method);

    private static AuditEvent Event(HoldState refund, string kind, string? reason = null, string? reference = null) => Event(refund.Hold, kind, reason, reference);

    public static AuditEvent Event(Hold refund, string kind, string? reason, string? reference) => new()
    {
        Kind = kind,
        Correlation = refund.Correlation,
        Reason = reason,
        Operation = refund.Operation,
        Caller = refund.Caller,
        Payer = refund.Payer,
        Request = refund.Request,
        Method = refund.Method,
        Amount = refund.Ceiling.ToString(),
        Reference = reference ?? refund.Receipt,
    };

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "Refund {Hold} failed in the rail's code; its outcome is unknown until the settler asks.")]
        public static partial void RailFailed(ILogger logger, Exception exception, string hold);
    }
}
