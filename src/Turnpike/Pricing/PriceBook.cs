using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Identity.Reputations;
using Turnpike.Ledger;
using Turnpike.Metering;
using Turnpike.Pricing.Periods;
using Turnpike.Pricing.Requests;
using Turnpike.Metering.Formats;
using Turnpike.Pricing.Buying;

namespace Turnpike.Pricing;

/// <summary>Asks what the upstream of a call asks for it; null when it does not tell.</summary>
internal delegate ValueTask<UpstreamPrice?> UpstreamCost(Call call, CancellationToken ct);

/// <summary>What an upstream asks for a call, or why it will not be paid.</summary>
internal sealed record UpstreamPrice(Money? Cost, Refusal? Why);

/// <summary>Does anybody count what this call uses, whatever it costs?</summary>
internal delegate bool UseCounted(Call call);

/// <summary>Tells what a call costs, and remembers what it cost a moment ago for those who still hold older terms.</summary>
internal sealed class PriceBook(TimeProvider time, OutsidePrices? outside = null, ReputationBook? reputations = null, PriceTableStore? tables = null, UpstreamCost? upstream = null, UseCounted? counted = null)
{
    /// <summary>How long terms may be answered.</summary>
    public static readonly TimeSpan Valid = TimeSpan.FromMinutes(5);

    /// <summary>Names the quote that a call is paid by, by the version it was of.</summary>
    public const string QuoteHeader = "Turnpike-Quote";

    private static readonly PriceRule?[] NoRule = [null];

    private readonly PastPrices past = new(time);
    private readonly Demand demand = new();

    /// <summary>Sets the quote; leaves it null when nothing is owed. A price above the caller's own maximum ends the call.</summary>
    public ValueTask<Answer?> QuoteAsync(Call call, CancellationToken ct) =>
        call.Operation.Settings.Get<PriceModel>() is { } price && (price.AsksReputation || price.AsksBody) ? KnowAsync(call, price, ct) : TellAsync(call, ct);

    private async ValueTask<Answer?> KnowAsync(Call call, PriceModel price, CancellationToken ct)
    {
        if (price.AsksReputation && reputations is not null) await reputations.LoadAsync(call, ct);
        if (price.AsksBody && call.ReadBody is { } body) call.BodyLength = (await body(ct)).Length;
        return await TellAsync(call, ct);
    }

    private ValueTask<Answer?> TellAsync(Call call, CancellationToken ct)
    {
        var price = call.Operation.Settings.Get<PriceModel>();
        var settings = call.Operation.Settings;
        if (call.Catalog.Settings.Get<MeterSet>() is not null || price is PriceModel.Metered || settings.Get<UsageSettings>() is not null || settings.Get<OwnCost>() is not null || Spending.Of(call) is not null || counted?.Invoke(call) == true) return MeterAsync(call, price, ct);
        return price is PriceModel.Asked asked ? AskAsync(call, asked, ct) : new(Fix(call, price));
    }

    /// <summary>What the upstream asks for this call, and the margin: told once, and honoured as long as the terms are good.</summary>
    private async ValueTask<Answer?> AskUpstreamAsync(Call call, PriceModel.CostPlus price, CancellationToken ct)
    {
        if (upstream is null || await upstream(call, ct) is not { } asked) return new Refusal(Reasons.PricerDown, "The service behind this gateway does not tell what this call costs.") { RetryAfter = TimeSpan.FromSeconds(1) };
        if (asked.Cost is not { } cost) return asked.Why;
        if (cost.Currency != price.Ceiling.Currency || cost > price.Ceiling || price.PriceOf(cost) is var sold && sold > price.Ceiling) return new Refusal(Reasons.UpstreamTooDear, $"It comes to more than {price.Ceiling}, the most that is asked here.");
        call.Quote = new Quote(sold, "call", call.Catalog.Version, call.Now + Valid);
        return Clamp(call, sold);
    }

