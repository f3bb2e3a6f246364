using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Client;
using Turnpike.Ledger;
using Turnpike.Payments.Doubts;
using Turnpike.Payments.Evm;
using Turnpike.Pricing;
using Turnpike.Pricing.Buying;
using Turnpike.Storage;
using Turnpike.Telemetry;

namespace Turnpike.Payments.Buying;

/// <summary>
/// The cashier's way out: pays an upstream that asks for it. A purchase is a hold like a payment, named by the receipt of the call it
/// is for, so that one paid call pays its upstream once at most; its caps are legs of it, held with the money or not at all. It is
/// recorded before it is sent, and ends settled, released, or unknown until the chain says: what was signed is never signed again.
/// </summary>
internal sealed partial class CashierPurchases(ILedger ledger, InHand inHand, Wallets wallets, IAuditTrail audit, TimeProvider time, ILogger<CashierPurchases> log)
{
    /// <summary>The upstream asks for payment. Null: recorded, and to be presented; else why it is not paid.</summary>
    public async ValueTask<Answer?> BuyAsync(Payment payment, HttpResponseMessage asked, CancellationToken ct)
    {
        // Nothing is paid for a call that has not paid itself, nor twice for one.
        if (!payment.IsPaid || payment.Bought is not null || Spending.Of(payment.Call) is not { } spending) return new Refusal(Reasons.UpstreamAsksPayment, "The upstream answered 402.");
        if (await AskedTerms.ReadAsync(asked, ct) is not { } terms) return await RefuseAsync(payment, new Refusal(Reasons.UpstreamAsksPayment, "What it asks cannot be read."), asked);
        if (Shopping.Choose(spending, await wallets.OfAsync(payment.Call, spending, ct), terms, MostFor(payment, spending), out var why) is not { } choice) return await RefuseAsync(payment, why, asked);
        var credential = choice.How.Sign(time.GetUtcNow());
        var hold = NewHold(payment, spending, choice, credential, asked.RequestMessage!.RequestUri!);
        try
        {
            switch (await ledger.ReserveAsync(inHand, hold, ct))
            {
                case HoldResult.Held held: return await RecordAsync(payment, held.State, choice, credential);
                case HoldResult.InsufficientFunds missing: return await RefuseAsync(payment, CapReached(payment, spending, choice, terms, missing.Account), asked, missing.Account);
                default: return new Refusal(Reasons.UpstreamAsksPayment, "It has been paid for this call before.");
            }
        }
        catch (StorageUnavailableException e) { return CashierDoubts.Down(log, e, "Nothing was paid."); }
    }

    /// <summary>Says so where a cap that every purchase for this call would be held against has nothing left; null: nothing is known against buying.</summary>
    public async ValueTask<Answer?> SpentAsync(Call call, Spending spending, CancellationToken ct)
    {
        var host = call.Catalog.ServiceOf(call.Operation).Upstream.Targets[0].Url.Authority;
        var caps = spending.Caps.Select(cap => cap.At($"service/{call.Operation.Service}", call, host));
        if (spending.Wallets is [var only]) caps = caps.Concat(call.Catalog.Settings.Get<WalletSet>()!.Wallets[only].Caps.Select(cap => cap.At($"wallet/{only}", call, host)));
        foreach (var cap in caps)
            if (await ledger.AccountAsync(cap.Name, cap.Cap.Amount.Currency, ct) is { Available.IsZero: true }) return Spent(cap.End - call.Now);
        return null;
    }

    /// <summary>The upstream has answered what was presented to it. What it says of the payment is told, and asked for where it says nothing.</summary>
    public async ValueTask AnsweredAsync(UpstreamPayment bought, HttpResponseMessage answer)
    {
        try { await BookAsync(bought, answer); }
        // The answer is there and the caller has paid for it: it is passed on, and what became of our own payment is found out later.
        catch (Exception e) when (e is StorageUnavailableException or LedgerException) { Log.Unbooked(log, e, bought.State.Hold.Id); }
    }

