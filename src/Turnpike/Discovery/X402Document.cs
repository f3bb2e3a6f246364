using System.Buffers;
using System.Text.Json;
using Turnpike.Catalog;

namespace Turnpike.Discovery;

/// <summary>
/// <c>/.well-known/x402</c> as directories read it: <c>{version: 1, resources: ["GET https://…"], instructions}</c>. Resources with
/// names in their path stand there with the names.
/// </summary>
internal static class X402Document
{
    public static byte[] Write(ServiceCatalog catalog, IReadOnlyList<SoldOperation> sold)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        var origin = catalog.Gateway.Url.GetLeftPart(UriPartial.Authority);
        using (var json = new Utf8JsonWriter(buffer, OpenApiDocument.Plain))
        {
            json.WriteStartObject();
            json.WriteNumber("version", 1);
            json.WriteStartArray("resources");
            foreach (var operation in sold.Where(o => o.Offers.Any(offer => offer.Protocol == "x402")))
                foreach (var method in operation.Methods)
                    json.WriteStringValue($"{method} {origin}{operation.Path}");
            json.WriteEndArray();
            json.WriteString("instructions", $"Prices and parameters: {origin}/openapi.json. How to pay: {origin}/llms.txt. The 402 of a call is what counts.");
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }
}
