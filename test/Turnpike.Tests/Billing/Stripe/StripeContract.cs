using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Turnpike.Tests.Catalog;

namespace Turnpike.Tests.Billing.Stripe;

/// <summary>
/// What Stripe's own OpenAPI documents say a request may look like, each document for the version of the API it is of;
/// <c>excerpt.py</c> writes the excerpt.
/// </summary>
internal sealed class StripeContract
{
    /// <summary>The version whose Shared Payment Tokens are in a preview: else it is held against the newest whole document, which has all the rest.</summary>
    private const string Preview = "2026-07-29.preview", Whole = "2023-08-16";

    /// <summary>Parameters of that preview.</summary>
    private static readonly HashSet<string> Previews = ["shared_payment_granted_token"];

    private readonly ILookup<string, JsonObject> documents = JsonNode.Parse(File.ReadAllText(Documents.FromRoot("test/Turnpike.Tests/Billing/Stripe/stripe-openapi.json")))!.AsArray()
        .ToLookup(d => (string)d!["version"]!, d => d!["paths"]!.AsObject());

    /// <summary>What is wrong with a request by the document of the version it names; null when nothing is.</summary>
    public string? Fault(string? version, string method, string path, JsonObject parameters)
    {
        if (version is null || !documents.Contains(version == Preview ? Whole : version)) return $"Invalid Stripe API version: {version}";
        if (Find(version, method, path) is not { } operation) return $"Unrecognized request URL ({method}: {path}).";
        var schema = (operation[method == "GET" ? "query" : "form"] ?? operation["json"]) as JsonObject;
        return schema is null ? parameters.Count == 0 ? null : $"Received unknown parameter: {parameters.First().Key}" : Fault("", schema, parameters, version == Preview ? Previews : []);
    }

    /// <summary>Members of an answer that Stripe's object of that operation does not have.</summary>
    public IEnumerable<string> Foreign(string? version, string method, string path, JsonObject answer) => Find(version, method, path)?["answer"] is JsonArray known
        ? answer.Select(m => m.Key).Where(name => !known.Any(k => (string?)k == name)) : [];

    private JsonObject? Find(string? version, string method, string path)
    {
        var parts = path.Split('/');
        return documents[version == Preview ? Whole : version ?? ""].SelectMany(paths => paths).Where(p => Fits(p.Key.Split('/'), parts)).OrderBy(p => p.Key.Count(c => c == '{')).FirstOrDefault().Value?[method.ToLowerInvariant()] as JsonObject;
    }

    private static bool Fits(string[] template, string[] parts) => template.Length == parts.Length && template.Zip(parts).All(p => p.First == p.Second || p.First.StartsWith('{') && p.Second.Length > 0);

    private static string? Fault(string at, JsonObject schema, JsonNode? value, HashSet<string> previews)
    {
        if (schema["any"] is JsonArray any) return any.Select(one => Fault(at, one!.AsObject(), value, previews)).Aggregate((a, b) => a is null || b is null ? null : a);
        return (string?)schema["type"] switch
        {
            "object" => FaultOfObject(at, schema, value, previews),
            "array" when value is JsonArray items => items.Select((item, i) => Fault($"{at}[{i}]", schema["items"]!.AsObject(), item, previews)).FirstOrDefault(f => f is not null),
            "array" => value is JsonObject items && items.All(i => int.TryParse(i.Key, out _) || i.Key.Length == 0)
                ? items.Select(i => Fault($"{at}[{i.Key}]", schema["items"]!.AsObject(), i.Value, previews)).FirstOrDefault(f => f is not null) : $"Invalid array: {at}",
            var type => value is JsonValue scalar && (type != "string" || scalar.GetValueKind() == JsonValueKind.String) ? FaultOfScalar(at, type, schema, scalar.ToString()) : $"Invalid {type}: {at}",
        };
    }

    private static string? FaultOfObject(string at, JsonObject schema, JsonNode? value, HashSet<string> previews)
    {
        if (value is not JsonObject map) return $"Invalid object: {at}";
        var known = schema["properties"] as JsonObject;
        foreach (var (name, inner) in map)
        {
            var below = at.Length == 0 ? name : $"{at}[{name}]";
            if (previews.Contains(below)) continue;
            var shape = known?[name] as JsonObject ?? schema["values"] as JsonObject;
            if (shape is null) return $"Received unknown parameter: {below}";
            if (Fault(below, shape, inner, previews) is { } fault) return fault;
        }
        return (schema["required"] as JsonArray)?.Select(r => (string)r!).FirstOrDefault(r => !map.ContainsKey(r)) is { } missing ? $"Missing required param: {(at.Length == 0 ? missing : $"{at}[{missing}]")}." : null;
    }

    private static string? FaultOfScalar(string at, string? type, JsonObject schema, string text)
    {
        if (schema["enum"] is JsonArray allowed && !allowed.Any(a => (string?)a == text)) return $"Invalid {at}: must be one of {string.Join(", ", allowed)}";
        if ((int?)schema["maxLength"] is { } most && text.Length > most) return $"Invalid string: {at} is too long";
        if ((string?)schema["format"] == "date-time" && !DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out _)) return $"Invalid date-time: {at}";
        return type switch
        {
            "integer" => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _) ? null : $"Invalid integer: {at}",
            "boolean" => text is "true" or "false" ? null : $"Invalid boolean: {at}",
            "number" => decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _) ? null : $"Invalid decimal: {at}",
            _ => null,
        };
    }
}
