using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Limits;
using Turnpike.Payments.Buying;
using Turnpike.Payments.Costs;
using Turnpike.Payments.Doubts;
using Turnpike.Payments.Evm;
using Turnpike.Payments.Included;
using Turnpike.Payments.Mpp;
using Turnpike.Payments.Prepaid;
using Turnpike.Payments.Refunds;
using Turnpike.Payments.Retries;
using Turnpike.Payments.Stripe;
using Turnpike.Payments.Warnings;
using Turnpike.Payments.X402;
using Turnpike.Pricing;
using Turnpike.Storage;

namespace Turnpike.Payments;

/// <summary>Registers the cashier, the settler and every protocol; the order of protocols is the order of challenges.</summary>
internal static class PaymentsSetup
{
    public static IServiceCollection AddPayments(this IServiceCollection services)
    {
        services.AddSingleton<CurrentPayments>(s => () => s.GetRequiredService<CatalogSource>().Current.Settings.Get<PaymentSettings>());
        services.AddSingleton<IVerifierLimit, VerifierLimit>();
        services.AddSingleton<InstallationStore>().AddSingleton<AnswerStore>().AddSingleton<RetryKeyStore>().AddSingleton<RetryKeys>();
        services.AddSingleton<IPaymentProtocol, X402Protocol>();
        services.AddSingleton<IPaymentProtocol, MppProtocol>();
        services.AddSingleton<IPaymentProtocol, PrepaidProtocol>();
        services.AddSingleton<PlanMethod>().AddSingleton<IPaymentMethod, PlanMethod>().AddSingleton<IPaymentMethod, PostpaidMethod>();
        services.AddSingleton<IPaymentMethod, PrepaidMethod>();
        services.AddSingleton<BalanceMethod>().AddSingleton<IPaymentMethod, BalanceMethod>();
        services.AddSingleton<HttpClients>(static _ => GuardedHttp.Create);
        services.AddSingleton(Random.Shared).AddSingleton<RailTimings>().AddSingleton<RailCosts>();
        services.AddSingleton<IChainNonces, ChainNonceStore>().AddSingleton<EvmChains>().AddSingleton<AuthorizationRail>();
        services.AddSingleton<IPaymentMethod, ExactMethod>();
        services.AddSingleton<IPaymentMethod, EvmChargeMethod>();
        services.AddSingleton<IPaymentMethod, StripeMethod>();
        services.AddSingleton<IRefundRail, StripeRefunds>().AddSingleton<IRefundRail, AuthorizationRefunds>().AddSingleton<CashierReturns>().AddSingleton<CashierReversals>();
        services.AddSingleton<Wallets>().AddSingleton<UpstreamTerms>().AddSingleton<UpstreamCost>(s => s.GetRequiredService<UpstreamTerms>().CostAsync).AddSingleton<CashierPurchases>();
        services.AddHostedService<ChainWatch>();
        services.AddSingleton<SpendWarnings>().AddHostedService(s => s.GetRequiredService<SpendWarnings>());
        services.AddSingleton<PaymentRegistry>().AddSingleton<PaymentReplies>().AddSingleton<InHand>().AddSingleton<Sessions.SessionPasses>().AddSingleton<Metered.PeriodCount>().AddSingleton<Cashier>().AddSingleton<Settler>();
        return services.AddHostedService(s => s.GetRequiredService<Settler>());
    }
}

/// <summary>The limit on outside verifiers, as the document in force has it.</summary>
internal sealed class VerifierLimit(RateLimits limits, CatalogSource catalog) : IVerifierLimit
{
    public bool TryAcquire(out TimeSpan retryAfter) => limits.TryTakeVerifier(catalog.Current.Settings.Get<LimitSettings>(), out retryAfter);
}
