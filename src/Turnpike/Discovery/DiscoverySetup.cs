namespace Turnpike.Discovery;

/// <summary>Registers what tells agents what is sold here.</summary>
internal static class DiscoverySetup
{
    public static IServiceCollection AddDiscovery(this IServiceCollection services) => services.AddSingleton<Showcase>();
}
