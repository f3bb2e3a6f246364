using Turnpike.Audit;
using Turnpike.Billing.Invoices;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;
using Turnpike.Limits.Notices;
using Turnpike.Payments;
using Turnpike.Telemetry;
using Turnpike.Tokens;

namespace Turnpike.Billing.Automatic;

/// <summary>
/// Tops tokens up whose buyers agreed to it: once for each time less is left than agreed, never above the cap, never for a token that
/// may not be spent. An order is made before the card is charged, and stays until it is known what became of it: a crash, a second node
/// or a silent Stripe neither charges twice nor forgets. A card that is refused is not tried again until its owner says so.
/// </summary>
internal sealed class TopUps(MandateStore mandates, CardCharges cards, TokenSale sale, PurchaseStore purchases, TokenDesk desk, CatalogSource catalog, Notices notices, IAuditTrail audit, TimeProvider time)
{
    private const int MostAtOnce = 100;
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);

    /// <summary>Writes down what the buyer agrees to; it holds once the order is paid.</summary>
    public async ValueTask AskAsync(Purchase order, MandateTerms terms, CancellationToken ct)
    {
        var account = (await desk.FindAsync(order.Token, ct))?.Account ?? Token.AccountOf(order.Token);
        await mandates.AddAsync(new Mandate(Ids.New("ma"), account, order.Id, order.Operation, terms), ct);
    }

    /// <summary>What was agreed with an order, in force if the order is paid; null where nothing was.</summary>
    public async ValueTask<Mandate?> OfAsync(Purchase order, CancellationToken ct)
    {
        if (await mandates.FindByPurchaseAsync(order.Id, ct) is not { } mandate) return null;
        if (mandate.Status != MandateStatus.Asked || order.Status != PurchaseStatus.Paid || Prepaid is not { } prepaid) return mandate;
        (string? Customer, string? Card) saved = (null, null);
        if (order.Intent is not null)
        {
            if (prepaid.Checkout is not { } checkout || await cards.SavedAsync(checkout, order.Session!, ct) is not { } said) return mandate;
            saved = said;
            if (saved.Customer is null || saved.Card is null)
            {
                if (await mandates.EndAsync(mandate, "the card was not kept", ct)) await TellAsync(mandate, AuditKinds.TopUpEnded, "the card was not kept", notice: false, ct);
                return await mandates.FindAsync(mandate.Id, ct);
            }
        }
        if (await mandates.ActivateAsync(mandate, saved.Customer, saved.Card, ct)) await TellAsync(mandate, AuditKinds.TopUpAgreed, mandate.Terms.Told, notice: false, ct);
        return await mandates.FindAsync(mandate.Id, ct);
    }

    /// <summary>Nothing is charged from now on; what is on its way may still come. False when it has ended.</summary>
    public async ValueTask<bool> EndAsync(Mandate mandate, string why, CancellationToken ct)
    {
        if (!await mandates.EndAsync(mandate, why, ct)) return false;
        await TellAsync(mandate, AuditKinds.TopUpEnded, why, notice: false, ct);
        return true;
    }

    /// <summary>Tries the card again. False when it is not paused.</summary>
    public async ValueTask<bool> ResumeAsync(Mandate mandate, CancellationToken ct)
    {
        if (!await mandates.ResumeAsync(mandate, ct)) return false;
        await TellAsync(mandate, AuditKinds.TopUpResumed, null, notice: false, ct);
        return true;
    }

    /// <summary>Looks once at everything: consents of orders that were paid meanwhile, tokens that ran low, and orders that are being charged.</summary>
    public async Task RoundAsync(CancellationToken ct)
    {
        foreach (var order in await mandates.PaidAsync(MostAtOnce, ct))
            if (await purchases.FindAsync(order, ct) is { } paid) await OfAsync(paid, ct);
        if (Prepaid is { Automatic.Monthly: var most } prepaid)
            foreach (var low in await mandates.CrossedAsync(MostAtOnce, ct))
                if (Serves(prepaid, low)) await CrossAsync(low, most, ct);
        foreach (var due in await mandates.DueAsync(MostAtOnce, ct))
            if (Prepaid is { } now && Serves(now, due)) await ChargeAsync(now, due, ct);
    }

    private async ValueTask CrossAsync(Mandate low, Money most, CancellationToken ct)
    {
        var crossing = await mandates.CrossAsync(low.Id, most, ct);
        if (crossing.Order is { } order) await TellAsync(low, AuditKinds.TopUpCharging, null, notice: false, ct, order);
        if (crossing.Paused is { } why) await PausedAsync(low, why, ct);
        if (crossing.AtCap) await TellAsync(low, AuditKinds.TopUpCapped, "the cap of this month leaves no room", notice: true, ct);
    }

    private async ValueTask ChargeAsync(PrepaidSettings prepaid, Mandate due, CancellationToken ct)
    {
        var next = TimeSpan.FromSeconds(Math.Min(30 << (int)Math.Min(due.Tries, 10), (long)Longest.TotalSeconds));
        if (await mandates.TurnAsync(due, next, ct) is not var (mandate, maySend)) return;
        var isOld = time.GetUtcNow() - mandate.Sent > StripeCalls.KeyKept;
        var charged = mandate.Customer is null ? maySend || mandate.Tries > 1 ? new Charged.Taken("") : new Charged.Never() // test money: nobody can refuse it, and posting it is done once
            : await cards.ChargeAsync(prepaid.Checkout!, mandate, again: mandate.Tries > 1, send: maySend && !isOld, ct);
        switch (charged)
        {
            case Charged.Taken { Intent: var intent }: await TakenAsync(mandate, intent.Length > 0 ? intent : null, ct); break;
            case Charged.Refused { Why: var why }:
                if (await mandates.OverAsync(mandate, null, paid: false, why, ct)) await PausedAsync(mandate, why, ct);
                break;
            case Charged.Never when isOld || mandate.Customer is null:
                await mandates.OverAsync(mandate, null, paid: false, paused: null, ct);
                break;
            default: Instruments.ToppedUp("unknown"); break; // it stands until somebody knows
        }
    }

    /// <summary>Delivered before it is said to be over, so that no crash leaves a card charged and a token empty; adding it again adds nothing.</summary>
    private async ValueTask TakenAsync(Mandate mandate, string? intent, CancellationToken ct)
    {
        if (await purchases.FindAsync(mandate.Pending!, ct) is not { } order) return;
        await sale.DeliverAsync(order, intent is null ? "external:sandbox" : "external:stripe", ct);
        if (!await mandates.OverAsync(mandate, intent, paid: true, paused: null, ct)) return;
        Instruments.ToppedUp("paid");
        await TellAsync(mandate, AuditKinds.TopUpPaid, intent, notice: false, ct, order.Id);
    }

    private async ValueTask PausedAsync(Mandate mandate, string why, CancellationToken ct)
    {
        Instruments.ToppedUp("paused");
        await TellAsync(mandate, AuditKinds.TopUpPaused, PageOf(mandate), notice: true, ct, reason: why);
    }

    /// <summary>Where the buyer sees it, and pays or ends it.</summary>
    public string PageOf(Mandate mandate) => $"{catalog.Current.Gateway.Url.GetLeftPart(UriPartial.Authority)}/buy/{mandate.Operation}/automatic?id={mandate.Id}";

    /// <summary>True where whoever gives the money of it is still there: test money is worth nothing outside the sandbox.</summary>
    private bool Serves(PrepaidSettings prepaid, Mandate mandate) => mandate.Customer is null ? catalog.Current.Gateway.Sandbox && prepaid.Checkout is null : prepaid.Checkout is not null;

    private PrepaidSettings? Prepaid => catalog.Current.Settings.Get<PaymentSettings>()?.Prepaid;

    private async ValueTask TellAsync(Mandate mandate, string kind, string? detail, bool notice, CancellationToken ct, string? reference = null, string? reason = null)
    {
        var happened = new AuditEvent { Kind = kind, Correlation = Ids.New("c"), Payer = mandate.Account, Operation = mandate.Operation, Amount = mandate.Terms.Price.ToString(), Reference = reference ?? mandate.Purchase, Reason = reason, Detail = detail };
        await audit.RecordAsync(happened, ct);
        if (notice) await notices.PostAsync(happened, ct);
    }
}
