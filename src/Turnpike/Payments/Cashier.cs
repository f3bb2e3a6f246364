using System.Security.Cryptography;
using System.Text;
using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Limits;
using Turnpike.Metering;
using Turnpike.Payments.Buying;
using Turnpike.Payments.Doubts;
using Turnpike.Payments.Included;
using Turnpike.Payments.Metered;
using Turnpike.Payments.Prepaid;
using Turnpike.Payments.Retries;
using Turnpike.Payments.Sessions;
using Turnpike.Payments.Warnings;
using Turnpike.Plans;
using Turnpike.Pricing;
using Turnpike.Storage;
using Turnpike.Telemetry;

namespace Turnpike.Payments;

/// <summary>
/// The one place that takes money in a call. It reads a credential, lets its method verify it, holds, collects, and gives back
/// what was not delivered. Only the <see cref="Settler"/> finishes what a crash or a silent rail left open.
/// </summary>
internal sealed class Cashier(PaymentRegistry rails, PlanMethod plans, BalanceMethod balances, ILedger ledger, AnswerStore answers, RateLimits limits, InHand inHand, UsageStore usage, PeriodCount periods, SessionPasses sessions, RetryKeys retries, CashierPurchases purchases, SpendWarnings warnings, ILogger<Cashier> log)
{
    public Payment Open(Call call) => new(call, CloseAsync);

    /// <summary>Reads and checks the credential, cheapest first. Null: nothing is owed, or the payment is to be believed.</summary>
    public ValueTask<Answer?> VerifyAsync(Payment payment, CancellationToken ct) => payment.Call is { Quote: null, Pass: null } ? default : BelieveAsync(payment, ct);

    private async ValueTask<Answer?> BelieveAsync(Payment payment, CancellationToken ct)
    {
        var call = payment.Call;
        // Nothing that watches money has looked at it, so a payment beside a session that was given back is not taken.
        if (call.Pass is not null) return await sessions.OpenAsync(call, ct) is { } shut ? limits.TakeUnpaid(call) ?? shut : null;
        if (call.Quote is null) return null;
        // Shown and not good, with a payment beside it: the payment buys the next one.
        if (call.Quote is SessionQuote && sessions.WhyNot(call) is { } ended && rails.Read(call) is null) return limits.TakeUnpaid(call) ?? ended;
        if (rails.Read(call) is not { } credential)
        {
            if (call.Plan is not null && (await IncludedAsync(payment, last: false, ct) is var included && included is not null || payment.State is not null)) return included;
            if (await FromBalanceAsync(payment, ct) is var told && told is not null || payment.Method is not null) return told;
            // Nobody pays for all of it: what is left of the plan pays for as much as it does.
            if (payment is { ShortOf.Available.IsZero: false, Metered: not null } && (await IncludedAsync(payment, last: true, ct) is var lowered && lowered is not null || payment.State is not null)) return lowered;
            return call.LeaveToUpstream() ? null : limits.TakeUnpaid(call) ?? payment.UsedUp ?? new Refusal(Reasons.PaymentRequired, call.Quote.Told);
        }
        call.Pays = true;
        if (credential is Credential.Ambiguous several) return new Refusal(Reasons.AmbiguousPayment, several.Detail);
        if (credential is Credential.Malformed bad) return limits.Wrong(call, new Refusal(Reasons.MalformedCredential, bad.Detail) { Code = bad.Code });
        payment.Credential = credential;
        if (credential is { Forged: true, Objection: { } forged }) return limits.Wrong(call, forged);
        if (credential.Correlation is { } correlation) call.Correlation = correlation;
        if (rails.Accepted(call, credential.Method) is not { } method) return limits.Wrong(call, new Refusal(Reasons.MethodUnsupported, $"'{credential.Method}' is not accepted here."));
        payment.Method = method;
        try
        {
            if (method.Identify(payment) is { } foreign) return limits.Wrong(call, foreign);
            if (payment.HoldId is not null) (payment.MayBeAskedAgain, payment.BodyDigest) = (true, await PaymentReplies.DigestAsync(call));
            // Before anything that asks a rail or a clock: a payer whose connection broke must find what they paid for.
            if (payment.HoldId is { } id && await ledger.FindAsync(id, ct) is { Status: not HoldStatus.Released } known)
            {
                var answered = await KnownAsync(payment, known, ct);
                if (answered is not null || payment.CreditOnly) return answered;
            }
            if (call.Plan is not null && (await IncludedAsync(payment, last: false, ct) is var included && included is not null || payment.State is not null)) return included;
            if ((credential.Objection ?? credential.Terms?.Objection(call, payment.BodyDigest)) is { } objection) return limits.Wrong(call, objection);
            using (Step.Verify(method.Name))
                if (await method.VerifyAsync(payment, ct) is { } refused)
                {
                    // A copy may have been held and settled meanwhile, here or on another node, and then no rail believes it any more.
                    if (payment.HoldId is { } mine && await ledger.FindAsync(mine, ct) is { Status: not HoldStatus.Released } since && await KnownAsync(payment, since, ct) is { } told) return told;
                    return limits.Wrong(call, refused);
                }
        }
        catch (StorageUnavailableException e) { return CashierDoubts.Down(log, e, "Nothing was taken."); }
        return null;
    }

