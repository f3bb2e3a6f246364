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
        NodeText.Write(json, node, WriteScalar);
        json.WriteEndArray();
    }

    private static void WriteScalar(Utf8JsonWriter json, ScalarNode scalar)
    {
        if (scalar is { Plain: true, Text: "true" or "false" }) json.WriteBooleanValue(scalar.Text == "true");
        else if (scalar.Plain && long.TryParse(scalar.Text, out var number)) json.WriteNumberValue(number);
        else json.WriteStringValue(scalar.Text);
    }
}