    /// <summary>
    /// A price that is known before the call; of one that was changed, what the caller was told, as long as that said it holds: a
    /// balance answers no terms, so the call names the version they were of. A price that is not asked any more ends when it was told
    /// to: whoever names it again and again does not make it last.
    /// </summary>
    private Answer? Fix(Call call, PriceModel? price)
    {
        if (price is not PriceModel.Fixed { Amount.IsZero: false } and not PriceModel.Session) return null;
        if (call.Pass is not null) return Spare(call, price);
        var named = call.Headers[QuoteHeader];
        if (named.Count == 1 && named != call.Catalog.Version && past.Find(call, named.ToString()) is { } old && old.Price.GetType() == price.GetType() && old.IsKnownFor(call) && Told(call, old.Price, old.Ended, old.Fewest) is { Count: > 0 } told)
            return Fix(call, old.Price, told.Min(), old.Version, old.Until);
        var present = FixAsTold(call, price);
        return present ?? (named.Count == 0 || named == call.Catalog.Version || call.Quote is null ? null : new Refusal(Reasons.PaymentExpired, $"The price that {QuoteHeader} names does not hold any more."));
    }

    /// <summary>A call that shows a session owes nothing, and is not measured by a maximum, a limit or a breaker as if it did. The price is kept: it is asked for if the session was given back.</summary>
    private Answer? Spare(Call call, PriceModel price)
    {
        FixAsTold(call, price);
        (call.Instead, call.Quote) = (call.Quote, null);
        return null;
    }

    private Answer? FixAsTold(Call call, PriceModel price) =>
        Fix(call, price, price.Rules.Count == 0 ? price.Usual : PriceModel.Share(price.Usual, RulesFor(call, price, call.Catalog.Version).Min(ShareOf)), call.Catalog.Version, call.Now + Valid);

    private static Answer? Fix(Call call, PriceModel price, Money amount, string version, DateTimeOffset until)
    {
        if (amount.IsZero) return null;
        call.Quote = LengthOf(price) is { } lasts ? new SessionQuote(amount, version, until, lasts) : new Quote(amount, "call", version, until);
        return Clamp(call, amount);
    }

    private async ValueTask<Answer?> AskAsync(Call call, PriceModel.Asked price, CancellationToken ct)
    {
        if (outside is null || await outside.AskAsync(call, price, ct) is not { } told) return new Refusal(Reasons.PricerDown, "Nobody says what this call costs.") { RetryAfter = TimeSpan.FromSeconds(1) };
        if (told.IsZero) return null;
        call.Quote = new Quote(told, "call", call.Catalog.Version, call.Now + Valid);
        return Clamp(call, told);
    }

    private long InProgress(Call call, PriceModel price) => price.Rules.Any(rule => rule.Busy is not null) ? demand.Enter(call) : 0;

    private static Money AmountOf(Call call, PriceModel price, DateTimeOffset at, long inProgress) =>
        PriceModel.Share(price.Usual, ShareOf(RuleFor(call, price, at, inProgress)));

    private static long ShareOf(PriceRule? rule) => rule?.Hundredths ?? PriceRule.Whole;

    /// <summary>
    /// The rule that holds; and for whoever names the terms it was told, those that may have held when it was: a quote holds until it
    /// expires, though the hour strikes or others come. What was nothing then was told to nobody.
    /// </summary>
    private IReadOnlyList<PriceRule?> RulesFor(Call call, PriceModel price, string version)
    {
        if (price.Rules.Count == 0) return NoRule;
        var present = RuleFor(call, price, call.Now, InProgress(call, price));
        if (call.Headers[QuoteHeader] != version) return [present];
        var fewest = demand.Fewest(call.Operation.Name, call.Now);
        return [present, .. new[] { RuleFor(call, price, call.Now, fewest), RuleFor(call, price, call.Now - Valid, fewest) }.Where(rule => rule is not { Hundredths: 0 })];
    }

    private static PriceRule? RuleFor(Call call, PriceModel price, DateTimeOffset at, long inProgress)
    {
        foreach (var rule in price.Rules)
            if (rule.Holds(call, at, inProgress)) return rule;
        return null;
    }