    /// <summary>
    /// First what the caller's plan includes: held here and not later, because whether it covers the call decides who pays, and only
    /// the hold knows. Nothing held and null: the presented payment pays, or terms are given.
    /// </summary>
    private async ValueTask<Answer?> IncludedAsync(Payment payment, bool last, CancellationToken ct)
    {
        if (rails.Accepted(payment.Call, PlanMethod.MethodName) is null || PlanMethod.ClaimOf(payment.Call) is not { } claim) return null;
        if ((payment.UsedUp = plans.PastDue(payment.Call)) is { } due) return due.Reason.Status == 402 ? null : due;
        if (IdempotencyKey.Read(payment.Call, claim.Payer, out var id) is { } unreadable) return unreadable;
        var presented = payment.Presented;
        payment.Presented = new Presented(PlanCredential.Instance, plans, claim.Payer, id, id is null ? null : await PaymentReplies.DigestAsync(payment.Call), id is not null);
        try
        {
            if (id is not null && await ledger.FindAsync(id, ct) is { Status: not HoldStatus.Released } known && await KnownAsync(payment, known, ct) is { } answered) return answered;
            while (true)
            {
                (payment.Legs, payment.Raises, payment.Agreed) = (claim.Legs, claim.Raises, claim.Amount);
                if (claim.IsOnAccount) payment.Method = rails.Find(PostpaidMethod.MethodName);
                switch (await ledger.ReserveAsync(inHand, NewHold(payment, credit: null), ct))
                {
                    case HoldResult.Held held:
                        payment.Included = claim;
                        return await HeldAsync(payment, held.State, ct);
                    case HoldResult.AlreadyUsed used: return await KnownAsync(payment, used.State, ct) ?? new Refusal(Reasons.InFlight, "Its first presentation has just ended.") { RetryAfter = TimeSpan.FromSeconds(1) };
                    case HoldResult.InsufficientFunds missing when await plans.InsteadAsync(payment.Call, claim, missing, last, ct) is { } over:
                        (payment.Presented, payment.UsedUp, payment.ShortOf) = (presented, over, missing);
                        return over.Reason.Status == 402 ? null : over;
                }
            }
        }
        catch (StorageUnavailableException e) { return CashierDoubts.Down(log, e, "Nothing was taken."); }
    }

    /// <summary>A caller with a balance pays with it: the hold knows whether it suffices. What was paid for before is answered as ever.</summary>
    private async ValueTask<Answer?> FromBalanceAsync(Payment payment, CancellationToken ct)
    {
        try
        {
            if (rails.Accepted(payment.Call, BalanceMethod.MethodName) is null || !await balances.PresentAsync(payment, ct)) return null;
            if (balances.Identify(payment) is { } unreadable) return unreadable;
            if (payment.HoldId is not { } id) return null;
            (payment.MayBeAskedAgain, payment.BodyDigest) = (true, await PaymentReplies.DigestAsync(payment.Call));
            return await ledger.FindAsync(id, ct) is { Status: not HoldStatus.Released } known ? await KnownAsync(payment, known, ct) : null;
        }
        catch (StorageUnavailableException e) { return CashierDoubts.Down(log, e, "Nothing was taken."); }
    }

    /// <summary>Reserves the money under the id the rail spends once: two copies of one proof get one hold.</summary>
    public ValueTask<Answer?> HoldAsync(Payment payment, CancellationToken ct) => payment.Call.Quote is null || payment.State is not null ? default : ReserveAsync(payment, ct);

