using System.Text.Json;
using System.Text.Json.Nodes;
using Turnpike.Admin.Nodes;
using Turnpike.Catalog.Loading;
using Turnpike.Storage;
using Turnpike.Storage.Nodes;

namespace Turnpike.Admin;

/// <summary>
/// <c>/admin/v1/config</c>: what was understood of turnpike.yaml, as <c>turnpike check --json</c> tells it, and which configuration is
/// in force on which node; secrets are counted, never shown.
/// </summary>
internal static class ConfigApi
{
    public static void MapConfig(this IEndpointRouteBuilder api) =>
        api.MapGet("/config", async (CatalogSource catalog, NodeLease lease, CancellationToken ct) =>
            {
                var config = JsonNode.Parse(CheckCommand.Json(Language.Loader, new ConfigResult(catalog.Current, [], []) { File = "turnpike.yaml" }))!.AsObject();
                config["nodes"] = await NodesAsync(lease, ct);
                return TypedResults.Text(config.ToJsonString(AdminJson.Readable.Options), "application/json");
            })
            .Produces(200, contentType: "application/json").WithTags("config").WithName("getConfig").WithSummary("The configuration in force, as it was understood, and the nodes it is in force on");

    private static async Task<JsonNode?> NodesAsync(NodeLease lease, CancellationToken ct)
    {
        try { return JsonSerializer.SerializeToNode(await NodeView.AllAsync(lease, ct), AdminJson.Default.IReadOnlyListNodeView); }
        catch (StorageException) { return null; } // the configuration is told without the database, too
    }
}
