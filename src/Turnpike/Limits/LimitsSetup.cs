using Turnpike.Limits.Breakers;
using Turnpike.Limits.Incidents;

namespace Turnpike.Limits;

/// <summary>Registers limits.</summary>
internal static class LimitsSetup
{
    public static IServiceCollection AddLimits(this IServiceCollection services) => services.AddSingleton<IncidentStore>().AddSingleton<IncidentBoard>().AddHostedService(s => s.GetRequiredService<IncidentBoard>())
            .AddSingleton<Notices.Notices>().AddHostedService(s => s.GetRequiredService<Notices.Notices>()).AddSingleton<RateCounters>().AddSingleton<CounterSet>().AddSingleton<BreakerBoard>().AddSingleton<RuleLimits>().AddSingleton<RateLimits>();
}
