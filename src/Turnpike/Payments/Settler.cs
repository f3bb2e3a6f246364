using Turnpike.Audit;
using Turnpike.Ledger;
using Turnpike.Payments.Buying;
using Turnpike.Payments.Doubts;
using Turnpike.Payments.Refunds;
using Turnpike.Telemetry;

namespace Turnpike.Payments;

/// <summary>
/// Finishes what was left open: holds of an earlier incarnation at start, and settlements nobody knew the outcome of. It asks the
/// rail with what the books hold, backs off, and ends each as settled, released or credited. With the <see cref="Cashier"/> it is
/// the only code that moves held money.
/// </summary>
internal sealed partial class Settler(PaymentRegistry rails, ILedger ledger, CashierReturns returns, CashierPurchases purchases, Metering.UsageStore usage, Metered.PeriodCount periods, InHand inHand, TimeProvider time, Random random, ILogger<Settler> log) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2), Longest = TimeSpan.FromMinutes(5), Stale = TimeSpan.FromMinutes(2);
    private readonly Dictionary<(string Hold, DateTimeOffset Changed), long> left = [];
    private readonly Dictionary<string, (int Tries, long Asked, TimeSpan Pause)> waiting = new(StringComparer.Ordinal);

    /// <summary>At start, before the door opens, and in every round: every hold that is left to this node is brought to its end or to the queue.</summary>
    public async Task RecoverAsync(CancellationToken ct)
    {
        foreach (var open in await ledger.OrphansAsync(ct))
        {
            Log.Recovering(log, open.Hold.Id, open.Status);
            // A rail may be slow to ask, for a refund too; the door does not wait for it. Whoever repeats the proof meanwhile is told 503.
            if (open.Status == HoldStatus.Captured) await ledger.UnknownAsync(open.Hold.Id, open.Reference, [Event(open, AuditKinds.Unknown, "crashed")], ct);
            else if (open.Status != HoldStatus.Unknown && !(open.Status == HoldStatus.Held && open.Hold.IsRefund)) await FinishAsync(open, ct);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pause, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try { await RoundAsync(stoppingToken); }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested) { Log.RoundFailed(log, e); }
        }
    }

    /// <summary>One look at everything unknown whose time has come.</summary>
    public async Task RoundAsync(CancellationToken ct)
    {
        await RecoverAsync(ct); // other nodes may have gone since
        await EndLeftAsync(ct);
        await EndDoubtsAsync(ct);
        var unfinished = await ledger.UnfinishedAsync(4096, ct);
        foreach (var open in unfinished)
        {
            if (inHand.Has(open.Hold.Id)) continue;
            if (open.Status == HoldStatus.Held && !open.Hold.IsRefund || open.Status == HoldStatus.Captured) continue; // on its way to an end here, or left
            // By the clock that never jumps: an hour back must not be an hour of silence.
            var (tries, asked, pause) = waiting.GetValueOrDefault(open.Hold.Id);
            if (tries > 0 && time.GetElapsedTime(asked) < pause) continue;
            if (await FinishAsync(open, ct)) { waiting.Remove(open.Hold.Id); continue; }
            pause = Pause * (1 << Math.Min(tries, 10));
            waiting[open.Hold.Id] = (tries + 1, time.GetTimestamp(), Jittered(pause < Longest ? pause : Longest));
        }
        // An operator may have ended some.
        if (waiting.Count > unfinished.Count)
            foreach (var ended in waiting.Keys.Except(unfinished.Select(open => open.Hold.Id)).ToList()) waiting.Remove(ended);
    }

    /// <summary>Calls that are over, whose last word the database never confirmed: every hold of theirs that is there comes to its end here (I5).</summary>
    private async Task EndDoubtsAsync(CancellationToken ct)
    {
        foreach (var doubt in inHand.Doubts)
        {
            if (await ledger.FindInTurnAsync(doubt.Hold, ct) is { } found && inHand.IsStill(doubt, found))
            {
                if (doubt is { Delivered: true, Due: { } due } && found.Status == HoldStatus.Held) await KeepAsync(found with { Observed = due }, ct, doubt.Besides);
                else if (doubt.Delivered && found.Status == HoldStatus.Settled) await ledger.FinishAsync(doubt.Hold, HoldOutcome.Delivered, [], ct);
                else await FinishAsync(found, ct);
            }
            inHand.Ended(doubt);
        }
    }

    /// <summary>
    /// What this process began and lets lie: the books could not be written when it was to be given back, or the cashier met a bug. By
    /// the clock that never jumps, and not before nobody has had it in hand for longer than anything takes between two steps.
    /// </summary>
    private async ValueTask EndLeftAsync(CancellationToken ct)
    {
        var lying = (await ledger.OwnAsync(4096, ct)).Where(open => !inHand.Has(open.Hold.Id)).ToList();
        foreach (var gone in left.Keys.Except(lying.Select(open => (open.Hold.Id, open.Changed))).ToList()) left.Remove(gone);
        foreach (var open in lying)
        {
            if (left.TryAdd((open.Hold.Id, open.Changed), time.GetTimestamp()) || time.GetElapsedTime(left[(open.Hold.Id, open.Changed)]) < Stale) continue;
            Log.Left(log, open.Hold.Id, open.Status);
            if (open.Status == HoldStatus.Captured) await ledger.UnknownAsync(open.Hold.Id, open.Reference, [Event(open, AuditKinds.Unknown, "left")], ct);
            else await FinishAsync(open, ct);
        }
    }

    /// <summary>
    /// An operator's word on a settlement nobody knows the outcome of, where the rail will not say: it ends as the settler would have
    /// ended it. Nothing happens to one that has come to an end meanwhile: the first word stands.
    /// </summary>
    public async ValueTask ResolveAsync(HoldState unknown, Resolution resolution, CancellationToken ct)
    {
        var resolved = Event(unknown, AuditKinds.Resolved, Resolution.Text(resolution.As)) with { Detail = resolution.Reason };
        try
        {
            if (resolution.As == ResolvedAs.Released)
            {
                await ledger.ReleaseAsync(unknown.Hold.Id, "resolved", [Event(unknown, AuditKinds.Released, "resolved"), resolved], ct);
                return;
            }
            var reference = resolution.Reference ?? unknown.Reference ?? "resolved";
            unknown = await ledger.SettledAsync(unknown.Hold.Id, reference, null, [Event(unknown, AuditKinds.Settled, "resolved", reference), resolved], ct);
        }
        catch (LedgerException) { return; }
        if (unknown.Hold.IsPurchase) { await purchases.ConcludeAsync(unknown, ct); return; }
        if (unknown.Hold.IsRefund) { await ledger.FinishAsync(unknown.Hold.Id, HoldOutcome.Delivered, [], ct); return; }
        Instruments.Paid(unknown.Hold.Method, "settled", unknown.Hold.Operation, unknown.Captured.Units, unknown.Captured.Currency);
        await CreditAsync(unknown, ct);
    }

    /// <summary>Half of it to one and a half: what became unknown in one moment does not ask in one moment for ever after.</summary>
    private TimeSpan Jittered(TimeSpan pause) => pause / 2 + TimeSpan.FromTicks(random.NextInt64(pause.Ticks));

    /// <summary>True when it has come to its end.</summary>
    private async ValueTask<bool> FinishAsync(HoldState open, CancellationToken ct)
    {
        if (open.Hold.IsRefund) return await returns.FinishAsync(open, ct);
        if (open.Hold.IsPurchase) return await purchases.FinishAsync(open, ct);
        switch (open.Status)
        {
            case HoldStatus.Held when await periods.ChargedAsync(open, ct) is { } charged:
                await KeepAsync(open with { Observed = charged }, ct);
                return true;
            case HoldStatus.Held when !open.Observed.IsZero:
                await KeepAsync(open, ct);
                return true;
            case HoldStatus.Held:
                await ledger.ReleaseAsync(open.Hold.Id, "crashed", [Event(open, AuditKinds.Released, "crashed")], ct, open.Incarnation);
                return true;
            case HoldStatus.Settled:
                await CreditAsync(open, ct);
                return true;
            case HoldStatus.Released:
                return true;
        }
        if (rails.Find(open.Hold.Method) is not { } method) return false;
        switch (await AskAsync(method, open, ct))
        {
            case Settlement.Settled settled:
                Instruments.Paid(method.Name, "settled", open.Hold.Operation, open.Captured.Units, open.Captured.Currency);
                open = await ledger.SettledAsync(open.Hold.Id, settled.Reference, settled.RailAmount, [Event(open, AuditKinds.Settled, "recovered", settled.Reference)], ct);
                // Whoever asked was told 503 or saw the connection break: the money is here and the answer never left.
                await CreditAsync(open, ct);
                return true;
            case Settlement.Failed failed:
                await ledger.ReleaseAsync(open.Hold.Id, failed.Code, [Event(open, AuditKinds.Released, failed.Code)], ct);
                return true;
            case Settlement.Unknown unknown:
                if (open.Status != HoldStatus.Unknown) await ledger.UnknownAsync(open.Hold.Id, unknown.Reference, [Event(open, AuditKinds.Unknown, "settlement-unknown", unknown.Reference)], ct);
                return false;
            default: throw new InvalidOperationException();
        }
    }

    /// <summary>A stream that a crash cut off is charged for what had passed at its last checkpoint, and that much was delivered.</summary>
    private async ValueTask KeepAsync(HoldState open, CancellationToken ct, IReadOnlyList<Transfer>? besides = null) =>
        await ledger.CaptureAsync(new Capture(open.Hold.Id, open.Observed) { Reference = open.Hold.Receipt, Delivered = true, Besides = besides ?? [], Events = [Event(open, AuditKinds.Settled, "crashed", open.Hold.Receipt) with { Amount = open.Observed.ToString() }], With = sql => usage.Insert(sql, Metered.CallRecords.OfCrashed(open)) }, ct);

    private async ValueTask<Settlement> AskAsync(IPaymentMethod method, HoldState open, CancellationToken ct)
    {
        try { return await method.SettleAsync(open, ct); }
        catch (Exception e) when (e is not (OperationCanceledException or Storage.StorageUnavailableException))
        {
            Log.RailFailed(log, e, open.Hold.Id);
            return new Settlement.Unknown(null, "The rail failed.");
        }
    }

    private ValueTask CreditAsync(HoldState undelivered, CancellationToken ct) => ledger.CreditAsync(undelivered.Hold.Id, Undelivered.Credits(undelivered), ct);

    private static AuditEvent Event(HoldState open, string kind, string reason, string? reference = null) => new()
    {
        Kind = kind,
        Correlation = open.Hold.Correlation,
        Reason = reason,
        Operation = open.Hold.Operation,
        Caller = open.Hold.Caller,
        Payer = open.Hold.Payer,
        Request = open.Hold.Request,
        Method = open.Hold.Method,
        Amount = open.Hold.Ceiling.ToString(),
        Reference = reference ?? open.Hold.Id,
    };

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Finishing {Hold}, left {Status} by an earlier run.")]
        public static partial void Recovering(ILogger logger, string hold, HoldStatus status);

        [LoggerMessage(Level = LogLevel.Warning, Message = "Finishing {Hold}, left {Status} here for two minutes.")]
        public static partial void Left(ILogger logger, string hold, HoldStatus status);

        [LoggerMessage(Level = LogLevel.Error, Message = "Asking the rail about {Hold} failed; it is asked again later.")]
        public static partial void RailFailed(ILogger logger, Exception exception, string hold);

        [LoggerMessage(Level = LogLevel.Error, Message = "A settler's round failed; the next one tries again.")]
        public static partial void RoundFailed(ILogger logger, Exception exception);
    }
}