    private async ValueTask<Answer?> ReserveAsync(Payment payment, CancellationToken ct)
    {
        try
        {
            if (await retries.ClaimAsync(payment, ct) is { } named) return named.Refused ?? await InsteadAsync(payment, named.Instead!, ct);
            var credit = await CreditAsync(payment, ct);
            var result = await ledger.ReserveAsync(inHand, NewHold(payment, credit), ct);
            if (payment.Line is { } line && line.IsMissing(result))
            {
                if (await line.Over(ct) is { } more) return more;
                payment.Line = null;
                result = await ledger.ReserveAsync(inHand, NewHold(payment, credit), ct);
            }
            // The credit was spent elsewhere in this moment: the presented proof pays after all.
            if (result is HoldResult.InsufficientFunds && credit is not null && !payment.CreditOnly) result = await ledger.ReserveAsync(inHand, NewHold(payment, credit = null), ct);
            for (var tries = 0; tries < 3 && result is HoldResult.InsufficientFunds some && payment.TryLower(some.Available); tries++) result = await ledger.ReserveAsync(inHand, NewHold(payment, credit), ct);
            payment.ByCredit = credit is not null;
            return result switch
            {
                HoldResult.Held held => await HeldAsync(payment, held.State, ct),
                // Never null: a payment without a hold would be served for nothing. Whoever lost this race asks again.
                HoldResult.AlreadyUsed used => await KnownAsync(payment, used.State, ct) ?? new Refusal(Reasons.InFlight, "Its first presentation has just ended.") { RetryAfter = TimeSpan.FromSeconds(1) },
                HoldResult.InsufficientFunds short_ => PaymentRefusals.TooLittle(payment, short_),
                _ => throw new InvalidOperationException(),
            };
        }
        catch (StorageUnavailableException e) { return CashierDoubts.Down(log, e, "Nothing was taken."); }
    }

    /// <summary>
    /// Takes the money, before the first byte leaves. Null when it is ours; 402 when the rail refused (nothing of the upstream's
    /// answer may leave then); 503 while nobody knows. Never cancelled: half a collection is worse than a late one.
    /// </summary>
    public async ValueTask<Answer?> CollectAsync(Payment payment)
    {
        payment.Collecting = true;
        var held = payment.State!;
        try
        {
            await periods.TakeAsync(payment);
            var amount = MeteredCharge.Due(payment);
            payment.Taken = amount;
            if (payment.ByCredit || payment.Method!.SettlesInBooks)
            {
                payment.State = await ledger.CaptureAsync(new Capture(held.Hold.Id, amount) { HeldBy = held.Incarnation, Reference = held.Hold.Receipt, Delivered = payment.Call.Delivered, Besides = MeteredCharge.Besides(payment), Events = Collected(payment, held), With = CallRecords.WriterOf(usage, payment, amount) + Kept(payment, held) }, CancellationToken.None);
                payment.Remaining = payment.LeftWhenHeld is { } then ? then + (payment.Ceiling - amount) : payment.State.Left;
                Instruments.Paid(held.Hold.Method, "settled", held.Hold.Operation, amount.Units, amount.Currency);
                return null;
            }
            var broadcast = await payment.Method.PrepareAsync(held, amount, CancellationToken.None);
            payment.State = await ledger.CaptureAsync(new Capture(held.Hold.Id, amount) { HeldBy = held.Incarnation, Broadcast = broadcast, Besides = MeteredCharge.Besides(payment) }, CancellationToken.None);
            return await ConcludeAsync(payment, await SettleAsync(payment.Method, payment.State));
        }
        catch (StorageUnavailableException e)
        {
            payment.InDoubt = true;
            return CashierDoubts.Down(log, e, "Repeat this very request; you will not be charged twice.");
        }
        catch (HoldLostException)
        {
            await periods.GiveBackAsync(payment);
            return new Refusal(Reasons.InFlight, "Another node took this one for dead and gave its payment back; nothing was taken here.") { RetryAfter = TimeSpan.FromSeconds(1) };
        }
    }

    /// <summary>What has passed before it is paid for: a stream.</summary>
    private Action<Storage.Sql>? Kept(Payment payment, HoldState held) => payment is { Metered: not null, Keep: { } answer } ? answers.WriterOf(held.Hold.Id, answer, payment.Answers.Keep) : null;

    /// <summary>What the trail hears of it: that it passed as well, where it has.</summary>
    private List<AuditEvent> Collected(Payment payment, HoldState held)
    {
        var events = MeteredCharge.Collected(payment, held, log);
        if (payment.Call.Delivered) events.Add(Delivery(payment));
        return events;
    }

