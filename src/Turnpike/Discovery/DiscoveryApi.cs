using Turnpike.Gateway;

namespace Turnpike.Discovery;

/// <summary>
/// <c>GET /openapi.json</c>, <c>/llms.txt</c> and <c>/.well-known/x402</c>: what is sold, told before anybody calls it. The 402 of a
/// call is what counts.
/// </summary>
internal static class DiscoveryApi
{
    public static void MapDiscovery(this IEndpointRouteBuilder app)
    {
        app.MapGet("/openapi.json", (HttpContext http, Showcase showcase) => Told(http, showcase.Of(http.HostName()).OpenApi, "application/json"));
        app.MapGet("/llms.txt", (HttpContext http, Showcase showcase) => Told(http, showcase.Of(http.HostName()).Llms, "text/plain; charset=utf-8"));
        app.MapGet("/.well-known/x402", (HttpContext http, Showcase showcase) => Told(http, showcase.Of(http.HostName()).X402, "application/json"));
    }

    private static IResult Told(HttpContext http, byte[] document, string type)
    {
        http.Response.Headers.CacheControl = "public, max-age=300";
        Answers.AllowBrowsers(http);
        return Results.Bytes(document, type);
    }
}
