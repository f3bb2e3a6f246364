using System.Text.Json;

namespace Turnpike.Protocols.Schemas;

/// <summary>Reads a schema once: every keyword becomes a rule, and what is not supported an error.</summary>
internal sealed class SchemaReader(JsonElement root)
{
    private const int MaxDepth = 32;
    private const string Definitions = "#/$defs/";
    private readonly Dictionary<string, JsonSchema> referred = new(StringComparer.Ordinal);
    private int depth;

    public List<(string Pointer, string Message)> Errors { get; } = [];

    public JsonSchema Read(JsonElement schema, string pointer)
    {
        var made = new JsonSchema();
        if (depth++ > MaxDepth) Refuse(pointer, "is nested too deeply");
        else if (schema.ValueKind == JsonValueKind.False) made.Is([static (_, at, found) => found.Add(at.Says("is not allowed"))]);
        else if (schema.ValueKind == JsonValueKind.Object) made.Is(ReadKeywords(schema, pointer));
        else if (schema.ValueKind != JsonValueKind.True) Refuse(pointer, "is no schema; a schema is a map, true or false");
        depth--;
        return made;
    }

    private List<SchemaRule> ReadKeywords(JsonElement schema, string pointer)
    {
        var rules = new List<SchemaRule>();
        foreach (var keyword in schema.EnumerateObject())
        {
            var at = $"{pointer}/{keyword.Name}";
            if (Annotations.Contains(keyword.Name)) continue;
            var rule = ValueRules.Read(keyword.Name, keyword.Value) ?? ReadBelow(keyword.Name, keyword.Value, schema, at);
            if (rule is not null) rules.Add(rule);
            else if (Errors.Count == 0 || !Errors[^1].Pointer.StartsWith(at, StringComparison.Ordinal))
                Refuse(at, ValueRules.Knows(keyword.Name) || Applicators.Contains(keyword.Name) ? "has a value that this keyword does not take" : "is not supported here");
        }
        return rules;
    }

    private static readonly string[] Annotations = ["$schema", "$id", "$comment", "$defs", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "then", "else"];
    private static readonly string[] Applicators = ["properties", "patternProperties", "additionalProperties", "propertyNames", "items", "prefixItems", "contains", "allOf", "anyOf", "oneOf", "not", "if", "$ref"];

    private SchemaRule? ReadBelow(string keyword, JsonElement value, JsonElement schema, string at) => keyword switch
    {
        "properties" => value.ValueKind == JsonValueKind.Object ? Properties(value, at) : null,
        "patternProperties" => value.ValueKind == JsonValueKind.Object ? PatternProperties(value, at) : null,
        "additionalProperties" => AdditionalProperties(Read(value, at), schema),
        "propertyNames" => PropertyNames(Read(value, at)),
        "items" => Items(Read(value, at), schema.TryGetProperty("prefixItems", out var prefix) && prefix.ValueKind == JsonValueKind.Array ? prefix.GetArrayLength() : 0),
        "prefixItems" => Several(value, at) is { } items ? PrefixItems(items) : null,
        "contains" => Contains(Read(value, at)),
        "allOf" => Several(value, at) is { } all ? (v, p, found) => { foreach (var one in all) one.Check(v, p, found); } : null,
        "anyOf" => Several(value, at) is { } any ? (v, p, found) => { if (!any.Exists(one => one.Accepts(v, p))) found.Add(p.Says("is none of what it may be")); } : null,
        "oneOf" => Several(value, at) is { } one ? (v, p, found) => { if (one.Count(each => each.Accepts(v, p)) != 1) found.Add(p.Says("is not exactly one of what it may be")); } : null,
        "not" => Not(Read(value, at)),
        "if" => If(value, schema, at),
        "$ref" => Reference(value, at),
        _ => null,
    };

    private List<JsonSchema>? Several(JsonElement value, string at) => value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > 0 ? [.. value.EnumerateArray().Select((schema, i) => Read(schema, $"{at}/{i}"))] : null;

    private SchemaRule Properties(JsonElement value, string at)
    {
        var known = value.EnumerateObject().ToDictionary(p => p.Name, p => Read(p.Value, $"{at}/{p.Name}"), StringComparer.Ordinal);
        return (v, place, found) =>
        {
            if (v.ValueKind != JsonValueKind.Object) return;
            foreach (var member in v.EnumerateObject())
                if (known.TryGetValue(member.Name, out var schema)) schema.Check(member.Value, place.Below(member.Name), found);
        };
    }

