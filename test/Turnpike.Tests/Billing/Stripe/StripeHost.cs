using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Turnpike.Gateway;

namespace Turnpike.Tests.Billing.Stripe;

/// <summary>The double on a loopback port, for a gateway that listens on one itself.</summary>
internal sealed class StripeHost : IAsyncDisposable
{
    private readonly WebApplication app;

    private StripeHost(WebApplication app) => this.app = app;

    public string Url => app.Urls.Single();

    public static async Task<StripeHost> StartAsync(StripeDouble stripe)
    {
        var builder = GatewaySetup.NewHost();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.MapFallback(async (HttpContext http) =>
        {
            using var reader = new StreamReader(http.Request.Body);
            var reply = stripe.Answer(http.Request.Method, http.Request.Path + http.Request.QueryString, name => http.Request.Headers.TryGetValue(name, out var value) ? value.ToString() : null, await reader.ReadToEndAsync());
            if (reply.Status == 0) { http.Abort(); return; }
            http.Response.StatusCode = reply.Status;
            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync(reply.Body);
        });
        await app.StartAsync();
        return new StripeHost(app);
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
    }
}
