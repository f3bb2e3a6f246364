using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Turnpike.Access;
using Turnpike.Access.Approvals;
using Turnpike.Catalog;
using Turnpike.Gateway.Doors;
using Turnpike.Gateway.Metered;
using Turnpike.Gateway.Own;
using Yarp.ReverseProxy.Forwarder;

namespace Turnpike.Gateway;

/// <summary>Registers the gate, and opens its door.</summary>
internal static class GatewaySetup
{
    /// <summary>MPP credentials of sponsored transactions come to several kilobytes; base64 in a header.</summary>
    private const int MostHeaders = 64 * 1024;

    /// <summary>
    /// A web server that takes nothing from its surroundings: no appsettings.json, no ASPNETCORE_* variables, and no watch over the
    /// working directory, which would wake this process for every write to a database below it.
    /// </summary>
    public static WebApplicationBuilder NewHost()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration();
        builder.Services.AddRoutingCore();
        return builder;
    }

    public static IServiceCollection AddGateway(this IServiceCollection services)
    {
        services.AddHttpForwarder();
        services.AddSingleton<UpstreamWatch>().AddHostedService(s => s.GetRequiredService<UpstreamWatch>());
        services.AddSingleton<Drain>().AddHostedService(s => s.GetRequiredService<Drain>());
        return services.AddSingleton<GateTransforms>().AddSingleton<Forwarder>().AddSingleton<Answers>().AddSingleton<Drains>();
    }

    /// <summary>Public paths first, then the gate for everything else.</summary>
    public static void UseGateway(this WebApplication app)
    {
        // Every service is there once: a scope for each request would be made and disposed for nothing.
        app.Use(next => http => { http.RequestServices = app.Services; return next(http); });
        app.UseMiddleware<Faults>();
        app.Use(next => http => http.RequestServices.GetRequiredService<Drain>().PassAsync(http, next));
        app.UseRouting();
        app.MapReceipts();
        app.MapBalance();
        app.MapApprovals();
        app.MapResourceMetadata();
        app.MapUsage();
        app.MapJwks();
        app.Use(next => http => { OpenWhere.Ask(http); return next(http); });
        app.UseWhen(http => http.GetEndpoint() is null, gate =>
        {
            gate.UseMiddleware<Pressure>();
            gate.UseMiddleware<Gate>();
            gate.Run(gate.ApplicationServices.GetRequiredService<Forwarder>().ForwardAsync);
        });
    }

    public static void ListenForCallers(this KestrelServerOptions kestrel, GatewaySettings gateway)
    {
        kestrel.AddServerHeader = false;
        kestrel.ResponseHeaderEncodingSelector = static _ => Encoding.Latin1; // as upstreams' are read: every byte goes out as it came
        kestrel.Limits.MaxRequestHeadersTotalSize = MostHeaders;
        kestrel.Limits.MaxRequestBodySize = null;
        Listen(kestrel, new Uri(gateway.Listen), options =>
        {
            if (gateway.Tls is { } tls) options.UseHttps(X509Certificate2.CreateFromPemFile(tls.Certificate, tls.Key));
        });
    }

    /// <summary>Binds to the address a URL names: an IP, <c>localhost</c>, or any for <c>*</c>, <c>+</c> and <c>0.0.0.0</c>.</summary>
    public static void Listen(KestrelServerOptions kestrel, Uri url, Action<ListenOptions> configure)
    {
        if (url.Host == "localhost") kestrel.ListenLocalhost(url.Port, configure);
        else if (IPAddress.TryParse(url.Host.Trim('[', ']'), out var address)) kestrel.Listen(address, url.Port, configure);
        else kestrel.ListenAnyIP(url.Port, configure);
    }
}
