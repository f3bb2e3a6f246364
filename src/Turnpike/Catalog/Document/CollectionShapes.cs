using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Turnpike.Catalog.Document;

/// <summary>A map whose keys are the user's names. Refused entries are left out: the others are still checked against each other.</summary>
/// <param name="says">"services by name".</param>
/// <param name="name">The word for one name, <c>service</c>.</param>
/// <param name="check">A sentence when the name is not allowed, else null.</param>
internal sealed class NamedShape<T>(string says, string name, Func<string, string?> check, Shape<T> each) : Shape<IReadOnlyList<KeyValuePair<string, T>>>
{
    public override string Says => "a map of " + says;

    public override string Step => $".<{name}>";

    public override IEnumerable<Shape> Below => [each];

    public override bool TryRead(Spot at, [MaybeNullWhen(false)] out IReadOnlyList<KeyValuePair<string, T>> value)
    {
        value = null;
        if (at.Node is not MapNode map) return at.Refuse($"{Says} is wanted here");
        var found = new List<KeyValuePair<string, T>>();
        foreach (var entry in map.Entries)
        {
            if (check(entry.Key.Text) is { } wrong) at.Member(entry.Key.Text, entry.Key).Refuse(wrong);
            else if (each.TryRead(at.Member(entry.Key.Text, entry.Value), out var item)) found.Add(new(entry.Key.Text, item));
        }
        value = found;
        return true;
    }

    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteString("type", "object");
        json.WriteStartObject("additionalProperties");
        each.WriteSchema(json);
        json.WriteEndObject();
    }
}

/// <summary>A list; where <paramref name="oneAlone"/> says so, a single item may stand without brackets.</summary>
internal sealed class ListShape<T>(Shape<T> each, bool oneAlone = false, int least = 0) : Shape<IReadOnlyList<T>>
{
    public override string Says => oneAlone ? $"{each.Says}, or a list of such" : $"a list, each {each.Says}";

    public override string Step => "[]";

    public override IEnumerable<Shape> Below => [each];

    public override bool TryRead(Spot at, [MaybeNullWhen(false)] out IReadOnlyList<T> value)
    {
        value = null;
        var nodes = at.Node is ListNode list ? list.Items : oneAlone ? [at.Node] : null;
        if (nodes is null) return at.Refuse($"{Says} is wanted here");
        if (nodes.Count < least) return at.Refuse($"at least {least} is wanted here");
        var items = new List<T>();
        for (var i = 0; i < nodes.Count; i++)
            if (each.TryRead(at.Node is ListNode ? at.Item(i, nodes[i]) : at, out var item)) items.Add(item);
        value = items;
        return items.Count == nodes.Count;
    }

    public override void WriteSchema(Utf8JsonWriter json)
    {
        if (oneAlone)
        {
            json.WriteStartArray("anyOf");
            json.WriteStartObject();
            each.WriteSchema(json);
            json.WriteEndObject();
            json.WriteStartObject();
        }
        json.WriteString("type", "array");
        json.WriteStartObject("items");
        each.WriteSchema(json);
        json.WriteEndObject();
        if (least > 0) json.WriteNumber("minItems", least);
        if (oneAlone)
        {
            json.WriteEndObject();
            json.WriteEndArray();
        }
    }
}

/// <summary>A short form of one scalar, or the map in full.</summary>
internal sealed class ShortOrMapShape<T>(Shape<T> shortForm, Shape<T> map) : Shape<T>
{
    public override string Says => $"{shortForm.Says}, or {map.Says}";

    public override IEnumerable<Shape> Below => [shortForm, map];

    public override bool TryRead(Spot at, [MaybeNullWhen(false)] out T value)
    {
        if (at.Node is not ListNode) return at.Node is MapNode ? map.TryRead(at, out value) : shortForm.TryRead(at, out value);
        value = default;
        return at.Refuse($"{Says} is wanted here");
    }

    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteStartArray("anyOf");
        foreach (Shape form in new Shape[] { shortForm, map })
        {
            json.WriteStartObject();
            form.WriteSchema(json);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}