    private static AuditEvent Delivery(Payment payment) => payment.Event(AuditKinds.Delivered, reference: payment.State!.Hold.Receipt, detail: payment.Passed);

    /// <summary>Whatever a rail's code throws, the money may have moved: unknown, and the settler finds out.</summary>
    private async ValueTask<Settlement> SettleAsync(IPaymentMethod method, HoldState captured)
    {
        using var step = Step.Settle(method.Name);
        try { return await method.SettleFirstAsync(captured, CancellationToken.None); }
        catch (Exception e) when (e is not StorageUnavailableException)
        {
            CashierDoubts.RailFailed(log, e, captured.Hold.Id);
            return new Settlement.Unknown(null, "The rail failed.");
        }
    }

    /// <summary>A 2xx answer was passed on to its end. Who may ask again must find that said; who cannot need not wait for it.</summary>
    public async ValueTask DeliverAsync(Payment payment)
    {
        if (payment.Call.Quote is null || payment.State is null)
        {
            if (payment.Call.Metered is not null) _ = RecordAsync(payment);
            return;
        }
        // Before it counts as delivered: what could not be kept cannot be given again, and whoever saw their call break gets their money back.
        if (payment.Keep is { } answer && (payment.Metered is null || payment.IsPaid)) await answers.KeepAsync(payment.State.Hold.Id, answer, payment.Answers.Keep, CancellationToken.None);
        // Unless that has been done before the first byte; and without the books it does not count as delivered.
        if (payment.Metered is not null && !payment.IsPaid && await CollectAsync(payment) is not null) return;
        payment.Delivered = true;
        if (payment.State.Outcome == HoldOutcome.Delivered) return; // with the money
        var delivered = SayDeliveredAsync(payment, soon: !payment.MayBeAskedAgain);
        if (payment.MayBeAskedAgain) await delivered;
    }

    /// <summary>Streams: so much has passed, which a crash is charged for. Nobody waits for it.</summary>
    public async Task ObserveAsync(Payment payment, Money observed)
    {
        if (payment.State is not { } held || observed.Currency != held.Hold.Ceiling.Currency) return;
        try { await ledger.CheckpointAsync(held.Hold.Id, observed, CancellationToken.None); }
        catch (StorageUnavailableException e) { CashierDoubts.BooksDown(log, e); }
    }

    /// <summary>A call that owes nothing: nobody waits, and it is durable with the next transaction.</summary>
    private async Task RecordAsync(Payment payment)
    {
        try { await usage.AddLaterAsync(CallRecords.Of(payment, null)); }
        catch (StorageUnavailableException e) { CashierDoubts.BooksDown(log, e); }
    }

    /// <summary>With its use, where that was not written with the money: of one that is not said to be delivered the money goes back.</summary>
    private async ValueTask SayDeliveredAsync(Payment payment, bool soon)
    {
        try { await ledger.FinishAsync(payment.State!.Hold.Id, HoldOutcome.Delivered, [Delivery(payment)], CancellationToken.None, soon, CallRecords.LateWriterOf(usage, payment)); }
        catch (StorageUnavailableException e)
        {
            inHand.Leave(payment.State!.Hold, delivered: true);
            if (!soon) throw;
            CashierDoubts.BooksDown(log, e);
        }
    }

    /// <summary>Leaving: what is only held goes back; what was taken and not delivered becomes the payer's credit.</summary>
    private async ValueTask CloseAsync(Payment payment)
    {
        warnings.Touch(payment);
        if (payment.Bought is { } bought) await purchases.CloseAsync(bought, payment.Delivered);
        if (payment.State is not { } state) return;
        if (payment.IsPaid) payment.Call.Charged = state.Captured;
        try { if (!payment.Delivered) await GiveBackAsync(payment, state); }
        catch (StorageUnavailableException e)
        {
            CashierDoubts.BooksDown(log, e);
            inHand.Leave(state.Hold, delivered: false);
        }
        finally { inHand.Leave(state.Hold.Id); }
    }

    private async ValueTask GiveBackAsync(Payment payment, HoldState state)
    {
        if (payment.InDoubt) // a stream has passed by then, and is to be paid for
            inHand.Leave(state.Hold, delivered: payment.Metered is not null && payment.Call.Delivered, payment.Taken, MeteredCharge.Besides(payment));
        else if (state.Status == HoldStatus.Held)
            await ledger.ReleaseAsync(state.Hold.Id, "undelivered", [payment.Event(AuditKinds.Released, "undelivered", state.Hold.Id), Undelivered.Event(payment)], CancellationToken.None, state.Incarnation);
        else if (state.Status == HoldStatus.Settled)
            await ledger.CreditAsync(state.Hold.Id, Undelivered.Credits(state, Undelivered.Event(payment)), CancellationToken.None);
    }

