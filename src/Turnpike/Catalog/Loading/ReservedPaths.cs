namespace Turnpike.Catalog.Loading;

/// <summary>The paths that are ours on the callers' listener; no operation may sell them.</summary>
internal static class ReservedPaths
{
    private static readonly string[] Exact = ["/openapi.json", "/llms.txt", "/balance", "/usage", "/mcp", "/tokens/exchange", "/tokens/transfer", "/tokens/automatic-top-up"];
    private static readonly string[] Below = ["/.well-known/", "/receipts/", "/mcp/", "/buy/", "/g/", "/facilitator/", "/webhooks/", "/approvals/"];

    /// <summary>The path of ours that this pattern names, or null. A pattern that merely covers one ({**rest}) leaves it to us.</summary>
    public static string? ClashOf(string pattern) =>
        Exact.FirstOrDefault(own => pattern == own) ?? Below.Where(own => pattern.StartsWith(own, StringComparison.Ordinal)).Select(own => own + "…").FirstOrDefault();
}
