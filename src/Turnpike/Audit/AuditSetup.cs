using Turnpike.Storage;
using Turnpike.Storage.Nodes;

namespace Turnpike.Audit;

/// <summary>Registers the audit trail; it needs the database and the installation's keys, and knows its chain by the node's name.</summary>
internal static class AuditSetup
{
    public static IServiceCollection AddAudit(this IServiceCollection services, Func<AuditSettings>? settings = null) => services.AddNodes()
        .AddSingleton(settings ?? (static () => new AuditSettings()))
        .AddSingleton(s => new AuditTrail(s.GetRequiredService<Database>(), s.GetRequiredService<TimeProvider>(), s.GetRequiredService<NodeLease>().Node))
        .AddSingleton<IAuditTrail>(provider => provider.GetRequiredService<AuditTrail>())
        .AddSingleton<AuditRounds>().AddHostedService(provider => provider.GetRequiredService<AuditRounds>());
}