    private async ValueTask BookAsync(UpstreamPayment bought, HttpResponseMessage answer)
    {
        var reference = PaymentReceipt.ReferenceOf(answer, bought.Protocol) ?? (bought.Revocable ? ReceiptOf(answer) ?? bought.State.Hold.Receipt : null);
        if (answer.IsSuccessStatusCode && reference is not null)
        {
            bought.State = await ledger.SettledAsync(bought.State.Hold.Id, reference, null, [Event(bought.State.Hold, AuditKinds.UpstreamPaid, reference: reference) with { Detail = ReceiptOf(answer) }], CancellationToken.None);
            Count(bought.State.Hold, "settled");
        }
        else if (bought.Revocable && (int)answer.StatusCode is not (409 or 503) && !answer.IsSuccessStatusCode)
            await ReleaseAsync(bought, $"upstream-{(int)answer.StatusCode}");
        else
            await UnknownAsync(bought, $"upstream-{(int)answer.StatusCode}");
    }

    /// <summary>No answer came. Where the upstream was not even reached, nothing was sent.</summary>
    public ValueTask LostAsync(UpstreamPayment bought, bool reached) => reached ? UnknownAsync(bought, "no-answer") : ReleaseAsync(bought, "not-reached");

    /// <summary>The call is over. Paid and not delivered is the owner's loss: the caller has had it back.</summary>
    public async ValueTask CloseAsync(UpstreamPayment bought, bool delivered)
    {
        try
        {
            if (bought.State.Status == HoldStatus.Settled) await ConcludeAsync(bought.State, delivered, CancellationToken.None);
            else if (bought.State.Status == HoldStatus.Captured) await UnknownAsync(bought, "no-answer");
            else if (bought.State.Status == HoldStatus.Held) await ReleaseAsync(bought, "not-sent");
        }
        catch (Exception e) when (e is StorageUnavailableException or LedgerException)
        {
            Log.Unbooked(log, e, bought.State.Hold.Id);
            inHand.Leave(bought.State.Hold, delivered);
        }
        finally { inHand.Leave(bought.State.Hold.Id); }
    }

    /// <summary>What a crash or a silent upstream left open. True when it has come to its end.</summary>
    public async ValueTask<bool> FinishAsync(HoldState open, CancellationToken ct)
    {
        if (open.Status == HoldStatus.Settled) return await ConcludeAsync(open, ct);
        if (open.Status == HoldStatus.Released) return true;
        if (open.Status == HoldStatus.Held) // recorded as intended, and not as sent
        {
            await ledger.ReleaseAsync(open.Hold.Id, "crashed", [Event(open.Hold, AuditKinds.UpstreamReleased, "crashed")], ct, open.Incarnation);
            Count(open.Hold, "released");
            return true;
        }
        // A token's seller cannot be asked; what it took is the operator's to find out.
        if (PurchaseTerms.From(open) is not { Authorization: { } authorization } terms || wallets.TraceOf(terms) is not { } trace) return false;
        Traced traced;
        try { traced = await trace.FindAsync(authorization, open.Created, ct); }
        catch (NodeSilentException) { return false; }
        switch (traced)
        {
            case Traced.Paid(var hash):
                Count(open.Hold, "settled");
                return await ConcludeAsync(await ledger.SettledAsync(open.Hold.Id, hash, authorization.Value, [Event(open.Hold, AuditKinds.UpstreamPaid, "recovered", hash)], ct), ct);
            case Traced.Expired or Traced.Cancelled:
                await ledger.ReleaseAsync(open.Hold.Id, "expired", [Event(open.Hold, AuditKinds.UpstreamReleased, "expired")], ct);
                Count(open.Hold, "released");
                return true;
            default: return false;
        }
    }

