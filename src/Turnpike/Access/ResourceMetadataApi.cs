using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Identity;

namespace Turnpike.Access;

/// <summary><c>GET /.well-known/oauth-protected-resource</c>: where tokens for this service come from, and what they may ask for (RFC 9728).</summary>
internal static class ResourceMetadataApi
{
    public const string Path = "/.well-known/oauth-protected-resource";

    public static void MapResourceMetadata(this IEndpointRouteBuilder app) => app.MapGet(Path, (HttpContext http, CatalogSource catalog) =>
    {
        var now = catalog.Current;
        if (!IsTold(now)) return Results.NotFound();
        http.Response.Headers.AccessControlAllowOrigin = "*";
        http.Response.Headers.CacheControl = "public, max-age=300";
        return Results.Bytes(Write(now), "application/json");
    });

    /// <summary>True where there is somebody to get tokens from.</summary>
    public static bool IsTold(ServiceCatalog catalog) => catalog.Settings.Get<IdentitySettings>()?.AuthorizationServers.Count > 0;

    private static byte[] Write(ServiceCatalog catalog)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("resource", catalog.Gateway.Url.GetLeftPart(UriPartial.Authority));
            Strings(json, "authorization_servers", catalog.Settings.Get<IdentitySettings>()!.AuthorizationServers.Select(s => s.OriginalString.TrimEnd('/')));
            Strings(json, "bearer_methods_supported", ["header"]);
            Strings(json, "scopes_supported", catalog.Operations.Values.SelectMany(o => o.Settings.Get<Rules.ScopeList>()?.All ?? []).Distinct().Order(StringComparer.Ordinal));
            json.WriteEndObject();
        }
        return buffer.ToArray();
    }

    private static void Strings(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values) json.WriteStringValue(value);
        json.WriteEndArray();
    }
}
