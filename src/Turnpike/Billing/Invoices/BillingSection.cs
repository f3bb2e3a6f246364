using Turnpike.Billing.Owned;
using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Payments.Prepaid;
using Turnpike.Payments.Stripe;
using Turnpike.Plans;

namespace Turnpike.Billing.Invoices;

/// <summary>The <c>billing:</c> section.</summary>
internal static class BillingSection
{
    private static readonly Key<Secret> SecretKey = new("secret-key", new SecretShape(), "Stripe's secret API key; a restricted one needs to write customers, invoices, credit notes and the portal.") { Required = true, Example = "${env:STRIPE_SECRET_KEY}" };
    private static readonly Key<IReadOnlyList<Secret>> WebhookSecret = new("webhook-secret", new ListShape<Secret>(new SecretShape(), oneAlone: true, least: 1), "Signs what Stripe tells us at /webhooks/stripe; one, or a list while it is rolled.") { Required = true, Example = "${env:STRIPE_WEBHOOK_SECRET}" };
    private static readonly Key<Uri> Api = new("api", Shapes.Url, "Stripe's API; plain http only on loopback.") { Default = "https://api.stripe.com", Example = "https://api.stripe.com" };
    private static readonly Key<string> Account = new("account", PrepaidSection.AccountName, "The connected account that sends the invoices and keeps the money.") { Default = "the key's own", Example = "acct_provider1" };
    private static readonly Key<string> Fee = new("application-fee", PrepaidSection.Percent, "The platform's share of each invoice before tax; needs an account.") { Default = "none", Example = "5%" };
    private static readonly Key<bool> Tax = new("automatic-tax", Shapes.Flag, "Stripe Tax works out the tax from the customer's address.") { Default = "false", Example = "true" };
    private static readonly Key<bool> Collect = new("collect", new ChoiceShape<bool>(("send", false), ("charge", true)), "Send the invoice to be paid on Stripe's page, or charge what the customer has saved there.") { Default = "send", Example = "charge" };

    private static readonly Key<StripeBilling> Stripe = new("stripe", new MapShape<StripeBilling>([SecretKey, WebhookSecret, Api, Account, Fee, Tax, Collect], Build), "Send and collect invoices by Stripe.") { Default = "invoices are our own, and an operator says when they are paid", Example = "{ secret-key: \"${env:STRIPE_SECRET_KEY}\", webhook-secret: \"${env:STRIPE_WEBHOOK_SECRET}\", automatic-tax: true }" };
    private static readonly Key<IReadOnlyList<string>> From = new("from", new ListShape<string>(Shapes.Text, oneAlone: true, least: 1), "Who sends invoices, as it stands on our own: name, address, tax number; a line each.") { Default = "nobody is named", Example = "[Acme GmbH, \"Hauptstr. 1, 10115 Berlin\", \"VAT DE123456789\"]" };

    private static readonly Key<BillingSettings> Key = new("billing", new MapShape<BillingSettings>([From, Stripe], m => new BillingSettings(m.Get(Stripe), m.Get(From, []))), "How invoices of postpaid plans are sent and collected.") { Default = "our own invoices", Example = "{ from: [Acme GmbH] }" };

    public static readonly Section Section = new(Scope.Document, Key)
    {
        Check = Check,
        Tell = catalog => catalog.Settings.Get<BillingSettings>() is { } billing ? [billing.Stripe is { } stripe ? $"invoices by Stripe, {(stripe.Charges ? "charged" : "sent")}{(stripe.AutomaticTax ? ", with tax" : "")}{(stripe.Account is { } account ? $", from {account}" : "")}" : "our own invoices"] : [],
    };

    private static void Check(Draft draft)
    {
        if (InvoicesApi.IsOpen(draft.Settings))
            foreach (var service in draft.Services.Where(s => !s.Wrapped))
                foreach (var operation in service.Operations.Where(o => (service.Prefix + o.Path.Text) is var path && (path == InvoicesApi.Path || path.StartsWith(InvoicesApi.Path + "/", StringComparison.Ordinal))))
                    draft.At(operation, "match").Refuse($"'{operation.Method} {service.Prefix}{operation.Path}' clashes with our own {InvoicesApi.Path}, where callers of postpaid plans see what they owe");
        if (draft.Settings.Get<BillingSettings>()?.Stripe is null || draft.Settings.Get<PlanSettings>() is not { } plans) return;
        foreach (var plan in plans.Plans.Values)
            if (plan.Postpaid?.Fee is { } fee && StripeCurrencies.MinorOf(fee) is null) draft.At(plan.Postpaid, "fee").Refuse($"Stripe does not take {fee}: too little, too much, or a currency it does not know");
    }

    private static StripeBilling? Build(MapValues m)
    {
        var api = m.Get(Api) ?? new Uri("https://api.stripe.com");
        // The secret key goes there in a header.
        if (api.Scheme == "http" && !api.IsLoopback) { m.Of(Api).Refuse("plain http is for a stand-in on loopback only; the secret key goes there"); return null; }
        var fee = m.Get(Fee) is { } percent ? PrepaidSection.Hundredths(percent)!.Value : 0;
        if (fee > 0 && !m.IsWritten(Account)) { m.Of(Fee).Refuse("a fee is taken from an invoice of somebody else: name the account"); return null; }
        return new StripeBilling(m.Get(SecretKey)!, m.Get(WebhookSecret, []), api, m.Get(Account), fee, m.Get(Tax), m.Get(Collect));
    }
}