    private ValueTask CreditAsync(HoldState undelivered, CancellationToken ct) => ledger.CreditAsync(undelivered.Hold.Id, Undelivered.Credits(undelivered), ct);

    private async ValueTask<Answer?> ConcludeAsync(Payment payment, Settlement settlement)
    {
        var hold = payment.State!.Hold;
#if TURNPIKE_SABOTAGE
        if (settlement is Settlement.Unknown && Sabotage.Of("unknown")) settlement = new Settlement.Failed("sabotaged", "What is not known did not happen.");
#endif
        Instruments.Paid(hold.Method, settlement is Settlement.Settled ? "settled" : settlement is Settlement.Failed ? "failed" : "unknown", hold.Operation, payment.Taken!.Value.Units, payment.Ceiling.Currency);
        switch (settlement)
        {
            case Settlement.Settled settled:
                payment.State = await ledger.SettledAsync(hold.Id, settled.Reference, settled.RailAmount, [payment.Event(AuditKinds.Settled, reference: settled.Reference)], CancellationToken.None);
                // Another node took this process for dead, found the money and gave it back: it buys the next presentation, not this one too.
                return payment.State.Outcome == HoldOutcome.Credited ? new Refusal(Reasons.InFlight, "Its payment was taken over by another node.") { RetryAfter = TimeSpan.FromSeconds(1) } : null;
            case Settlement.Unknown unknown:
                await ledger.UnknownAsync(hold.Id, unknown.Reference, [payment.Event(AuditKinds.Unknown, "settlement-unknown", unknown.Reference)], CancellationToken.None);
                payment.State = payment.State with { Status = HoldStatus.Unknown, Reference = unknown.Reference };
                if (unknown.Refused is not null) await BlameAsync(payment, hold);
                return unknown is { Refused: { } code, Reference: null } ? PaymentRefusals.Refused(payment, code, unknown.Detail) : PaymentRefusals.Pending(payment, unknown.Reference);
            case Settlement.Failed failed:
                payment.State = await ledger.ReleaseAsync(hold.Id, failed.Code, [payment.Event(AuditKinds.Released, failed.Code, hold.Id)], CancellationToken.None, payment.State.Incarnation);
                if (payment.State.Status != HoldStatus.Released) return PaymentRefusals.Pending(payment, payment.State.Reference); // its heir asks the rail, which told us no because it told the heir yes
                await BlameAsync(payment, hold, proof: failed.As is not { Status: 503 });
                return new Refusal(failed.As ?? Reasons.SettlementFailed, failed.Detail) { Code = failed.Code, Failure = PaymentRefusals.Failure(payment, failed.Code, failed.Reference) };
            default: throw new InvalidOperationException();
        }
    }

    /// <summary>The rail said no to this payer: the work was for nothing, and from now on they pay before it.</summary>
    private async ValueTask BlameAsync(Payment payment, Hold hold, bool proof = true)
    {
        if (!payment.SettlesBefore) _ = await ledger.PostAsync(Loss.Unsettled(hold, payment.Ceiling), CancellationToken.None);
        if (proof) limits.CountInvalidProof(payment.Call);
    }

    private async ValueTask<Answer?> HeldAsync(Payment payment, HoldState state, CancellationToken ct)
    {
        (payment.State, payment.LeftWhenHeld) = (state, state.Left);
        inHand.Take(state.Hold.Id);
        if (payment.Metered is not null) return null; // what is due is known when the answer has ended
        payment.SettlesBefore = payment.Call.Operation.Settle == SettleMoment.Before || payment.Method!.SettlesBefore || payment.IsConfirmedFirst || Pricing.Buying.Spending.Of(payment.Call) is not null
            // What is paid from a balance cannot turn out unpaid.
            || !payment.Method.SettlesInBooks && !(await ledger.AvailableAsync(Loss.Account(payment.Payer!), state.Hold.Ceiling.Currency, ct)).IsZero;
        return payment.SettlesBefore ? await CollectAsync(payment) : null;
    }

