namespace Turnpike.Audit;

/// <summary>Registers the audit trail; it needs the database.</summary>
internal static class AuditSetup
{
    public static IServiceCollection AddAudit(this IServiceCollection services) =>
        services.AddSingleton<AuditTrail>().AddSingleton<IAuditTrail>(provider => provider.GetRequiredService<AuditTrail>());
}
