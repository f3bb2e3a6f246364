using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Turnpike.Catalog.Document;

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
