using System.Globalization;
using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Ledger;
using Turnpike.Payments.Stripe;

namespace Turnpike.Payments.Prepaid;

/// <summary><c>payments.prepaid</c>: how tokens are made, and how they are sold.</summary>
internal static class PrepaidSection
{
    private const int SigningBytes = 32;

    public static readonly Shape<string> Percent = new ScalarShape<string>("a percentage such as 5%",
        (string t, out string? v) => Hundredths(v = t) is null ? "is no percentage; write 5% or 2.5%, at most two decimals and 100%" : null, @"^[0-9]{1,3}(\.[0-9]{1,2})?%$");

    public static readonly Shape<string> AccountName = new ScalarShape<string>("a Stripe account such as acct_…",
        (string t, out string? v) => (v = t).StartsWith("acct_", StringComparison.Ordinal) && t.Length is > 5 and <= 64 && t.All(c => char.IsAsciiLetterOrDigit(c) || c == '_') ? null : "is no Stripe account; it begins with acct_");

    private static readonly Key<Money> Price = new("price", Shapes.Money, "What the buyer pays.") { Required = true, Example = "20.00 USD" };
    private static readonly Key<Money> Budget = new("budget", Shapes.Money, "What the token may spend.") { Required = true, Example = "22.00 USD" };
    private static readonly Key<long> Calls = new("calls", Shapes.Integer(1, 1_000_000_000), "How many calls it may make.") { Default = "as many as the budget pays", Example = "500" };
    private static readonly Key<TimeSpan> Valid = new("valid", Shapes.Duration, "How long it may be spent.") { Default = "for good", Example = "90d" };
    private static readonly Key<IReadOnlyList<Bundle>> Bundles = new("bundles", new ListShape<Bundle>(new MapShape<Bundle>([Price, Budget, Calls, Valid], BuildBundle), least: 1), "What is sold at /buy/{operation}.") { Default = "none", Example = "[{ price: 20.00 USD, budget: 22.00 USD, valid: 90d }]" };

    private static readonly Key<Secret> SecretKey = new("secret-key", new SecretShape(), "Stripe's secret API key.") { Required = true, Example = "${env:STRIPE_SECRET_KEY}" };
    private static readonly Key<IReadOnlyList<Secret>> WebhookSecret = new("webhook-secret", new ListShape<Secret>(new SecretShape(), oneAlone: true, least: 1), "Signs what Stripe tells us at /webhooks/stripe; one, or a list while it is rolled.") { Required = true, Example = "${env:STRIPE_WEBHOOK_SECRET}" };
    private static readonly Key<Uri> Api = new("api", Shapes.Url, "Stripe's API; plain http only on loopback.") { Default = "https://api.stripe.com", Example = "https://api.stripe.com" };
    private static readonly Key<string> Account = new("account", AccountName, "The connected account that is charged directly and keeps the money.") { Default = "the key's own", Example = "acct_provider1" };
    private static readonly Key<string> Fee = new("application-fee", Percent, "The platform's share of each sale, taken once at purchase; needs an account.") { Default = "none", Example = "5%" };
    private static readonly Key<StripeCheckoutSettings> Stripe = new("stripe", new MapShape<StripeCheckoutSettings>([SecretKey, WebhookSecret, Api, Account, Fee], BuildStripe), "Sell bundles by Stripe Checkout.") { Required = true, Example = "{ secret-key: \"${env:STRIPE_SECRET_KEY}\", webhook-secret: \"${env:STRIPE_WEBHOOK_SECRET}\" }" };
    private static readonly Key<StripeCheckoutSettings> Checkout = new("checkout", new MapShape<StripeCheckoutSettings>([Stripe], m => m.Get(Stripe)), "Who takes the money for bundles.") { Default = "nobody", Example = "{ stripe: { secret-key: \"${env:STRIPE_SECRET_KEY}\", webhook-secret: \"${env:STRIPE_WEBHOOK_SECRET}\" } }" };

