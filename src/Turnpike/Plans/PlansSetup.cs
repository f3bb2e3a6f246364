using Turnpike.Plans.Grants;

namespace Turnpike.Plans;

/// <summary>Registers plans, and what callers were granted.</summary>
internal static class PlansSetup
{
    public static IServiceCollection AddPlans(this IServiceCollection services) =>
        services.AddSingleton<Allowances>().AddSingleton<Arrears>().AddSingleton<GrantStore>().AddSingleton<GrantDesk>().AddHostedService<GrantExpiry>();
}
