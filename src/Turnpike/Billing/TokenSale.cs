using Turnpike.Audit;
using Turnpike.Billing.Disputes;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Payments.Stripe;
using Turnpike.Tokens;

namespace Turnpike.Billing;

/// <summary>
/// Sells bundles: from the order to the token, once, whoever tells of the payment first and however often. What is asked of Stripe
/// decides; what a webhook or a browser says only makes us ask.
/// </summary>
internal sealed partial class TokenSale(PurchaseStore store, StripeCheckout stripe, TokenDesk desk, TokenReclaim reclaim, ILedger ledger, IAuditTrail audit, TimeProvider time, ILogger<TokenSale> log)
{
    /// <summary>A bought token is shown again this often, and this long after it was ordered; later its owner has to have kept it.</summary>
    public const long MostShown = 20;

    public static readonly TimeSpan ShownFor = TimeSpan.FromDays(30);

    private const string Source = "external:stripe", TestSource = "external:sandbox";

    /// <summary>Writes the order down and opens a checkout; the session is null when Stripe did not answer.</summary>
    /// <param name="topUp">The token to add to; null: a new one.</param>
    public async ValueTask<(Purchase Order, CheckoutSession? Session)> BeginAsync(StripeCheckoutSettings settings, string operation, Bundle bundle, Token? topUp, string back, CancellationToken ct, string? consent = null, string? owner = null)
    {
        var order = new Purchase(Ids.New("buy"), operation, bundle.Price, bundle.Budget, bundle.Calls, bundle.Valid, topUp?.Id ?? TokenText.NewId(), topUp is not null) { Owner = owner };
        await store.AddAsync(order, ct);
        var session = await stripe.BeginAsync(settings, order, back, consent, ct);
        if (session is not null) await store.SetSessionAsync(order.Id, session.Id, ct);
        return (order, session);
    }

    /// <summary>An order that is paid at our own till, with test money.</summary>
    public async ValueTask<Purchase> BeginWithTestMoneyAsync(string operation, Bundle bundle, Token? topUp, CancellationToken ct, string? owner = null)
    {
        var order = new Purchase(Ids.New("buy"), operation, bundle.Price, bundle.Budget, bundle.Calls, bundle.Valid, topUp?.Id ?? TokenText.NewId(), topUp is not null) { Session = Purchase.TestSession + TokenText.NewId(), Created = time.GetUtcNow(), Owner = owner };
        await store.AddAsync(order, ct);
        await store.SetSessionAsync(order.Id, order.Session, ct);
        return order;
    }

    /// <summary>The buyer pays with test money, or leaves; what is paid or ended stays so.</summary>
    public async ValueTask PayWithTestMoneyAsync(Purchase order, bool pays, CancellationToken ct)
    {
        if (order is not { Status: PurchaseStatus.Open, ByTestMoney: true }) return;
        // Delivered before it is said to be paid: a crash in between leaves it to be paid again, which adds nothing.
        if (pays) await DeliverAsync(order, TestSource, ct);
        await store.SetStatusAsync(order.Id, pays ? PurchaseStatus.Paid : PurchaseStatus.Ended, null, ct);
    }

    /// <summary>The order behind a session, finished if it has been paid; null when there is none of this operation.</summary>
    /// <param name="settings">Who is asked whether it is paid; null: what was paid with test money, nobody.</param>
    public async ValueTask<Purchase?> LookAsync(StripeCheckoutSettings? settings, string session, CancellationToken ct)
    {
        if (await store.FindBySessionAsync(session, ct) is not { } order) return null;
        if (order.ByTestMoney != settings is null) return null; // test money buys nothing once the sandbox is closed
        if (settings is null || order.Status == PurchaseStatus.Paid) return order;
        return await stripe.FindAsync(settings, session, ct) is { } found ? await FinishAsync(order, found, ct) : order;
    }

    /// <summary>The token, one showing less being left; null when it has been shown too often or too long ago.</summary>
    public async ValueTask<Token?> ShowAsync(Purchase order, CancellationToken ct)
    {
        if (time.GetUtcNow() - order.Created > ShownFor || !await store.TryShowAsync(order.Id, MostShown, ct)) return null;
        var token = await desk.CurrentAsync(order.Token, ct);
        if (token is not null) await audit.RecordAsync(new AuditEvent { Kind = AuditKinds.TokenShown, Correlation = Ids.New("c"), Payer = token.Account, Operation = order.Operation, Reference = order.Id }, ct);
        return token;
    }

