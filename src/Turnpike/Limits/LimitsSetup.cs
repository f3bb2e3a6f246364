namespace Turnpike.Limits;

/// <summary>Registers limits.</summary>
internal static class LimitsSetup
{
    public static IServiceCollection AddLimits(this IServiceCollection services) => services.AddSingleton<RateCounters>().AddSingleton<CounterSet>().AddSingleton<RuleLimits>().AddSingleton<RateLimits>();
}
