using Turnpike.Access.Rules;

namespace Turnpike.Access;

/// <summary>Registers access rules.</summary>
internal static class AccessSetup
{
    public static IServiceCollection AddAccess(this IServiceCollection services)
    {
        services.AddSingleton<IAccessRule, TransportRule>().AddSingleton<IAccessRule, CredentialRule>().AddSingleton<IAccessRule, ScopeRule>().AddSingleton<IAccessRule, SchemaRule>();
        return services.AddSingleton<AccessRules>();
    }
}
