using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;
using Turnpike.Payments.Costs;
using Turnpike.Payments.Prepaid;
using Turnpike.Pricing;

namespace Turnpike.Payments;

/// <summary>The <c>payments:</c> section, and the check that whatever has a price can be paid.</summary>
internal static class PaymentSection
{
    private const int SigningBytes = 32;

    private static readonly Key<IReadOnlyList<KeyValuePair<string, ChainSettings>>> Chains = new("chains", ChainSection.Shape, "EVM chains by CAIP-2 name.") { Default = "none", Example = "{ \"eip155:8453\": { asset: USDC, pay-to: \"${env:PAY_TO}\", facilitator: \"https://facilitator.example.com\" } }" };

    private static readonly Key<IReadOnlyList<string>> ChainNames = new("chains", new ListShape<string>(Shapes.Text, least: 1), "Which of payments.chains, in order of preference.") { Default = "all of them", Example = "[\"eip155:8453\"]" };

    private static readonly Key<bool> Identifier = new("payment-identifier-required", Shapes.Flag, "Whether a v2 payment has to name itself by the extension payment-identifier; it may in any case.") { Default = "false", Example = "false" };
    private static readonly Key<ChainNamesOf> X402 = new("x402", new MapShape<ChainNamesOf>([ChainNames, Identifier], m => new ChainNamesOf(m.Get(ChainNames)) { Identified = m.Get(Identifier) }), "Take x402 payments, scheme exact, versions 1 and 2.") { Default = "not taken", Example = "{ chains: [\"eip155:8453\"] }" };

    private static readonly Key<IReadOnlyList<Secret>> ChallengeSecret = new("secret", new ListShape<Secret>(new SecretShape(SigningBytes), oneAlone: true, least: 1), "Signs challenges; at least 32 bytes; one, or a list, current first.") { Required = true, Example = "${env:TURNPIKE_MPP_SECRET}" };
    private static readonly Key<ChainNamesOf> MppEvm = new("evm", new MapShape<ChainNamesOf>([ChainNames], m => new ChainNamesOf(m.Get(ChainNames))), "Take the method evm: charges by signed transfer.") { Default = "not taken", Example = "{ chains: [\"eip155:8453\"] }" };
    private static readonly Key<TimeSpan> Valid = new("valid", Shapes.Duration, "How long a challenge may be paid.") { Default = "5m", Example = "5m" };

    private static readonly Key<Secret> StripeKey = new("secret-key", new SecretShape(), "Stripe's secret API key.") { Required = true, Example = "${env:STRIPE_SECRET_KEY}" };
    private static readonly Key<string> StripeProfile = new("profile", Shapes.Text, "The Stripe profile that payers' tokens are granted to.") { Required = true, Example = "${env:STRIPE_PROFILE}" };
    private static readonly Key<Uri> StripeApi = new("api", Shapes.Url, "Stripe's API; plain http only on loopback.") { Default = "https://api.stripe.com", Example = "https://api.stripe.com" };
    private static readonly Key<IReadOnlyList<Secret>> StripeWebhook = new("webhook-secret", new ListShape<Secret>(new SecretShape(), oneAlone: true, least: 1), "Signs what Stripe tells us at /webhooks/stripe of charges that were refunded or disputed there; one, or a list while it is rolled.") { Default = "none: such a refund is not booked", Example = "${env:STRIPE_WEBHOOK_SECRET}" };
    private static readonly Key<StripeDraft> Stripe = new("stripe", new MapShape<StripeDraft>([StripeKey, StripeProfile, StripeApi, StripeWebhook], BuildStripe), "Take the method stripe: charges by Shared Payment Token, from USD 0.50.") { Default = "not taken", Example = "{ secret-key: \"${env:STRIPE_SECRET_KEY}\", profile: \"${env:STRIPE_PROFILE}\" }" };
    private static readonly Key<MppDraft> Mpp = new("mpp", new MapShape<MppDraft>([ChallengeSecret, MppEvm, Stripe, Valid], BuildMpp), "Take MPP payments.") { Default = "not taken", Example = "{ secret: \"${env:TURNPIKE_MPP_SECRET}\", evm: {} }" };

