using Turnpike.Limits.Breakers;
using Turnpike.Limits.Incidents;
using Turnpike.Limits.Shared;

namespace Turnpike.Limits;

/// <summary>Registers limits.</summary>
internal static class LimitsSetup
{
    public static IServiceCollection AddLimits(this IServiceCollection services) => services.AddSingleton<IncidentStore>().AddSingleton<IncidentBoard>().AddHostedService(s => s.GetRequiredService<IncidentBoard>())
            .AddSingleton<Notices.NoticeStore>().AddSingleton<Notices.Notices>().AddHostedService(s => s.GetRequiredService<Notices.Notices>())
            .AddSingleton<Upstreams.UpstreamBoard>().AddSingleton<Upstreams.UpstreamQueues>().AddSingleton<RateCounters>().AddSingleton<CounterSet>().AddSingleton<BreakerStore>().AddSingleton<BreakerEvidence>().AddSingleton<BreakerBoard>().AddHostedService(s => s.GetRequiredService<BreakerBoard>())
            .AddSingleton<RateExchange>().AddHostedService(s => s.GetRequiredService<RateExchange>()).AddSingleton<RuleLimits>().AddSingleton<Pricing.UseCounted>(_ => RuleLimits.CountsUse).AddSingleton<RateLimits>();
}
