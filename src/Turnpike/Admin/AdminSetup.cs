using Turnpike.Admin.Data;

namespace Turnpike.Admin;

/// <summary>Registers the operators' listener; it starts and stops with the gateway.</summary>
internal static class AdminSetup
{
    public static IServiceCollection AddAdmin(this IServiceCollection services)
    {
        services.AddSingleton<BooksGauges>().AddHostedService(s => s.GetRequiredService<BooksGauges>());
        services.AddSingleton<DataDesk>().AddSingleton<TrailRetention>().AddSingleton<Housekeeping>().AddHostedService(s => s.GetRequiredService<Housekeeping>());
        return services.AddSingleton<AdminApp>().AddHostedService(s => s.GetRequiredService<AdminApp>());
    }
}
