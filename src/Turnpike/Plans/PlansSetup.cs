namespace Turnpike.Plans;

/// <summary>Registers plans.</summary>
internal static class PlansSetup
{
    public static IServiceCollection AddPlans(this IServiceCollection services) => services.AddSingleton<Allowances>().AddSingleton<Arrears>();
}
