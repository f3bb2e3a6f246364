using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using Turnpike.Gateway;

namespace Turnpike.EndToEnd.Harness;

/// <summary>A small web server in this process, on a free loopback port.</summary>
internal sealed class LoopbackHost : IAsyncDisposable
{
    private readonly WebApplication app;

    private LoopbackHost(WebApplication app) => this.app = app;

    public Uri Url => new(app.Urls.Single());

    public static async Task<LoopbackHost> StartAsync(Action<WebApplication> routes)
    {
        var builder = GatewaySetup.NewHost();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        routes(app);
        await app.StartAsync();
        return new LoopbackHost(app);
    }

    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await app.StopAsync(limit.Token);
        await app.DisposeAsync();
    }
}