    /// <summary>This credential has a hold: its answer depends on where that stands, and on nothing a rail or a clock says.</summary>
    private async ValueTask<Answer?> KnownAsync(Payment payment, HoldState known, CancellationToken ct)
    {
        if (known.Hold.Binding != payment.Binding) return PaymentRefusals.Mismatch(payment, known);
        payment.Call.Correlation = known.Hold.Correlation;
        if (known.Status is HoldStatus.Held or HoldStatus.Captured) return new Refusal(Reasons.InFlight, "Its first presentation is being served.") { RetryAfter = TimeSpan.FromSeconds(1) };
        if (known.Status == HoldStatus.Unknown) { payment.Payer = known.Hold.Payer; return PaymentRefusals.Pending(payment, known.Reference); }
        if (known.Status == HoldStatus.Released) return new Refusal(Reasons.CredentialUsed, "It was presented before and given back for another request.");
        // Only what is delivered in the books is given again: a crash between keeping an answer and saying so has made it credit.
        if (known.Outcome == HoldOutcome.Delivered) return await SecondLook.AgainAsync(answers, payment, known, sessions, ct);
        // Settled comes before the first byte and delivered after the last: a copy that comes in between must not be served from
        // "credit" for an answer that is on its way. Read again, because it may have ended between that reading and this look.
        if (inHand.IsBusy(known)) return new Refusal(Reasons.InFlight, "Its answer is on its way.") { RetryAfter = TimeSpan.FromSeconds(1) };
        if (await ledger.FindAsync(known.Hold.Id, ct) is { Outcome: HoldOutcome.Delivered } now) return await SecondLook.AgainAsync(answers, payment, now, sessions, ct);
        // Taken, never delivered, and so the payer's again: this retry is paid from credit (or from the budget it went back to),
        // under an id of its own.
        await CreditAsync(known, ct);
        if (payment.WouldOpenBy(known.Hold)) return new Refusal(Reasons.PaymentExpired, "What was paid and not delivered is yours again; it was not the price of this session.");
        (payment.Payer, payment.Agreed, payment.HoldId) = (known.Hold.Payer, known.Hold.Ceiling, $"again:{known.Hold.Receipt}");
        (payment.CreditOnly, payment.MayBeAskedAgain) = (!payment.Method!.SettlesInBooks, true);
        return await ledger.FindAsync(payment.HoldId, ct) is { Status: not HoldStatus.Released } again ? await KnownAsync(payment, again, ct) : null;
    }

    /// <summary>Another payment under the same key answers: this one is not taken.</summary>
    private async ValueTask<Answer> InsteadAsync(Payment payment, HoldState first, CancellationToken ct)
    {
        payment.Call.Correlation = first.Hold.Correlation;
        return first.Status == HoldStatus.Unknown ? PaymentRefusals.Pending(payment, first.Reference) : await SecondLook.AgainAsync(answers, payment, first, sessions: null, ct);
    }

    private Hold NewHold(Payment payment, string? credit) => payment.Capped(new Hold
    {
        Id = payment.HoldId ??= Ids.New("h"),
        Sources = credit is null ? payment.Sources : [],
        Legs = credit is null ? payment.Legs : [new Leg(credit, $"revenue:{payment.Call.Operation.Name}", payment.Ceiling, Limited: true)],
        Raises = credit is null ? payment.Raises : [],
        Binding = payment.Binding,
        Receipt = payment.ReceiptId,
        Correlation = payment.Call.Correlation,
        Operation = payment.Call.Operation.Name,
        Payer = payment.Payer!,
        Caller = payment.Call.Caller,
        Method = credit is null ? payment.Method!.Name : "credit",
        PriceVersion = payment.PriceVersion ?? payment.Call.Quote!.Version,
        Request = payment.Call.RequestLine,
        Terms = credit is null ? payment.Terms : null,
        Expires = credit is null ? payment.Expires : null,
        Events = [payment.Event(AuditKinds.Verified, reference: payment.HoldId, detail: payment.BodyDigest is { } body ? $"body={body}" : null), payment.Event(AuditKinds.Held, reference: payment.HoldId, detail: payment.Method is { } method ? rails.Compare(payment.Call, method, method.NetworkOf(payment)) : null)],
    });

    /// <summary>The account of what this payer paid and did not get, when it covers this call.</summary>
    private async ValueTask<string?> CreditAsync(Payment payment, CancellationToken ct)
    {
        var account = Undelivered.Account(payment.Payer!);
        if (payment.CreditOnly) return account;
        if (payment.Method!.SettlesInBooks) return null;
        var credit = await ledger.AvailableAsync(account, payment.Ceiling.Currency, ct);
        return credit >= payment.Ceiling ? account : null;
    }
}