    /// <summary>When the document changes: prices that end now stay good for terms given until now.</summary>
    public void Replaced(ServiceCatalog old)
    {
        var now = time.GetUtcNow();
        past.Remember(old, operation => demand.Fewest(operation, now));
    }

    /// <summary>
    /// The prices a credential without terms (x402 v1) may answer: the present one first, then those of the validity window. All of them
    /// are of what is sold now: an amount that bought a call a moment ago opens no session, and the other way round.
    /// </summary>
    public IReadOnlyList<PriceInForce> InForce(Call call)
    {
        if (call.Quote is not { } quote) return [];
        var (lasts, inForce) = ((quote as SessionQuote)?.Lasts, new List<PriceInForce>());
        inForce.Add(new(quote.Ceiling, quote.Version, lasts));
        switch (call.Operation.Settings.Get<PriceModel>())
        {
            case PriceModel.Asked asked: inForce.AddRange(outside?.Before(call, asked) is { } before ? [new(before, quote.Version, null)] : []); break;
            case null or PriceModel.Metered or PriceModel.CostPlus: break;
            // The hour may have struck since it was told, and others may have come; but never were there fewer than there were.
            case { Rules.Count: > 0 } price: inForce.AddRange(Told(call, price, call.Now, demand.Fewest(call.Operation.Name, call.Now)).Select(amount => new PriceInForce(amount, call.Catalog.Version, LengthOf(price)))); break;
        }
        foreach (var old in past.Of(call))
            if (old.Price is PriceModel.Fixed or PriceModel.Session && (LengthOf(old.Price) is null) == (lasts is null) && old.IsKnownFor(call))
                inForce.AddRange(Told(call, old.Price, old.Ended, old.Fewest).Where(amount => amount.Currency == quote.Ceiling.Currency).Select(amount => new PriceInForce(amount, old.Version, LengthOf(old.Price))));
        return [.. inForce.Distinct()];
    }

    /// <summary>What a price and its rules made of this call: at the last moment that counts, and as far back as terms are good. What was nothing then was told to nobody.</summary>
    private static IReadOnlyList<Money> Told(Call call, PriceModel price, DateTimeOffset last, long fewest) =>
        [.. new[] { AmountOf(call, price, last, fewest), AmountOf(call, price, call.Now - Valid, fewest) }.Where(amount => !amount.IsZero)];

    private static TimeSpan? LengthOf(PriceModel price) => (price as PriceModel.Session)?.Lasts;

    /// <summary>A call whose use is told: its request is read for what bounds it, and a metered price is quoted at the most it can come to.</summary>
    private async ValueTask<Answer?> MeterAsync(Call call, PriceModel? price, CancellationToken ct)
    {
        var metered = call.Metered = new MeteredCall(call.Operation.Settings.Get<UsageSettings>() ?? UsageSettings.OfRecords((price as PriceModel.Metered)?.Count));
        metered.RequestBytes = call.ReadBody is null ? 0 : call.Headers.ContentLength ?? 0;
        // A body that does not say how long it is would be sold as none.
        if (call is { ReadBody: { } body, Headers.ContentLength: null } && (price is PriceModel.Metered { AsksLength: true } || metered.Settings.AsksLength)) metered.RequestBytes = (await body(ct)).Length;
        if (metered.Settings.Format is not NoFormat && await RequestReading.ReadAsync(call, metered, price as PriceModel.Metered, ct) is { } unreadable) return unreadable;
        return price switch
        {
            PriceModel.Metered rated => QuoteAsTold(call, metered, rated),
            PriceModel.Asked asked => await AskAsync(call, asked, ct),
            PriceModel.CostPlus plus => await AskUpstreamAsync(call, plus, ct),
            _ => Fix(call, price),
        };
    }

