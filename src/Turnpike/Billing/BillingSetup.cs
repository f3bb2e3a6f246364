using Turnpike.Billing.Export;
using Turnpike.Billing.Invoices;
using Turnpike.Catalog.Loading;
using Turnpike.Metering;

namespace Turnpike.Billing;

/// <summary>Registers what is sold, and who is told of what was used.</summary>
internal static class BillingSetup
{
    public static IServiceCollection AddBilling(this IServiceCollection services)
    {
        services.AddSingleton<PurchaseStore>().AddSingleton<StripeCheckout>().AddSingleton<TokenSale>().AddSingleton<SandboxCheckout>().AddSingleton<Leaks.GithubKeys>().AddSingleton<Leaks.LeakedCredentials>();
        services.AddSingleton<UsageExports>(s => { var catalog = s.GetRequiredService<CatalogSource>(); return () => catalog.Current.Settings.Get<ExportSettings>()?.Names ?? []; });
        services.AddSingleton<UnbilledStore>().AddSingleton<PlanSpanStore>().AddSingleton<InvoiceStore>().AddSingleton<CustomerStore>().AddSingleton<StripeCalls>();
        services.AddSingleton<Disputes.TokenReclaim>().AddSingleton<Disputes.ChargeStore>().AddSingleton<Disputes.ChargeDesk>().AddSingleton<Disputes.DisputeStore>().AddSingleton<Disputes.DisputeDesk>().AddSingleton<StripeInbox>().AddSingleton<PurchaseRefunds>().AddSingleton<SaleRefunds>().AddSingleton<InvoiceMaker>().AddSingleton<InvoiceDesk>().AddSingleton<StripeInvoicer>().AddSingleton<Owned.PortalDesk>().AddSingleton<Biller>().AddHostedService(s => s.GetRequiredService<Biller>());
        services.AddSingleton<Statements.BookStore>().AddSingleton<Statements.StatementDesk>();
        services.AddSingleton<Automatic.MandateStore>().AddSingleton<Automatic.CardCharges>().AddSingleton<Automatic.TopUps>().AddSingleton<Automatic.TopUpView>().AddHostedService<Automatic.TopUpRounds>();
        services.AddSingleton<OutboxStore>().AddSingleton<UsageExporter>();
        return services.AddHostedService<SaleRounds>().AddHostedService(s => s.GetRequiredService<UsageExporter>());
    }
}
