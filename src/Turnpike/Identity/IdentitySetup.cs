using Turnpike.Identity.OAuth;

namespace Turnpike.Identity;

/// <summary>Registers identity.</summary>
internal static class IdentitySetup
{
    public static IServiceCollection AddIdentity(this IServiceCollection services)
    {
        services.AddSingleton<CallerStore>().AddSingleton<CallerDesk>();
        services.AddSingleton<TokenPrincipals>();
        services.AddSingleton<ICallerProof, JwtProof>();
        services.AddSingleton<KeyProof>().AddSingleton<ICallerProof>(s => s.GetRequiredService<KeyProof>());
        services.AddSingleton<ICallerProof, IntrospectionProof>();
        return services.AddSingleton<CallerDirectory>();
    }
}
