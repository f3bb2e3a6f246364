namespace Turnpike.Identity;

/// <summary>Registers identity.</summary>
internal static class IdentitySetup
{
    public static IServiceCollection AddIdentity(this IServiceCollection services)
    {
        services.AddSingleton<CallerStore>().AddSingleton<CallerDesk>();
        services.AddSingleton<KeyProof>().AddSingleton<ICallerProof>(s => s.GetRequiredService<KeyProof>());
        return services.AddSingleton<CallerDirectory>();
    }
}