    /// <summary>At the rates the caller was told, while they hold: a balance answers no terms, so the call names the version they were of.</summary>
    private Answer? QuoteAsTold(Call call, MeteredCall metered, PriceModel.Metered price)
    {
        tables?.Keep(call.Catalog);
        var named = call.Headers[QuoteHeader];
        if (named.Count == 0 || named == call.Catalog.Version) return Quote(call, metered, price, call.Catalog.Version, call.Now + Valid);
        if (named.Count == 1 && past.Find(call, named.ToString()) is { Price: PriceModel.Metered told } old && old.IsKnownFor(call)) return Quote(call, metered, told, old.Version, old.Until);
        var present = Quote(call, metered, price, call.Catalog.Version, call.Now + Valid);
        return present ?? (call.Quote is null ? null : new Refusal(Reasons.PaymentExpired, $"The rates that {QuoteHeader} names do not hold any more."));
    }

    private Answer? Quote(Call call, MeteredCall metered, PriceModel.Metered price, string version, DateTimeOffset until)
    {
        if (price.CardOf(price.By is null ? "" : metered.Asked) is not { } card)
            return new Refusal(Reasons.UnknownModel, $"{(metered.Asked is { } asked ? $"'{Reading.Shown(asked)}' has no price here." : "The request names no model.")} These have one: {string.Join(", ", price.Models.Keys.Order(StringComparer.Ordinal).Take(20))}.");
        var rules = RulesFor(call, price, version);
        // At the rates of the usual way it would be sold below its cost, to whoever adds a word; and two words at the rate of one.
        if (metered.Request?.DearTiers is { Count: > 0 } dear)
        {
            rules = [.. rules.Where(rule => dear.Count == 1 && rule?.ServiceTiers.Contains(dear[0]) == true)];
            if (rules.Count == 0) return new Refusal(Reasons.MalformedRequest, $"To be served as '{Reading.Shown(dear[^1])}' has no price here: leave it out.");
        }
        var share = rules.Count == 1 ? ShareOf(rules[0]) : rules.Min(ShareOf);
        if (share == 0) return null;
        card = card.At(share);
        var (ceiling, least) = (price.Ceiling, price.Ceiling);
        if (MeteredQuote.MostFor(card, metered, metered.Request?.Maximum ?? price.DefaultMaximum) is { } most && most < ceiling) ceiling = most;
        if ((price.Withholds ? card.Charge(OneRecord()) : MeteredQuote.MostFor(card, metered, 1)) is { } one && one < least) least = one;
        if (price.Minimum is { } minimum) (ceiling, least) = (Larger(ceiling, minimum), Larger(least, minimum));
        if (Maximum(call, ceiling.Currency, out var malformed) is { } maximum && maximum < ceiling)
        {
            if (maximum < least) { call.Quote = new MeteredQuote(ceiling, version, until, price, card, metered) { Least = least, Share = share }; return new Refusal(Reasons.PriceAboveMaximum, $"This call costs {least} or more; your maximum is {maximum}."); }
            ceiling = maximum;
        }
        call.Quote = new MeteredQuote(ceiling, version, until, price, card, metered) { Least = least, Share = share };
        return malformed;
    }

    private static Usage OneRecord()
    {
        var usage = new Usage();
        usage.Reported[Units.Records] = 1;
        return usage;
    }

    private static Money Larger(Money a, Money b) => a > b ? a : b;

    private static Answer? Clamp(Call call, Money price) =>
        Maximum(call, price.Currency, out var malformed) is { } maximum && price > maximum ? new Refusal(Reasons.PriceAboveMaximum, $"This call costs {price}; your maximum is {maximum}.") : malformed;

    /// <summary>The caller's own maximum, if it has one.</summary>
    private static Money? Maximum(Call call, string currency, out Answer? malformed)
    {
        malformed = null;
        var most = call.Headers["Turnpike-Max-Price"];
        if (most.Count == 0) return null;
        if (most.Count == 1 && ReadMaximum(most.ToString(), currency, out var maximum)) return maximum;
        malformed = new Refusal(Reasons.MalformedRequest, "Turnpike-Max-Price is an amount and a currency, such as '0.05 USD'.");
        return null;
    }

    private static bool ReadMaximum(string text, string currency, out Money maximum) =>
        Money.TryParse(text, out maximum) ? maximum.Currency == currency : Money.TryParse(text.Trim(), currency, out maximum);
}
