namespace Turnpike.Billing;

/// <summary>Registers what is sold.</summary>
internal static class BillingSetup
{
    public static IServiceCollection AddBilling(this IServiceCollection services) =>
        services.AddSingleton<PurchaseStore>().AddSingleton<StripeCheckout>().AddSingleton<TokenSale>().AddSingleton<SandboxCheckout>().AddSingleton<Leaks.GithubKeys>().AddSingleton<Leaks.LeakedCredentials>();
}