    private static readonly Key<long> AnswerSize = new("max-size", Shapes.Size, "A larger answer is not kept; its payer has the receipt.") { Default = "1MiB", Example = "1MiB" };
    private static readonly Key<TimeSpan> AnswerTime = new("keep", Shapes.Duration, "How long an answer is kept.") { Default = "15m", Example = "15m" };
    private static readonly Key<AnswerSettings> Answers = new("answers", new MapShape<AnswerSettings>([AnswerSize, AnswerTime], m => new AnswerSettings((int)m.Get(AnswerSize, AnswerSettings.Usual.MostBytes), m.Get(AnswerTime, AnswerSettings.Usual.Keep))), "Answers that were paid for are kept a while: a repeated proof or Idempotency-Key gets the same one, and pays once.") { Default = "1MiB each, 15m", Example = "{ max-size: 1MiB, keep: 15m }" };

    private static readonly Key<bool> Balance = new("balance", Shapes.Flag, "Whether callers may spend the money they were granted: turnpike callers grant --kind paid.") { Default = "false", Example = "true" };

    private static readonly Key<PaymentSettings> Key = new("payments", new MapShape<PaymentSettings>([Chains, X402, Mpp, PrepaidSection.Key, Balance, Answers, CostSection.Key], Build), "Every way to be paid.") { Default = "none: everything is free", Example = "{ prepaid: { secret: \"${env:TURNPIKE_TOKEN_SECRET}\" } }" };

    public static readonly Section Section = new(Scope.Document, Key) { Check = Check, Tell = Rails, TellOperation = Methods };

    private static PaymentSettings? Build(MapValues m)
    {
        var errors = m.At.Reading.Errors.Count;
        var chains = m.Get(Chains, []).Select(c => c.Value).ToList();
        var settings = new PaymentSettings
        {
            Chains = chains,
            X402 = m.Get(X402) is { } x402 ? new X402Settings(Named(m, x402, chains), x402.Identified) : null,
            Mpp = m.Get(Mpp) is not { } mpp ? null : mpp.Settings with { EvmChains = mpp.Evm is { } evm ? Named(m, evm, chains) : [] },
            Prepaid = m.Get(PrepaidSection.Key),
            Balance = m.Get(Balance),
            Answers = m.Get(Answers) ?? AnswerSettings.Usual,
            Costs = m.Get(CostSection.Key) ?? new PaymentSettings().Costs,
        };
        return m.At.Reading.Errors.Count == errors ? settings : null;
    }

    private static List<ChainSettings> Named(MapValues m, ChainNamesOf wanted, List<ChainSettings> chains)
    {
        var list = m.At.Reading.PlaceOf(wanted, ChainNames.Name);
        var broken = m.IsWritten(Chains) && m.Of(Chains).Node is MapNode { Entries: var written } && written.Count != chains.Count;
        if (wanted.Names is null && chains.Count == 0 && !broken) list.Refuse("payments.chains names no chain to be paid on");
        if (wanted.Names is not { } names) return chains;
        var found = new List<ChainSettings>();
        for (var i = 0; i < names.Count; i++)
        {
            var spot = list.Node is ListNode { Items: var items } ? list.Item(i, items[i]) : list;
            if (names.Take(i).Contains(names[i])) spot.Refuse("is named twice");
            else if (chains.Find(c => c.Network == names[i]) is { } chain) found.Add(chain);
            else if (!broken) spot.Refuse($"'{Reading.Shown(names[i])}' is not one of payments.chains{(chains.Count > 0 ? ": " + string.Join(", ", chains.Select(c => c.Network)) : ", which names none")}");
        }
        return found;
    }

    private static MppDraft? BuildMpp(MapValues m)
    {
        if (!m.IsWritten(MppEvm) && !m.IsWritten(Stripe)) { m.At.Refuse("mpp needs evm or stripe to be paid by"); return null; }
        return new MppDraft(new MppSettings(m.Get(ChallengeSecret, [])) { Stripe = m.Get(Stripe)?.Settings, StripeWebhookSecrets = m.Get(Stripe)?.WebhookSecrets ?? [], Valid = m.Get(Valid, TimeSpan.FromMinutes(5)) }, m.Get(MppEvm));
    }