    private static readonly Key<Money> Monthly = new("monthly", Shapes.Money, "The most a buyer may agree to be charged for one token in a calendar month (UTC).") { Required = true, Example = "100.00 USD" };
    private static readonly Key<AutomaticTopUp> Automatic = new("automatic-top-up", new MapShape<AutomaticTopUp>([Monthly], m => new AutomaticTopUp(m.Get(Monthly))), "Offer buyers to have a token topped up by itself, by the card they pay with, within bounds they agree to.") { Default = "not offered", Example = "{ monthly: 100.00 USD }" };

    private static readonly Key<IReadOnlyList<Secret>> TokenSecret = new("secret", new ListShape<Secret>(new SecretShape(SigningBytes), oneAlone: true, least: 1), "Tokens are derived from their ids with it; at least 32 bytes; one, or a list, current first.") { Required = true, Example = "${env:TURNPIKE_TOKEN_SECRET}" };

    public static readonly Key<PrepaidSettings> Key = new("prepaid", new MapShape<PrepaidSettings>([TokenSecret, Bundles, Checkout, Automatic], Build), "Take prepaid tokens of our own, and sell them.") { Default = "not taken", Example = "{ secret: \"${env:TURNPIKE_TOKEN_SECRET}\" }" };

    private static PrepaidSettings? Build(MapValues m)
    {
        var (bundles, checkout) = (m.Get(Bundles, []), m.Get(Checkout));
        if (checkout is not null && bundles.Count == 0 && !m.IsWritten(Bundles)) { m.Of(Checkout).Refuse("a checkout needs bundles to sell"); return null; }
        var sound = true;
        foreach (var bundle in bundles)
            if (checkout is not null && StripeCurrencies.MinorOf(bundle.Price) is null) sound = m.At.Reading.PlaceOf(bundle, Price.Name).Refuse($"Stripe does not take {bundle.Price}: too little, too much, or a currency it does not know");
        var automatic = m.Get(Automatic);
        if (automatic is { Monthly: var monthly } && !bundles.Any(b => b.Price.Currency == monthly.Currency && b.Price <= monthly)) sound = m.Of(Automatic).Refuse(bundles.Count == 0 ? "needs bundles: what was bought is what is charged again" : $"no bundle costs {monthly} or less: nobody could agree to it");
        return sound ? new PrepaidSettings(m.Get(TokenSecret, [])) { Bundles = bundles, Checkout = checkout, Automatic = automatic } : null;
    }

    private static Bundle? BuildBundle(MapValues m)
    {
        var (price, budget) = (m.Get(Price), m.Get(Budget));
        if (price.Currency != budget.Currency) { m.Of(Budget).Refuse($"is in {budget.Currency}, the price in {price.Currency}"); return null; }
        return new Bundle(price, budget, m.IsWritten(Calls) ? m.Get(Calls) : null, m.IsWritten(Valid) ? m.Get(Valid) : null);
    }

    private static StripeCheckoutSettings? BuildStripe(MapValues m)
    {
        var api = m.Get(Api) ?? new Uri("https://api.stripe.com");
        // The secret key goes there in a header.
        if (api.Scheme == "http" && !api.IsLoopback) { m.Of(Api).Refuse("plain http is for a stand-in on loopback only; the secret key goes there"); return null; }
        var fee = m.Get(Fee) is { } percent ? Hundredths(percent)!.Value : 0;
        if (fee > 0 && !m.IsWritten(Account)) { m.Of(Fee).Refuse("a fee is taken from a sale of somebody else: name the account"); return null; }
        return new StripeCheckoutSettings(m.Get(SecretKey), m.Get(WebhookSecret, []), api, m.Get(Account), fee);
    }

    /// <summary>Hundredths of a percent; null when the text is no percentage up to 100%.</summary>
    public static int? Hundredths(string text)
    {
        if (!text.EndsWith('%') || text[..^1].Split('.') is not [var whole, .. { Length: <= 1 } rest]) return null;
        var decimals = rest.Length == 0 ? "" : rest[0];
        if (decimals.Length > 2 || rest.Length == 1 && decimals.Length == 0) return null;
        return int.TryParse(whole + decimals.PadRight(2, '0'), NumberStyles.None, CultureInfo.InvariantCulture, out var hundredths) && hundredths <= 10_000 ? hundredths : null;
    }
}
