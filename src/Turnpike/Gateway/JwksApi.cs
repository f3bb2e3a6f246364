using Turnpike.Audit;

namespace Turnpike.Gateway;

/// <summary><c>GET /.well-known/jwks.json</c>: the keys that verify what this installation signed.</summary>
internal static class JwksApi
{
    public static void MapJwks(this IEndpointRouteBuilder app) => app.MapGet("/.well-known/jwks.json", async (HttpContext http, InstallationKeys keys, CancellationToken ct) =>
    {
        http.Response.Headers.CacheControl = "public, max-age=300";
        Answers.AllowBrowsers(http);
        return Results.Bytes((await keys.PublishedAsync(ct)).ToJson(), "application/jwk-set+json");
    });
}
