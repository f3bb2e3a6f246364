using Turnpike.Access.Approvals;
using Turnpike.Access.Asking;
using Turnpike.Access.Lists;
using Turnpike.Access.Rules;

namespace Turnpike.Access;

/// <summary>Registers access rules.</summary>
internal static class AccessSetup
{
    public static IServiceCollection AddAccess(this IServiceCollection services)
    {
        services.AddSingleton<IncidentRule>().AddSingleton<IAccessRule>(s => s.GetRequiredService<IncidentRule>()).AddSingleton<IAccessRule, LoopRule>().AddSingleton<UpstreamRule>().AddSingleton<IAccessRule>(s => s.GetRequiredService<UpstreamRule>()).AddSingleton<IAccessRule, SpendingRule>().AddSingleton<IAccessRule, TransportRule>().AddSingleton<BreakerRule>().AddSingleton<IAccessRule>(s => s.GetRequiredService<BreakerRule>()).AddSingleton<Shadows>().AddSingleton<ListRule>().AddSingleton<IAccessRule>(s => s.GetRequiredService<ListRule>()).AddSingleton<IAccessRule, BoundTokenRule>().AddSingleton<IAccessRule, CredentialRule>().AddSingleton<IAccessRule, AssuranceRule>().AddSingleton<IAccessRule, ScopeRule>().AddSingleton<IAccessRule, EntitlementRule>().AddSingleton<IAccessRule, SchemaRule>();
        return services.AddSingleton<ApprovalStore>().AddSingleton<ApprovalDesk>().AddSingleton<PayerHistoryStore>().AddSingleton<FirstPayments>().AddSingleton<OutsideDecisions>().AddSingleton<AccessRules>();
    }
}
