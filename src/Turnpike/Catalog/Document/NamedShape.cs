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
