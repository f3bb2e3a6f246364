using Turnpike.Catalog;
using Turnpike.Payments.Evm;
using Turnpike.Payments.Mpp;
using Turnpike.Payments.Stripe;
using Turnpike.Payments.X402;

namespace Turnpike.Payments;

/// <summary>Registers the rails. They need <see cref="CurrentPayments"/>, <see cref="IVerifierLimit"/> and the database from others.</summary>
internal static class RailsSetup
{
    public static IServiceCollection AddRails(this IServiceCollection services)
    {
        services.AddSingleton<HttpClients>(static _ => GuardedHttp.Create);
        services.AddSingleton<RailTimings>();
        services.AddSingleton<RailCosts>();
        services.AddSingleton<IChainNonces, ChainNonceStore>();
        services.AddSingleton<EvmChains>();
        services.AddSingleton<AuthorizationRail>();
        services.AddSingleton<IPaymentMethod, ExactMethod>();
        services.AddSingleton<IPaymentMethod, EvmChargeMethod>();
        services.AddSingleton<IPaymentMethod, StripeMethod>();
        services.AddHostedService<ChainWatch>();
        return services;
    }
}