    /// <summary>What of its price went back to its buyer; null: nothing.</summary>
    public async ValueTask<Money?> RefundedAsync(Purchase order, CancellationToken ct) =>
        order.Intent is { } intent && await store.RefundedAsync(intent, ct) is > 0 and var told ? Amount(order, told) : null;

    /// <summary>For a token that got into wrong hands: a new one in its place, which two who rotate at once share. False when it cannot be replaced.</summary>
    public async ValueTask<bool> RotateAsync(Purchase order, CancellationToken ct) =>
        !order.TopUp && await desk.CurrentAsync(order.Token, ct) is { } token && await desk.SucceedAsync(token, "rotated by its buyer", ct) is not null;

    /// <summary>Something Stripe told us. False: it could not be dealt with now, so Stripe shall tell it again.</summary>
    public async ValueTask<bool> ToldAsync(StripeCheckoutSettings settings, StripeEvent told, CancellationToken ct)
    {
        if (told.Account != settings.Account && told.Account is not null) return true; // another account of the platform's: not ours to book
        if (!await store.NoteAsync(told, ct)) return true;
        if (told.Type.StartsWith("checkout.session.", StringComparison.Ordinal) && told.Session is { } session)
        {
            if (await store.FindBySessionAsync(session, ct) is { } order && order.Status != PurchaseStatus.Paid)
            {
                if (await stripe.FindAsync(settings, session, ct) is not { } found) return false;
                await FinishAsync(order, found, ct);
            }
        }
        else if (told.Intent is { } intent)
        {
            // A payment we do not know yet: kept, and looked at when its order is paid.
            if (await store.FindByIntentAsync(intent, ct) is not { } order) return true;
            if (!await ReverseAsync(order, told, ct)) return false;
        }
        await store.DoneAsync(told.Id, ct);
        return true;
    }

    private async ValueTask<Purchase> FinishAsync(Purchase order, CheckoutSession found, CancellationToken ct)
    {
        if (!found.IsPaid)
        {
            if (found.Status == "expired") await store.SetStatusAsync(order.Id, PurchaseStatus.Ended, found.Intent, ct);
            return order with { Status = found.Status == "expired" ? PurchaseStatus.Ended : order.Status };
        }
        // A session of another order, or of another amount, pays for nothing here.
        if (found.Purchase != order.Id || found.Amount != StripeCurrencies.MinorOf(order.Price) || !string.Equals(found.Currency, order.Price.Currency, StringComparison.OrdinalIgnoreCase))
        {
            Log.Mismatch(log, order.Id, found.Id);
            return order;
        }
        await DeliverAsync(order, Source, ct);
        await store.SetStatusAsync(order.Id, PurchaseStatus.Paid, found.Intent, ct);
        var paid = order with { Status = PurchaseStatus.Paid, Intent = found.Intent };
        await CatchUpAsync(paid, ct);
        return paid;
    }

    /// <summary>
    /// What was told of payments and is not dealt with: before their order was known to be paid, while another word of the same payment
    /// was being booked, or in a process that died. Stripe was told that it arrived, and will not say it again.
    /// </summary>
    public async ValueTask CatchUpAsync(CancellationToken ct)
    {
        foreach (var order in await store.BehindAsync(ct)) await CatchUpAsync(order, ct);
    }

    /// <summary>Test money goes back on our own word, which is kept and booked as Stripe's would be. False: more than is left of the price.</summary>
    public async ValueTask<bool> ReturnTestMoneyAsync(Purchase order, Money amount, string key, CancellationToken ct)
    {
        if (await store.ReturnAsync(order, amount.Units, key, ct) is not { } intent) return false;
        await CatchUpAsync(order with { Intent = intent }, ct);
        return true;
    }

    private async ValueTask CatchUpAsync(Purchase paid, CancellationToken ct)
    {
        if (paid.Intent is null) return;
        foreach (var earlier in await store.WaitingAsync(paid.Intent, ct))
            if (await ReverseAsync(paid, earlier, ct)) await store.DoneAsync(earlier.Id, ct);
    }

    /// <summary>What was paid for, each part once by the order's id: two who come at the same time, or again after a crash, add nothing.</summary>
    /// <param name="source">Who gives the money.</param>
    public async ValueTask DeliverAsync(Purchase order, string source, CancellationToken ct)
    {
        var (price, budget) = (order.Price, order.Budget);
        var gift = budget > price ? budget with { Units = budget.Units - price.Units } : (Money?)null;
        if (price > budget)
            await ledger.PostAsync(new Transfer($"fee:{order.Id}", source, "revenue:tokens", price with { Units = price.Units - budget.Units }, "fee", LimitedFrom: false, LimitedTo: false), ct);
        var paid = price > budget ? budget : price;
        if (!order.TopUp) await desk.IssueAsync(new TokenOrder(budget) { Gift = gift, Calls = order.Calls, Operations = [order.Operation], Valid = order.Valid, Owner = order.Owner, Note = $"bought: {order.Id}" }, source, order.Token, ct);
        else if (await desk.FindAsync(order.Token, ct) is { } token) await desk.TopUpAsync(token, order.Id, source, paid, gift, order.Calls, order.Valid, order.Created, ct);
    }

