using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Turnpike.Storage.Nodes;

/// <summary>Registers what a process is among others; by itself it is alone.</summary>
internal static class NodesSetup
{
    public static IServiceCollection AddNodes(this IServiceCollection services)
    {
        services.TryAddSingleton(_ => NodeLease.Alone());
        services.TryAddSingleton<Revisions>();
        return services;
    }

    /// <summary>One of several: it keeps its lease, and hears what others change. To be registered before all that works under the lease, so that it stops after them.</summary>
    public static IServiceCollection AddNode(this IServiceCollection services, NodeLease lease, Func<string> catalog)
    {
        services.AddSingleton(lease).AddNodes();
        services.AddHostedService(s => ActivatorUtilities.CreateInstance<NodeKeeper>(s, lease, catalog));
        return services.AddHostedService(s => s.GetRequiredService<Revisions>());
    }
}
