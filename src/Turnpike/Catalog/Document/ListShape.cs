using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Turnpike.Catalog.Document;

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
