using System.Globalization;
using System.Text.Json.Nodes;
using Turnpike.Tests.Catalog;

namespace Turnpike.Tests.Billing.Stripe;

/// <summary>What Stripe's own OpenAPI document says a request may look like; <c>excerpt.py</c> writes the excerpt.</summary>
internal sealed class StripeContract
{
    private readonly JsonObject paths = JsonNode.Parse(File.ReadAllText(Documents.FromRoot("test/Turnpike.Tests/Billing/Stripe/stripe-openapi.json")))!["paths"]!.AsObject();

    /// <summary>Parameters of previews, which the published document does not have yet.</summary>
    private static readonly HashSet<string> Previews = ["shared_payment_granted_token"];

    /// <summary>What is wrong with a request by the document; null when nothing is.</summary>
    public string? Fault(string method, string path, JsonObject parameters)
    {
        if (Find(path) is not { } template || paths[template]![method.ToLowerInvariant()] is not JsonObject operation) return $"Unrecognized request URL ({method}: {path}).";
        var schema = operation[method == "GET" ? "query" : "form"] as JsonObject;
        return schema is null ? parameters.Count == 0 ? null : $"Received unknown parameter: {parameters.First().Key}" : Fault("", schema, parameters);
    }

    /// <summary>Members of an answer that Stripe's object of that operation does not have.</summary>
    public IEnumerable<string> Foreign(string method, string path, JsonObject answer) => Find(path) is { } template && paths[template]![method.ToLowerInvariant()]?["answer"] is JsonArray known
        ? answer.Select(m => m.Key).Where(name => !known.Any(k => (string?)k == name)) : [];

    public string? Find(string path)
    {
        var parts = path.Split('/');
        return paths.Select(p => p.Key).Where(t => Fits(t.Split('/'), parts)).OrderBy(t => t.Count(c => c == '{')).FirstOrDefault();
    }

    private static bool Fits(string[] template, string[] parts) => template.Length == parts.Length && template.Zip(parts).All(p => p.First == p.Second || p.First.StartsWith('{') && p.Second.Length > 0);

    private static string? Fault(string at, JsonObject schema, JsonNode? value)
    {
        if (schema["any"] is JsonArray any) return any.Select(one => Fault(at, one!.AsObject(), value)).Aggregate((a, b) => a is null || b is null ? null : a);
        return (string?)schema["type"] switch
        {
            "object" => FaultOfObject(at, schema, value),
            "array" => value is JsonObject items && items.All(i => int.TryParse(i.Key, out _) || i.Key.Length == 0)
                ? items.Select(i => Fault($"{at}[{i.Key}]", schema["items"]!.AsObject(), i.Value)).FirstOrDefault(f => f is not null) : $"Invalid array: {at}",
            var type => value is JsonValue scalar ? FaultOfScalar(at, type, schema, scalar.ToString()) : $"Invalid {type}: {at}",
        };
    }

    private static string? FaultOfObject(string at, JsonObject schema, JsonNode? value)
    {
        if (value is not JsonObject map) return $"Invalid object: {at}";
        var known = schema["properties"] as JsonObject;
        foreach (var (name, inner) in map)
        {
            var below = at.Length == 0 ? name : $"{at}[{name}]";
            if (Previews.Contains(below)) continue;
            var shape = known?[name] as JsonObject ?? schema["values"] as JsonObject;
            if (shape is null) return $"Received unknown parameter: {below}";
            if (Fault(below, shape, inner) is { } fault) return fault;
        }
        return (schema["required"] as JsonArray)?.Select(r => (string)r!).FirstOrDefault(r => !map.ContainsKey(r)) is { } missing ? $"Missing required param: {(at.Length == 0 ? missing : $"{at}[{missing}]")}." : null;
    }

    private static string? FaultOfScalar(string at, string? type, JsonObject schema, string text)
    {
        if (schema["enum"] is JsonArray allowed && !allowed.Any(a => (string?)a == text)) return $"Invalid {at}: must be one of {string.Join(", ", allowed)}";
        if ((int?)schema["maxLength"] is { } most && text.Length > most) return $"Invalid string: {at} is too long";
        return type switch
        {
            "integer" => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _) ? null : $"Invalid integer: {at}",
            "boolean" => text is "true" or "false" ? null : $"Invalid boolean: {at}",
            "number" => decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _) ? null : $"Invalid decimal: {at}",
            _ => null,
        };
    }
}
