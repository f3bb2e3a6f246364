using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Turnpike.Gateway;

namespace Turnpike.Bench;

/// <summary>The processes a gateway is measured against: the upstream both proxies share, and YARP with nothing around it.</summary>
internal static class Bystanders
{
    public const string UpstreamVerb = "upstream", ProxyVerb = "yarp";

    private static readonly byte[] Forecast = """{"city":"paris","days":[{"high":21,"low":12},{"high":23,"low":13},{"high":19,"low":11},{"high":18,"low":9},{"high":20,"low":10},{"high":22,"low":12},{"high":24,"low":14}]}"""u8.ToArray();

    /// <summary>A forecast API that costs next to nothing.</summary>
    public static async Task<int> UpstreamAsync(int port)
    {
        await using var app = Build(port, static _ => { });
        app.Run(static async http =>
        {
            http.Response.ContentType = "application/json";
            http.Response.ContentLength = Forecast.Length;
            await http.Response.Body.WriteAsync(Forecast);
        });
        await app.RunAsync();
        return 0;
    }

    /// <summary>Everything goes to one upstream, by YARP's direct forwarding with its default transformer.</summary>
    public static async Task<int> ProxyAsync(int port, Uri upstream)
    {
        await using var app = Build(port, static services => services.AddRouting().AddHttpForwarder());
        app.MapForwarder("/{**rest}", upstream.GetLeftPart(UriPartial.Authority));
        await app.RunAsync();
        return 0;
    }

    private static WebApplication Build(int port, Action<IServiceCollection> add)
    {
        var builder = GatewaySetup.NewHost();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => { kestrel.AddServerHeader = false; kestrel.ListenLocalhost(port); });
        add(builder.Services);
        return builder.Build();
    }
}