    private static StripeDraft? BuildStripe(MapValues m)
    {
        var api = m.Get(StripeApi) ?? new Uri("https://api.stripe.com");
        // The secret key goes there in a header.
        if (api.Scheme == "http" && !api.IsLoopback) { m.Of(StripeApi).Refuse("plain http is for a stand-in on loopback only; the secret key goes there"); return null; }
        return new StripeDraft(new StripeSettings(m.Get(StripeKey), m.Get(StripeProfile)!, api), m.Get(StripeWebhook) ?? []);
    }

    private static void Check(Draft draft)
    {
        if (draft.IsBroken(Key)) return;
        var rails = Payable.Of(draft.Settings);
        foreach (var operation in draft.Operations)
        {
            var named = CheckAccept(draft.At(operation, "accept"), operation, rails);
            if (operation.Settings.Get<PriceModel>() is { } price && named && WhyUnpayable(operation, price, rails) is { } why)
                draft.At(operation, operation.Accept.Count > 0 && rails.Count > 0 ? "accept" : "price").Refuse(why);
        }
    }

    /// <summary>False when a name was refused, so that nothing more is concluded from the list.</summary>
    private static bool CheckAccept(Spot list, Operation operation, IReadOnlyList<Payable> rails)
    {
        var sound = true;
        for (var i = 0; i < operation.Accept.Count; i++)
        {
            var name = operation.Accept[i];
            if (rails.Any(r => r.Answers(name))) continue;
            var spot = list.Node is ListNode { Items: var items } && items.Count == operation.Accept.Count ? list.Item(i, items[i]) : list;
            var near = Nearest.Of(name, Payable.Names);
            sound = spot.Refuse(name == "plan" ? "there are no plans" : Payable.Names.Contains(name) ? $"'{name}' is not configured in payments"
                : $"'{Reading.Shown(name)}' is no protocol or method{(near is null ? $"; known: {string.Join(", ", Payable.Names)}" : $"; did you mean '{near}'?")}");
        }
        return sound;
    }

    private static string? WhyUnpayable(Operation operation, PriceModel price, IReadOnlyList<Payable> rails)
    {
        if (rails.All(r => r.Method == "plan")) return "has a price, but payments configures no way to pay it";
        var accepted = Payable.Accepted(operation, rails);
        foreach (var amount in price.Amounts)
            if (!accepted.Any(r => r.Method != "plan" && r.CanServe(price, amount)))
                return $"no accepted method can take {(price is PriceModel.Metered ? "a metered price" : amount)}: {string.Join("; ", accepted.Select(r => r.Method == "plan" ? "a plan is no way to pay for callers who have none" : r.WhyNot(price, amount)))}";
        return null;
    }

    private static string? Methods(ServiceCatalog catalog, Operation operation) =>
        operation.Settings.Get<PriceModel>() is { } price && catalog.Settings.Get<PaymentSettings>() is not null
            ? string.Join(", ", Payable.Accepted(operation, Payable.Of(catalog.Settings)).Where(r => r.CanServe(price)).Select(r => r.Method)) : null;

    private static IEnumerable<string> Rails(ServiceCatalog catalog)
    {
        if (catalog.Settings.Get<PaymentSettings>() is not { } settings) yield break;
        foreach (var chain in settings.Chains)
            yield return $"chain {chain.Network}: {chain.Asset.Name} {chain.Asset.Address} to {chain.PayTo}, settled {(chain.Facilitator is { } there ? $"by {there.Host}" : "here")}";
        foreach (var rail in Payable.Of(catalog.Settings)) yield return rail.Told;
        if (settings.Mpp is { } mpp) yield return $"mpp challenges are valid for {Shapes.Tell(mpp.Valid)}";
    }

    /// <summary>Names of chains, to be looked up when all chains are read; null: all.</summary>
    private sealed record ChainNamesOf(IReadOnlyList<string>? Names)
    {
        public bool Identified { get; init; }
    }

    private sealed record StripeDraft(StripeSettings Settings, IReadOnlyList<Secret> WebhookSecrets);

    private sealed record MppDraft(MppSettings Settings, ChainNamesOf? Evm);
}
