using System.Text;
using Turnpike.Catalog;

namespace Turnpike.Discovery;

/// <summary><c>/llms.txt</c> (llmstxt.org): the same for those who read.</summary>
internal static class LlmsDocument
{
    public static byte[] Write(ServiceCatalog catalog, IReadOnlyList<SoldOperation> sold)
    {
        var origin = catalog.Gateway.Url.GetLeftPart(UriPartial.Authority);
        var text = new StringBuilder();
        text.Append($"# {catalog.Gateway.Url.Host}\n\n");
        text.Append("> An API that is paid per call, without an account. Call it; if something is owed, the answer is 402 and says the price and every way to pay. Pay and send the same request again with the proof.\n\n");
        text.Append("## How to pay\n\n");
        foreach (var way in sold.SelectMany(o => o.Offers).DistinctBy(o => o.Method))
            text.Append($"- {way.Protocol}, `{way.Method}`: send {way.Send.Format} in `{way.Send.Header}`{(way.Url is null ? "" : $"; tokens are sold at {origin}/buy/OPERATION")}.\n");
        text.Append("- `Turnpike-Max-Price: 0.05 USD` on a request keeps its price below that.\n");
        text.Append("- A refusal is `application/problem+json`: `reason` is stable, `hint` says what to do, `correlation` finds it again.\n");
        text.Append("- Nothing is charged for an answer that was not delivered; the same proof works again then.\n\n");
        text.Append("## Operations\n\n");
        foreach (var operation in sold)
            text.Append($"- `{string.Join('|', operation.Methods)} {operation.Path}` ({operation.Operation.Name}): {Line(operation.Operation.Description)}{operation.Told}{(operation.Operation.Identity == IdentityRule.Required ? "; a key is needed" : "")}.\n");
        text.Append("\n## More\n\n");
        text.Append($"- [OpenAPI with prices]({origin}/openapi.json)\n- [Keys that sign receipts]({origin}/.well-known/jwks.json)\n");
        text.Append($"- `GET {origin}/balance` and `GET {origin}/usage` with your token: what is left, and what was used.\n");
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static string Line(string? description) => description is null ? "" : description.ReplaceLineEndings(" ").TrimEnd(' ', '.') + ". ";
}
