namespace Turnpike.Pricing;

/// <summary>Registers pricing.</summary>
internal static class PricingSetup
{
    public static IServiceCollection AddPricing(this IServiceCollection services) => services.AddSingleton<OutsidePrices>().AddSingleton<PriceBook>();
}