    /// <summary>Paid; whether for something or for nothing, the call it was for knows.</summary>
    public async ValueTask<bool> ConcludeAsync(HoldState paid, CancellationToken ct)
    {
        var call = PurchaseTerms.From(paid) is { } terms ? await ledger.FindByReceiptAsync(terms.For, ct) : null;
        if (call is { Outcome: HoldOutcome.Open, Status: not HoldStatus.Released } && inHand.IsBusy(call)) return false; // it is still being answered
        await ConcludeAsync(paid, call?.Outcome == HoldOutcome.Delivered, ct);
        return true;
    }

    private async ValueTask ConcludeAsync(HoldState paid, bool delivered, CancellationToken ct)
    {
        var hold = paid.Hold;
        if (delivered) { await ledger.FinishAsync(hold.Id, HoldOutcome.Delivered, [], ct); return; }
        var lost = new Transfer($"lost:{hold.Id}", "loss:bought", hold.Legs[0].From, paid.Captured, "bought and not delivered", LimitedFrom: false, LimitedTo: false)
        {
            Correlation = hold.Correlation,
            Events = [Event(hold, AuditKinds.UpstreamLost, "undelivered", paid.Reference)],
        };
        await ledger.CreditAsync(hold.Id, [lost], ct);
        Count(hold, "lost");
    }

    /// <summary>Durable before anything leaves: whoever finds this after a crash knows that it may have been sent.</summary>
    private async ValueTask<Answer?> RecordAsync(Payment payment, HoldState held, Shopping.Choice choice, IReadOnlyList<KeyValuePair<string, string>> credential)
    {
        inHand.Take(held.Hold.Id);
        var bought = new UpstreamPayment(held, choice.How.Protocol, choice.How.Revocable, credential);
        payment.Bought = bought;
        bought.State = await ledger.CaptureAsync(new Capture(held.Hold.Id, choice.Amount) { HeldBy = held.Incarnation, Events = [Event(held.Hold, AuditKinds.UpstreamPaying)] }, CancellationToken.None);
        return null;
    }

    private async ValueTask UnknownAsync(UpstreamPayment bought, string reason)
    {
        await ledger.UnknownAsync(bought.State.Hold.Id, null, [Event(bought.State.Hold, AuditKinds.UpstreamUnknown, reason)], CancellationToken.None);
        bought.State = bought.State with { Status = HoldStatus.Unknown };
        Count(bought.State.Hold, "unknown");
    }

    private async ValueTask ReleaseAsync(UpstreamPayment bought, string reason)
    {
        bought.State = await ledger.ReleaseAsync(bought.State.Hold.Id, reason, [Event(bought.State.Hold, AuditKinds.UpstreamReleased, reason)], CancellationToken.None, bought.State.Incarnation);
        Count(bought.State.Hold, "released");
    }

    private static void Count(Hold purchase, string outcome) => Instruments.Bought(purchase.Method["buy.".Length..], outcome, purchase.Operation, purchase.Ceiling.Units, purchase.Ceiling.Currency);

    /// <summary>Never above what the caller pays, less the margin that is part of a price made of the upstream's.</summary>
    private static Money MostFor(Payment payment, Spending spending)
    {
        var paid = Money.IsMoney(payment.Ceiling.Currency) ? payment.Ceiling : payment.Call.Quote!.Ceiling;
        var most = payment.Call.Operation.Settings.Get<PriceModel>() is PriceModel.CostPlus plus && plus.Ceiling.Currency == paid.Currency ? plus.MostCost(paid) : paid;
        return spending.PerCall is { } each && each.Currency == most.Currency && each < most ? each : most;
    }

    private static List<SpendAccount> Caps(Payment payment, Spending spending, Shopping.Choice choice, string host) =>
    [
        .. spending.Caps.Select(cap => cap.At($"service/{payment.Call.Operation.Service}", payment.Call, host)),
        .. choice.Wallet.Caps.Select(cap => cap.At($"wallet/{choice.Wallet.Name}", payment.Call, host)),
        .. choice.Wallet.Volume is { } volume ? (ReadOnlySpan<SpendAccount>)[volume.Account(choice.Wallet.Name, payment.Call)] : [],
    ];

