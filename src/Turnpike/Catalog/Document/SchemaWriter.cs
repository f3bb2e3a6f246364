using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Turnpike.Catalog.Document;

/// <summary>The language as a JSON Schema 2020-12, for editors. It is a little wider than the loader, which also looks across keys.</summary>
internal static class SchemaWriter
{
    public static string Write(Shape document)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("$schema", "https://json-schema.org/draft/2020-12/schema");
            json.WriteString("$id", "urn:turnpike:schema:turnpike.yaml");
            json.WriteString("title", "turnpike.yaml");
            document.WriteSchema(json);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }

    /// <summary>A key's example as JSON: numbers and flags as such where the shape has them, all else as text.</summary>
    public static void WriteExample(Utf8JsonWriter json, Key key)
    {
        if (YamlReader.Read(key.Example, (_, _, _) => { }) is not { } node) return;
        json.WriteStartArray("examples");
        WriteValue(json, node);
        json.WriteEndArray();
    }

    private static void WriteValue(Utf8JsonWriter json, Node node)
    {
        switch (node)
        {
            case ScalarNode { Plain: true, Text: "true" or "false" } flag:
                json.WriteBooleanValue(flag.Text == "true");
                break;
            case ScalarNode { Plain: true } number when long.TryParse(number.Text, out var value):
                json.WriteNumberValue(value);
                break;
            case ScalarNode scalar:
                json.WriteStringValue(scalar.Text);
                break;
            case ListNode list:
                json.WriteStartArray();
                foreach (var item in list.Items) WriteValue(json, item);
                json.WriteEndArray();
                break;
            case MapNode map:
                json.WriteStartObject();
                foreach (var entry in map.Entries)
                {
                    json.WritePropertyName(entry.Key.Text);
                    WriteValue(json, entry.Value);
                }
                json.WriteEndObject();
                break;
        }
    }
}
