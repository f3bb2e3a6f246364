using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Turnpike.Protocols.Schemas;

/// <summary>The keywords that look at one value and at nothing below it.</summary>
internal static class ValueRules
{
    private static readonly Dictionary<string, Func<string, bool>> Formats = new(StringComparer.Ordinal)
    {
        ["date"] = t => DateOnly.TryParseExact(t, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
        ["date-time"] = t => DateTimeOffset.TryParseExact(t.ToUpperInvariant(), ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"], CultureInfo.InvariantCulture, DateTimeStyles.None, out _) && t.Length > 19 && (t[^1] is 'Z' or 'z' || t[^6] is '+' or '-'),
        ["email"] = t => t.Length <= 254 && t.IndexOf('@') is > 0 and var at && at == t.LastIndexOf('@') && at < t.Length - 1 && !t.Any(c => c <= ' '),
        ["uri"] = t => Uri.TryCreate(t, UriKind.Absolute, out var uri) && t.StartsWith(uri.Scheme, StringComparison.OrdinalIgnoreCase),
        ["uuid"] = t => Guid.TryParseExact(t, "D", out _),
        ["ipv4"] = t => t.Count(c => c == '.') == 3 && IPAddress.TryParse(t, out var ip) && ip.AddressFamily == AddressFamily.InterNetwork,
        ["ipv6"] = t => !t.Contains('[', StringComparison.Ordinal) && IPAddress.TryParse(t, out var ip) && ip.AddressFamily == AddressFamily.InterNetworkV6,
    };

    private static readonly Dictionary<string, Func<JsonElement, SchemaRule?>> Known = new(StringComparer.Ordinal)
    {
        ["type"] = Type,
        ["enum"] = v => v.ValueKind == JsonValueKind.Array && v.GetArrayLength() > 0 ? OneOf([.. v.EnumerateArray()]) : null,
        ["const"] = v => OneOf([v]),
        ["minLength"] = v => Length(v, JsonValueKind.String, static s => s.GetString()!.EnumerateRunes().Count(), (n, least) => n < least, "characters", "at least"),
        ["maxLength"] = v => Length(v, JsonValueKind.String, static s => s.GetString()!.EnumerateRunes().Count(), (n, most) => n > most, "characters", "at most"),
        ["minItems"] = v => Length(v, JsonValueKind.Array, static a => a.GetArrayLength(), (n, least) => n < least, "items", "at least"),
        ["maxItems"] = v => Length(v, JsonValueKind.Array, static a => a.GetArrayLength(), (n, most) => n > most, "items", "at most"),
        ["minProperties"] = v => Length(v, JsonValueKind.Object, static o => o.GetPropertyCount(), (n, least) => n < least, "members", "at least"),
        ["maxProperties"] = v => Length(v, JsonValueKind.Object, static o => o.GetPropertyCount(), (n, most) => n > most, "members", "at most"),
        ["minimum"] = v => Number(v, (n, bound) => n < bound, "is below"),
        ["maximum"] = v => Number(v, (n, bound) => n > bound, "is above"),
        ["exclusiveMinimum"] = v => Number(v, (n, bound) => n <= bound, "is not above"),
        ["exclusiveMaximum"] = v => Number(v, (n, bound) => n >= bound, "is not below"),
        ["multipleOf"] = v => v.ValueKind == JsonValueKind.Number && v.TryGetDecimal(out var factor) && factor > 0 ? Number(v, (n, f) => n % f != 0, "is no multiple of") : null,
        ["required"] = Required,
        ["uniqueItems"] = v => v.ValueKind == JsonValueKind.True ? Unique : v.ValueKind == JsonValueKind.False ? static (_, _, _) => { } : null,
        ["pattern"] = v => v.ValueKind == JsonValueKind.String && BoundedPattern.Create(v.GetString()!) is { } pattern ? Text(pattern.Matches, "does not match the pattern") : null,
        ["format"] = v => v.ValueKind == JsonValueKind.String && Formats.GetValueOrDefault(v.GetString()!) is { } check ? Text(check, $"is no {v.GetString()}") : null,
    };

    public static bool Knows(string keyword) => Known.ContainsKey(keyword);

    /// <summary>The rule; null for another kind of keyword, or a value it does not take.</summary>
    public static SchemaRule? Read(string keyword, JsonElement value) => Known.TryGetValue(keyword, out var read) ? read(value) : null;

    private static SchemaRule? Type(JsonElement value)
    {
        string[] names = value.ValueKind == JsonValueKind.String ? [value.GetString()!] : value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(t => t.ValueKind == JsonValueKind.String ? t.GetString()! : "")] : [];
        if (names.Length == 0 || !names.All(n => n is "null" or "boolean" or "object" or "array" or "number" or "integer" or "string")) return null;
        var told = "is no " + string.Join(" or ", names);
        return (v, at, found) =>
        {
            foreach (var name in names) if (IsOf(v, name)) return;
            found.Add(at.Says(told));
        };
    }

    private static bool IsOf(JsonElement value, string type) => type switch
    {
        "null" => value.ValueKind == JsonValueKind.Null,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        "string" => value.ValueKind == JsonValueKind.String,
        "number" => value.ValueKind == JsonValueKind.Number,
        _ => value.ValueKind == JsonValueKind.Number && value.TryGetDecimal(out var number) && number == decimal.Truncate(number),
    };

    private static SchemaRule OneOf(JsonElement[] allowed)
    {
        var told = allowed.Length == 1 ? $"is not {Told(allowed[0])}" : "is none of " + string.Join(", ", allowed.Take(20).Select(Told));
        return (v, at, found) =>
        {
            foreach (var one in allowed) if (JsonElement.DeepEquals(one, v)) return;
            found.Add(at.Says(told));
        };
    }

    private static string Told(JsonElement value) => value.GetRawText() is { Length: <= 60 } text ? text : value.GetRawText()[..60] + "…";

    private static SchemaRule? Length(JsonElement bound, JsonValueKind kind, Func<JsonElement, int> count, Func<int, int, bool> wrong, string unit, string says)
    {
        if (bound.ValueKind != JsonValueKind.Number || !bound.TryGetInt32(out var number) || number < 0) return null;
        return (v, at, found) =>
        {
            if (v.ValueKind == kind && wrong(count(v), number)) found.Add(at.Says($"has to have {says} {number} {unit}"));
        };
    }

    private static SchemaRule? Number(JsonElement bound, Func<decimal, decimal, bool> wrong, string says)
    {
        if (bound.ValueKind != JsonValueKind.Number || !bound.TryGetDecimal(out var limit)) return null;
        return (v, at, found) =>
        {
            if (v.ValueKind != JsonValueKind.Number) return;
            if (!v.TryGetDecimal(out var number)) found.Add(at.Says("is a number beyond what is compared"));
            else if (wrong(number, limit)) found.Add(at.Says($"{says} {bound.GetRawText()}"));
        };
    }

    private static SchemaRule? Required(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Array || !value.EnumerateArray().All(n => n.ValueKind == JsonValueKind.String)) return null;
        string[] names = [.. value.EnumerateArray().Select(n => n.GetString()!)];
        return (v, at, found) =>
        {
            if (v.ValueKind != JsonValueKind.Object) return;
            foreach (var name in names) if (!v.TryGetProperty(name, out _)) found.Add(at.Below(name).Says("is missing"));
        };
    }

    private static void Unique(JsonElement value, SchemaPlace at, List<SchemaViolation> found)
    {
        if (value.ValueKind != JsonValueKind.Array) return;
        // Pairs, and so bounded: a long list is compared by its text, which canonical writers write alike.
        if (value.GetArrayLength() > 200 ? value.EnumerateArray().Select(i => i.GetRawText()).Distinct(StringComparer.Ordinal).Count() < value.GetArrayLength() : HasPair([.. value.EnumerateArray()])) found.Add(at.Says("has an item twice"));
    }

    private static bool HasPair(JsonElement[] items)
    {
        for (var i = 0; i < items.Length; i++)
            for (var j = 0; j < i; j++)
                if (JsonElement.DeepEquals(items[i], items[j])) return true;
        return false;
    }

    private static SchemaRule Text(Func<string, bool> check, string says) => (v, at, found) =>
    {
        if (v.ValueKind == JsonValueKind.String && !check(v.GetString()!)) found.Add(at.Says(says));
    };
}
