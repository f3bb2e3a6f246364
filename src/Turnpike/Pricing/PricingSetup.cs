namespace Turnpike.Pricing;

/// <summary>Registers pricing.</summary>
internal static class PricingSetup
{
    public static IServiceCollection AddPricing(this IServiceCollection services) => services.AddSingleton<Periods.PeriodStore>().AddSingleton<Periods.PriceTableStore>().AddSingleton<OutsidePrices>().AddSingleton<PriceBook>();
}