    /// <summary>False: another word of the same payment is being booked; this one has to be told again.</summary>
    private async ValueTask<bool> ReverseAsync(Purchase order, StripeEvent told, CancellationToken ct)
    {
        switch (told.Type)
        {
            case "charge.refunded" when told.Amount is { } refunded:
                // Named by where it begins: two who come at once, or one after a crash of the other, cannot both book the same cents.
                var before = await store.RefundedAsync(order.Intent!, ct);
                return refunded <= before || await TakeBackAsync(order, $"{order.Intent}:{before}", before, refunded, "refunded", ct); // told of late: a later event has said more
            case "charge.dispute.created":
                await reclaim.FreezeAsync(await SoldAsync(order, ct), order.Price.Currency, Disputed(order), "its payment is disputed", ct);
                break;
            case "charge.dispute.closed" when told.Status == "won":
                await reclaim.ThawAsync(await SoldAsync(order, ct), Disputed(order), "the dispute was won", ct);
                break;
            case "charge.dispute.closed" when told.Status == "lost" && told.Amount is { } lost:
                var given = await store.RefundedAsync(order.Intent!, ct);
                return await TakeBackAsync(order, $"{order.Intent}:dispute", given, given + lost, "lost in a dispute", ct);
        }
        return true;
    }

    /// <summary>
    /// Money went back to the buyer. The books give it from <c>loss:disputed</c>, which always can, and then take what is left of it from
    /// the token and from those its buyer moved it to since (I2: never more than there is, nor than came that way). Given back whole, the
    /// token it bought ends, and its gift with it; where other money came to it, it goes on with that. What is spent in the moment
    /// between is as if it had been spent before Stripe told us: it is found missing, stays the owner's loss, and stops the token.
    /// </summary>
    /// <param name="before">What had gone back before, and <paramref name="after"/>: with this, as it was told.</param>
    private async ValueTask<bool> TakeBackAsync(Purchase order, string id, long before, long after, string why, CancellationToken ct)
    {
        var (currency, sold) = (order.Price.Currency, await SoldAsync(order, ct));
        var (amount, whole) = (Amount(order, after - before), Amount(order, after) >= order.Price);
        if (whole && !order.TopUp) await desk.EndAsync(order.Token, TokenStatus.Revoked, $"its payment was {why}", ct);
        var said = new AuditEvent { Kind = AuditKinds.PurchaseReversed, Correlation = Ids.New("c"), Payer = sold.Account, Operation = order.Operation, Amount = amount.ToString(), Reference = order.Id, Detail = order.ByTestMoney ? $"{why}, test money" : why };
        if (await ledger.PostAsync(new Transfer($"reverse:{id}", "loss:disputed", order.ByTestMoney ? TestSource : Source, amount, why, LimitedFrom: false, LimitedTo: false) { Events = [said] }, ct) == PostResult.Conflict) return false;
        var found = await reclaim.TakeAsync(sold, id, amount, why, ct);
        if (whole && order.Budget > order.Price) await desk.TakeAsync(sold.Account, $"reverse:{id}:gift", order.Budget with { Units = order.Budget.Units - order.Price.Units }, "external:promotion", ct);
        if (found && id.EndsWith(":dispute", StringComparison.Ordinal)) await reclaim.ThawAsync(sold, Disputed(order), "what went back was found", ct);
        return true;
    }

    /// <summary>Stripe tells of the currency's minor unit; test money has no coins, and is told in our own.</summary>
    private static Money Amount(Purchase order, long told) => order.ByTestMoney ? order.Price with { Units = told } : StripeCurrencies.OfMinor(told, order.Price.Currency);

    private static string Disputed(Purchase order) => "dispute:" + order.Intent;

    private async ValueTask<SoldTo> SoldAsync(Purchase order, CancellationToken ct) =>
        new((await desk.FindAsync(order.Token, ct))?.Account ?? Token.AccountOf(order.Token), order.Operation, order.Created);

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "The paid session {Session} does not fit the order {Order}: nothing was issued. See both at Stripe.")]
        public static partial void Mismatch(ILogger logger, string order, string session);
    }
}
