using System.Globalization;
using Turnpike.Billing.Invoices;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Payments.Stripe;

namespace Turnpike.Billing.Statements;

/// <summary>Writes the owner's statement: the books' own sums, and beside them what Stripe says it kept and paid out.</summary>
internal sealed class StatementDesk(BookStore books, StripeCalls stripe, CatalogSource catalog)
{
    private const int MostPages = 50;

    public async ValueTask<Statement> WriteAsync(DateTimeOffset from, DateTimeOffset to, CancellationToken ct) => Statement.Of(from, to,
        await books.FlowsAsync(from, to, ct), await books.ExpensesAsync(from, to, ct), await books.ExpiredAsync(to, ct), await ToldAsync(from, to, ct));

    private async ValueTask<IReadOnlyDictionary<(string, string), (Money Fees, Money PaidOut)>> ToldAsync(DateTimeOffset from, DateTimeOffset to, CancellationToken ct)
    {
        Dictionary<(string, string), (Money Fees, Money PaidOut)> told = [];
        if (Access is not { } access) return told;
        string? after = null;
        for (var page = 0; page < MostPages; page++)
        {
            var said = await stripe.GetAsync(access, string.Create(CultureInfo.InvariantCulture, $"v1/balance_transactions?limit=100&created[gte]={from.ToUnixTimeSeconds()}&created[lt]={to.ToUnixTimeSeconds()}{(after is null ? "" : "&starting_after=" + Uri.EscapeDataString(after))}"), ct);
            if (!said.IsGood) return new Dictionary<(string, string), (Money, Money)>(); // half a list would be a wrong sum
            foreach (var one in said.Data)
            {
                after = one["id"];
                if (one["currency"]?.ToUpperInvariant() is not { } currency || one.Number("amount") is not { } amount) continue;
                var (fees, paidOut) = told.GetValueOrDefault(("stripe", currency), (Money.Zero(currency), Money.Zero(currency)));
                told[("stripe", currency)] = (fees + StripeCurrencies.OfMinor(one.Number("fee") ?? 0, currency), one["type"] == "payout" ? paidOut + StripeCurrencies.OfMinor(-amount, currency) : paidOut);
            }
            if (said.Body!.Value.TryGetProperty("has_more", out var more) && more.ValueKind == System.Text.Json.JsonValueKind.True && after is not null) continue;
            return told;
        }
        return new Dictionary<(string, string), (Money, Money)>();
    }

    private StripeAccess? Access => catalog.Current.Settings.Get<BillingSettings>()?.Stripe is { } billing ? StripeInvoicer.AccessOf(billing)
        : catalog.Current.Settings.Get<PaymentSettings>()?.Prepaid?.Checkout is { } checkout ? StripeAccess.Of(checkout) : null;
}
