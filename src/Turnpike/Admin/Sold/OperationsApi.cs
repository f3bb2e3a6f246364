using Microsoft.AspNetCore.Http.HttpResults;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Discovery;

namespace Turnpike.Admin.Sold;

/// <summary>One thing that is sold.</summary>
/// <param name="Path">Below prefix and wrap, as callers call it; names in braces.</param>
/// <param name="Price">In words.</param>
/// <param name="Identity">optional, required or upstream.</param>
/// <param name="Settle">after or before.</param>
internal sealed record OperationView(string Name, string Service, IReadOnlyList<string> Methods, string Path, string? Description, string Price, string Identity, string Settle, IReadOnlyList<string> Accept, string ManagedBy);

/// <summary>What is sold, by name.</summary>
internal sealed record OperationList(IReadOnlyList<OperationView> Operations);

/// <summary>An upstream and what it sells.</summary>
internal sealed record ServiceView(string Name, string? Description, string? Host, string Prefix, IReadOnlyList<string> Upstreams, IReadOnlyList<string> Operations, string ManagedBy);

/// <summary>The upstreams, by name.</summary>
internal sealed record ServiceList(IReadOnlyList<ServiceView> Services);

/// <summary><c>/admin/v1/services</c> and <c>/operations</c>: what turnpike.yaml sells, as it was understood. It belongs to the file.</summary>
internal static class OperationsApi
{
    public static void MapOperations(this IEndpointRouteBuilder api)
    {
        var services = api.MapGroup("/services").WithTags("services");
        services.MapGet("", (CatalogSource catalog) => TypedResults.Ok(new ServiceList([.. catalog.Current.Services.OrderBy(s => s.Name, StringComparer.Ordinal).Select(View)])))
            .WithName("listServices").WithSummary("The upstreams, and what they sell");
        services.MapGet("/{name}", Results<Ok<ServiceView>, ProblemHttpResult> (string name, CatalogSource catalog) =>
            catalog.Current.Services.FirstOrDefault(s => s.Name == name) is { } service ? TypedResults.Ok(View(service)) : AdminProblem.NotFound("service")).ProducesProblem(404).WithName("getService").WithSummary("One upstream");
        var operations = api.MapGroup("/operations").WithTags("operations");
        operations.MapGet("", (CatalogSource catalog) => TypedResults.Ok(new OperationList([.. catalog.Current.Operations.Values.OrderBy(o => o.Name, StringComparer.Ordinal).Select(o => View(catalog.Current, o))])))
            .WithName("listOperations").WithSummary("What is sold, and at what price");
        operations.MapGet("/{name}", Results<Ok<OperationView>, ProblemHttpResult> (string name, CatalogSource catalog) =>
            catalog.Current.Operations.TryGetValue(name, out var operation) ? TypedResults.Ok(View(catalog.Current, operation)) : AdminProblem.NotFound("operation")).ProducesProblem(404).WithName("getOperation").WithSummary("One thing that is sold");
    }

    private static ServiceView View(Service service) =>
        new(service.Name, service.Description, service.Host, service.Prefix, [.. service.Upstream.Targets.Select(t => t.Url.GetLeftPart(UriPartial.Authority))], [.. service.Operations.Select(o => o.Name).Order(StringComparer.Ordinal)], "file");

    private static OperationView View(ServiceCatalog catalog, Operation operation)
    {
        var sold = new SoldOperation(catalog.ServiceOf(operation), operation, []);
        return new(operation.Name, operation.Service, sold.Methods, sold.Path, operation.Description, sold.Told, operation.Identity.ToString().ToLowerInvariant(), operation.Settle.ToString().ToLowerInvariant(), operation.Accept, "file");
    }
}
