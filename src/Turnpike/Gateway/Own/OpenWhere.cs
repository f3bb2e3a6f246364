using Turnpike.Catalog;
using Turnpike.Catalog.Loading;

namespace Turnpike.Gateway.Own;

/// <summary>On a public path of ours: it is there while the catalog says so; else the path is an operation's, or nobody's.</summary>
internal sealed record OpenWhere(Func<ServiceCatalog, bool> Holds)
{
    public static void Ask(HttpContext http)
    {
        if (http.GetEndpoint()?.Metadata.GetMetadata<OpenWhere>() is { } where && !where.Holds(http.RequestServices.GetRequiredService<CatalogSource>().Current)) http.SetEndpoint(null);
    }
}
