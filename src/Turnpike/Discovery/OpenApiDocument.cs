using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Turnpike.Access.Rules;
using Turnpike.Catalog;
using Turnpike.Payments;
using Turnpike.Pricing;

namespace Turnpike.Discovery;

/// <summary>
/// <c>/openapi.json</c>: OpenAPI 3.1 with <c>x-service-info</c> and, on each priced operation, <c>x-payment-info</c> (MPP's
/// draft-payment-discovery-01, and the <c>price</c> and <c>protocols</c> that x402 directories read).
/// </summary>
internal static class OpenApiDocument
{
    /// <summary>These are never part of a page; crawlers read 64 KB of them.</summary>
    public static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static byte[] Write(ServiceCatalog catalog, IReadOnlyList<SoldOperation> sold)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        var origin = catalog.Gateway.Url.GetLeftPart(UriPartial.Authority);
        using (var json = new Utf8JsonWriter(buffer, Plain))
        {
            json.WriteStartObject();
            json.WriteString("openapi", "3.1.0");
            WriteInfo(json, catalog, origin);
            json.WriteStartArray("servers");
            json.WriteStartObject();
            json.WriteString("url", origin);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteStartObject("paths");
            foreach (var path in sold.GroupBy(o => o.Path)) WritePath(json, path.Key, [.. path]);
            json.WriteEndObject();
            WriteComponents(json);
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteInfo(Utf8JsonWriter json, ServiceCatalog catalog, string origin)
    {
        json.WriteStartObject("info");
        json.WriteString("title", catalog.Gateway.Url.Host);
        json.WriteString("version", catalog.Version);
        json.WriteString("description", "Priced operations. The 402 of a call is what counts.");
        json.WriteString("x-guidance", $"Call an operation; a 402 says its price and every way to pay. More: {origin}/llms.txt");
        json.WriteEndObject();
        json.WriteStartObject("x-service-info");
        json.WriteStartObject("docs");
        json.WriteString("llms", origin + "/llms.txt");
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WritePath(Utf8JsonWriter json, string path, IReadOnlyList<SoldOperation> sold)
    {
        json.WriteStartObject(path);
        if (sold[0].Operation.Path.Names is { Count: > 0 } names)
        {
            json.WriteStartArray("parameters");
            foreach (var name in names)
            {
                json.WriteStartObject();
                json.WriteString("name", name);
                json.WriteString("in", "path");
                json.WriteBoolean("required", true);
                WriteType(json, "schema", "string");
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        // A method of its own goes before one that any method falls to.
        var told = new HashSet<string>(StringComparer.Ordinal);
        foreach (var operation in sold.OrderBy(o => o.Methods.Count))
            foreach (var method in operation.Methods)
                if (told.Add(method)) WriteOperation(json, operation, method);
        json.WriteEndObject();
    }

    private static void WriteOperation(Utf8JsonWriter json, SoldOperation sold, string method)
    {
        var operation = sold.Operation;
        json.WriteStartObject(method.ToLowerInvariant());
        json.WriteString("operationId", sold.Methods.Count == 1 ? operation.Name : $"{operation.Name}.{method.ToLowerInvariant()}");
        json.WriteString("summary", operation.Description ?? operation.Name);
        json.WriteStartArray("tags");
        json.WriteStringValue(operation.Service);
        json.WriteEndArray();
        if (sold.Price is not null) WritePayment(json, sold);
        WriteSecurity(json, sold);
        if (method is "POST" or "PUT" or "PATCH") WriteBody(json, operation.Settings.Get<RequestSchema>());
        WriteResponses(json, sold);
        json.WriteEndObject();
    }

    private static void WriteBody(Utf8JsonWriter json, RequestSchema? schema)
    {
        json.WriteStartObject("requestBody");
        if (schema is not null) json.WriteBoolean("required", true);
        json.WriteStartObject("content");
        json.WriteStartObject(schema is null ? "*/*" : "application/json");
        json.WritePropertyName("schema");
        if (schema is null) json.WriteBooleanValue(true);
        else schema.Body.Source.WriteTo(json);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WritePayment(Utf8JsonWriter json, SoldOperation sold)
    {
        var (most, metered) = (sold.Price!.Most, sold.Price is PriceModel.Metered);
        json.WriteStartObject("x-payment-info");
        json.WriteStartObject("price");
        var varies = metered || sold.Price is PriceModel.CostPlus;
        json.WriteString("mode", varies ? "dynamic" : "fixed");
        json.WriteString("currency", most.Currency);
        if (varies) json.WriteString("min", (sold.Price as PriceModel.Metered)?.Minimum?.ToDecimal() ?? (sold.Price as PriceModel.CostPlus)?.Floor.ToDecimal() ?? "0");
        json.WriteString(varies ? "max" : "amount", most.ToDecimal());
        json.WriteString("description", sold.Told);
        json.WriteEndObject();
        json.WriteStartArray("protocols");
        foreach (var protocol in sold.Offers.Select(o => o.Protocol).Distinct()) WriteProtocol(json, protocol, sold.Offers);
        json.WriteEndArray();
        // Only what a challenge of the scheme Payment offers: the draft's amounts are in the smallest unit of the currency.
        var offers = sold.Offers.Where(o => o.Intent is not null).ToList();
        if (offers.Count > 0)
        {
            json.WriteStartArray("offers");
            foreach (var offer in offers) WriteOffer(json, offer, metered);
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static void WriteProtocol(Utf8JsonWriter json, string protocol, IReadOnlyList<Offer> offers)
    {
        json.WriteStartObject();
        json.WriteStartObject(protocol);
        json.WriteStartArray("methods");
        foreach (var method in offers.Where(o => o.Protocol == protocol).Select(o => o.Method).Distinct()) json.WriteStringValue(method);
        json.WriteEndArray();
        if (offers.FirstOrDefault(o => o.Protocol == protocol)?.Url is { } url) json.WriteString("url", url);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteOffer(Utf8JsonWriter json, Offer offer, bool metered)
    {
        var (method, intent) = offer.Intent!.Split('/') is [var name, var what] ? (name, what) : (offer.Intent, "charge");
        json.WriteStartObject();
        json.WriteString("intent", intent);
        json.WriteString("method", method);
        json.WriteString("amount", metered ? null : offer.Amount);
        json.WriteString("currency", offer.Currency);
        if (offer.Network is { } network) json.WriteString("description", $"On {network}.");
        json.WriteEndObject();
    }

    private static void WriteSecurity(Utf8JsonWriter json, SoldOperation sold)
    {
        if (sold.Operation.Identity != IdentityRule.Required && sold.Price is not null) return;
        json.WriteStartArray("security");
        if (sold.Operation.Identity == IdentityRule.Required)
        {
            json.WriteStartObject();
            json.WriteStartArray("key");
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteResponses(Utf8JsonWriter json, SoldOperation sold)
    {
        json.WriteStartObject("responses");
        WriteResponse(json, "200", "The answer");
        if (sold.Price is not null) WriteResponse(json, "402", "Payment Required");
        WriteResponse(json, "default", "A refusal", "application/problem+json");
        json.WriteEndObject();
    }

    private static void WriteResponse(Utf8JsonWriter json, string status, string description, string? type = null)
    {
        json.WriteStartObject(status);
        json.WriteString("description", description);
        if (type is not null)
        {
            json.WriteStartObject("content");
            json.WriteStartObject(type);
            json.WriteStartObject("schema");
            json.WriteString("$ref", "#/components/schemas/Problem");
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private static void WriteComponents(Utf8JsonWriter json)
    {
        json.WriteStartObject("components");
        json.WriteStartObject("securitySchemes");
        json.WriteStartObject("key");
        json.WriteString("type", "http");
        json.WriteString("scheme", "bearer");
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteStartObject("schemas");
        json.WriteStartObject("Problem");
        json.WriteString("type", "object");
        json.WriteStartObject("properties");
        foreach (var name in (string[])["type", "title", "detail", "reason", "hint", "correlation"]) WriteType(json, name, "string");
        WriteType(json, "status", "integer");
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteType(Utf8JsonWriter json, string name, string type)
    {
        json.WriteStartObject(name);
        json.WriteString("type", type);
        json.WriteEndObject();
    }
}