    private SchemaRule? PatternProperties(JsonElement value, string at)
    {
        var known = new List<(BoundedPattern Pattern, JsonSchema Schema)>();
        foreach (var property in value.EnumerateObject())
        {
            if (BoundedPattern.Create(property.Name) is not { } pattern) { Refuse($"{at}/{property.Name}", BoundedPattern.Wanted); return null; }
            known.Add((pattern, Read(property.Value, $"{at}/{property.Name}")));
        }
        return (v, place, found) =>
        {
            if (v.ValueKind != JsonValueKind.Object) return;
            foreach (var member in v.EnumerateObject())
                foreach (var (pattern, schema) in known)
                    if (pattern.Matches(member.Name)) schema.Check(member.Value, place.Below(member.Name), found);
        };
    }

    private static SchemaRule AdditionalProperties(JsonSchema others, JsonElement schema)
    {
        var named = Members(schema, "properties").ToHashSet(StringComparer.Ordinal);
        var patterns = Members(schema, "patternProperties").Select(BoundedPattern.Create).OfType<BoundedPattern>().ToList();
        return (v, place, found) =>
        {
            if (v.ValueKind != JsonValueKind.Object) return;
            foreach (var member in v.EnumerateObject())
                if (!named.Contains(member.Name) && !patterns.Exists(p => p.Matches(member.Name))) others.Check(member.Value, place.Below(member.Name), found);
        };
    }

    private static IEnumerable<string> Members(JsonElement schema, string keyword) =>
        schema.TryGetProperty(keyword, out var value) && value.ValueKind == JsonValueKind.Object ? value.EnumerateObject().Select(p => p.Name) : [];

    private static SchemaRule PropertyNames(JsonSchema names) => (v, place, found) =>
    {
        if (v.ValueKind != JsonValueKind.Object) return;
        foreach (var member in v.EnumerateObject())
            if (!names.Accepts(Text(member.Name), place)) found.Add(place.Below(member.Name).Says("has a name that is not allowed"));
    };

    private static JsonElement Text(string text)
    {
        using var document = JsonDocument.Parse($"\"{JsonEncodedText.Encode(text)}\"");
        return document.RootElement.Clone();
    }

    private static SchemaRule Items(JsonSchema each, int from) => (v, place, found) =>
    {
        if (v.ValueKind != JsonValueKind.Array) return;
        var index = 0;
        foreach (var item in v.EnumerateArray())
        {
            if (index >= from) each.Check(item, place.Below(index.ToString(System.Globalization.CultureInfo.InvariantCulture)), found);
            if (found.Count >= JsonSchema.MostViolations) return;
            index++;
        }
    };

    private static SchemaRule PrefixItems(List<JsonSchema> items) => (v, place, found) =>
    {
        if (v.ValueKind != JsonValueKind.Array) return;
        foreach (var (item, index) in v.EnumerateArray().Take(items.Count).Select((item, i) => (item, i)))
            items[index].Check(item, place.Below(index.ToString(System.Globalization.CultureInfo.InvariantCulture)), found);
    };

    private static SchemaRule Contains(JsonSchema wanted) => (v, place, found) =>
    {
        if (v.ValueKind == JsonValueKind.Array && !v.EnumerateArray().Any(item => wanted.Accepts(item, place))) found.Add(place.Says("has none of the items it has to have"));
    };

    private static SchemaRule Not(JsonSchema unwanted) => (v, place, found) =>
    {
        if (unwanted.Accepts(v, place)) found.Add(place.Says("is what it may not be"));
    };

    private SchemaRule If(JsonElement value, JsonElement schema, string at)
    {
        var condition = Read(value, at);
        var then = schema.TryGetProperty("then", out var yes) ? Read(yes, at[..^2] + "then") : null;
        var otherwise = schema.TryGetProperty("else", out var no) ? Read(no, at[..^2] + "else") : null;
        return (v, place, found) => (condition.Accepts(v, place) ? then : otherwise)?.Check(v, place, found);
    }

    private SchemaRule? Reference(JsonElement value, string at)
    {
        var name = value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
        if (name == "#" || !name.StartsWith(Definitions, StringComparison.Ordinal) || name.AsSpan(Definitions.Length).ContainsAny('/', '%', '~')
            || !root.TryGetProperty("$defs", out var definitions) || definitions.ValueKind != JsonValueKind.Object || !definitions.TryGetProperty(name[Definitions.Length..], out var definition))
        {
            Refuse(at, "refers to nothing; a reference is #/$defs/NAME, to a definition of the schema itself");
            return null;
        }
        if (!referred.TryGetValue(name, out var target))
        {
            // Known before it is read: it may refer to itself.
            referred[name] = target = new JsonSchema();
            var read = Read(definition, name[1..]);
            target.Is([read.Check]);
        }
        return target.Check;
    }

    private void Refuse(string pointer, string message) => Errors.Add((pointer, message));
}
