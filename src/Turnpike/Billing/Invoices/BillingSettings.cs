using Turnpike.Catalog;

namespace Turnpike.Billing.Invoices;

/// <summary>The <c>billing:</c> section: who sends invoices, and who collects them.</summary>
/// <param name="Stripe">Null: invoices are our own, and an operator says when they are paid.</param>
/// <param name="From">Who sends them, as it stands on them; a line each.</param>
internal sealed record BillingSettings(StripeBilling? Stripe, IReadOnlyList<string> From);

/// <summary><c>billing.stripe</c>.</summary>
/// <param name="Account">The connected account that sends and keeps the money; null: the key's own.</param>
/// <param name="Fee">The platform's share of each invoice, in hundredths of a percent.</param>
/// <param name="AutomaticTax">Stripe works out the tax.</param>
/// <param name="Charges">What the customer has saved is charged; else the invoice is sent.</param>
internal sealed record StripeBilling(Secret SecretKey, IReadOnlyList<Secret> WebhookSecrets, Uri Api, string? Account, int Fee, bool AutomaticTax, bool Charges);
