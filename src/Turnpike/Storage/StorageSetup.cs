using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Turnpike.Storage;

/// <summary>Registers the database. It opens when it is first asked for and closes, drained, with the host.</summary>
internal static class StorageSetup
{
    public static IServiceCollection AddStorage(this IServiceCollection services, StorageOptions options)
    {
        services.TryAddSingleton(TimeProvider.System);
        return services.AddSingleton(provider => Database.Open(options, provider.GetRequiredService<TimeProvider>()));
    }
}
