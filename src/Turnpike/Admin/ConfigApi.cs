using Turnpike.Catalog.Loading;

namespace Turnpike.Admin;

/// <summary><c>/admin/v1/config</c>: what was understood of turnpike.yaml, as <c>turnpike check --json</c> tells it; secrets are counted, never shown.</summary>
internal static class ConfigApi
{
    public static void MapConfig(this IEndpointRouteBuilder api) =>
        api.MapGet("/config", (CatalogSource catalog) => TypedResults.Text(CheckCommand.Json(Language.Loader, new ConfigResult(catalog.Current, [], []) { File = "turnpike.yaml" }), "application/json"))
            .Produces(200, contentType: "application/json").WithTags("config").WithName("getConfig").WithSummary("The configuration in force, as it was understood");
}
