namespace Turnpike.Access;

/// <summary>Registers access rules.</summary>
internal static class AccessSetup
{
    public static IServiceCollection AddAccess(this IServiceCollection services) => services.AddSingleton<AccessRules>();
}