    private static Refusal CapReached(Payment payment, Spending spending, Shopping.Choice choice, PaymentTerms terms, string account)
    {
        var cap = Caps(payment, spending, choice, terms.Url.Authority).Find(c => c.Name == account);
        return Spent(cap is null ? TimeSpan.FromMinutes(1) : cap.End - payment.Call.Now);
    }

    private static Refusal Spent(TimeSpan wait) => new(Reasons.SpendingCapReached, "The owner's bound on what is paid to it is reached for now.") { RetryAfter = wait };

    private static Hold NewHold(Payment payment, Spending spending, Shopping.Choice choice, IReadOnlyList<KeyValuePair<string, string>> credential, Uri url)
    {
        var (call, receipt) = (payment.Call, payment.State!.Hold.Receipt);
        var caps = Caps(payment, spending, choice, url.Authority).FindAll(cap => cap.Cap.Amount.Currency == choice.Amount.Currency);
        var authorization = AskedTerms.AuthorizationOf(choice.Wallet, choice.How, credential);
        return new Hold
        {
            Id = Hold.PurchasePrefix + receipt,
            Legs =
            [
                new Leg($"cost:{call.Operation.Name}", $"external:upstream:{choice.How.Payee?.ToLowerHex() ?? url.Authority}", choice.Amount, Limited: false),
                .. caps.Select(cap => new Leg(cap.Name, SpendCap.Used, choice.Amount, Limited: true)),
            ],
            Raises = [.. caps.Select(SpendCap.Raise)],
            Binding = receipt,
            Receipt = Ids.New("b"),
            Correlation = call.Correlation,
            Operation = call.Operation.Name,
            Payer = $"wallet:{choice.Wallet.Name}",
            Method = $"buy.{choice.How.Protocol}",
            PriceVersion = call.Catalog.Version,
            Request = $"{call.Method} {url.Authority}", // what exactly was called stands with the call, and is erased with it
            Terms = new PurchaseTerms(receipt, choice.Wallet.Name, url.Authority, choice.How.Protocol) { Authorization = authorization }.ToJson(),
            Expires = authorization?.Expires,
        };
    }

    private async ValueTask<Refusal> RefuseAsync(Payment payment, Refusal refusal, HttpResponseMessage asked, string? account = null)
    {
        Instruments.Bought("none", refusal.Reason == Reasons.SpendingCapReached ? "capped" : "refused", payment.Call.Operation.Name, 0, payment.Ceiling.Currency);
        await audit.RecordAsync(payment.Event(AuditKinds.UpstreamRefused, refusal.Reason.Code, payment.State!.Hold.Receipt) with { Detail = $"{asked.RequestMessage?.RequestUri?.Authority}: {refusal.Detail}{(account is null ? "" : $" ({account})")}" }, CancellationToken.None);
        return refusal;
    }

    /// <summary>The seller's own receipt, where it names one.</summary>
    private static string? ReceiptOf(HttpResponseMessage answer) =>
        answer.Headers.NonValidated.TryGetValues("Turnpike-Receipt", out var told) && Uri.TryCreate(told.ToString(), UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && told.ToString().Length <= 500 ? told.ToString() : null;

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "What became of {Purchase} could not be booked; the settler finds out.")]
        public static partial void Unbooked(ILogger logger, Exception exception, string purchase);
    }

    private static AuditEvent Event(Hold purchase, string kind, string? reason = null, string? reference = null) => new()
    {
        Kind = kind,
        Correlation = purchase.Correlation,
        Reason = reason,
        Operation = purchase.Operation,
        Payer = purchase.Payer,
        Request = purchase.Request,
        Method = purchase.Method,
        Amount = purchase.Ceiling.ToString(),
        Reference = reference ?? purchase.Receipt,
    };
}
