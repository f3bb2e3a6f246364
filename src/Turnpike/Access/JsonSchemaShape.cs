using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using Turnpike.Catalog.Document;
using Turnpike.Protocols.Schemas;

namespace Turnpike.Access;

/// <summary>A JSON Schema as it stands in YAML: plain <c>1</c>, <c>true</c> and <c>null</c> are what they look like, quoted ones are text.</summary>
internal sealed class JsonSchemaShape : Shape<JsonSchema>
{
    public override string Says => "a JSON Schema";

    public override bool TryRead(Spot at, [MaybeNullWhen(false)] out JsonSchema value)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer)) NodeText.Write(json, at.Node, Write);
        using var document = JsonDocument.Parse(buffer.ToArray());
        value = JsonSchema.Parse(document.RootElement.Clone(), out var errors);
        foreach (var (pointer, message) in errors) Find(at, pointer).Refuse(message);
        return value is not null;
    }

    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteStartArray("type");
        json.WriteStringValue("object");
        json.WriteStringValue("boolean");
        json.WriteEndArray();
    }

    /// <summary>Where a JSON pointer leads in the document.</summary>
    private static Spot Find(Spot at, string pointer)
    {
        foreach (var step in pointer.Split('/').Skip(1))
        {
            if (at.Node is MapNode map && map.Entries.FirstOrDefault(e => e.Key.Text == step) is { } entry) at = at.Member(step, entry.Value);
            else if (at.Node is ListNode list && int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < list.Items.Count) at = at.Item(index, list.Items[index]);
            else break;
        }
        return at;
    }

    private static void Write(Utf8JsonWriter json, ScalarNode scalar)
    {
        if (scalar.IsNothing) json.WriteNullValue();
        else if (scalar is { Plain: true, Text: "true" or "false" }) json.WriteBooleanValue(scalar.Text == "true");
        else if (scalar.Plain && decimal.TryParse(scalar.Text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && char.IsAsciiDigit(scalar.Text[^1])) json.WriteNumberValue(number);
        else json.WriteStringValue(scalar.Text);
    }
}
