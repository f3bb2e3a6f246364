namespace Turnpike.Audit;

/// <summary>Registers the audit trail; it needs the database and the installation's keys.</summary>
internal static class AuditSetup
{
    public static IServiceCollection AddAudit(this IServiceCollection services, Func<AuditSettings>? settings = null) => services
        .AddSingleton(settings ?? (static () => new AuditSettings()))
        .AddSingleton<AuditTrail>().AddSingleton<IAuditTrail>(provider => provider.GetRequiredService<AuditTrail>())
        .AddSingleton<AuditRounds>().AddHostedService(provider => provider.GetRequiredService<AuditRounds>());
}
