namespace Turnpike.Admin;

/// <summary>Registers the operators' listener; it starts and stops with the gateway.</summary>
internal static class AdminSetup
{
    public static IServiceCollection AddAdmin(this IServiceCollection services)
    {
        services.AddSingleton<BooksGauges>().AddHostedService(s => s.GetRequiredService<BooksGauges>());
        return services.AddSingleton<AdminApp>().AddHostedService(s => s.GetRequiredService<AdminApp>());
    }
}
