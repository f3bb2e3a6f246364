using System.Text;
using System.Text.Json;

namespace Turnpike.Catalog.Document;

/// <summary>A node as JSON.</summary>
internal static class NodeText
{
    /// <summary>JSON is YAML too: read again, at any time and anywhere, it says the same, with what its references stand for now in their place.</summary>
    public static string Of(Spot at)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer)) Write(json, at.Node, (json, scalar) => json.WriteStringValue(Plain(scalar.Text, at.Reading.Environment)));
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static string Plain(string written, ConfigEnvironment environment) =>
        References.TryResolve(written, environment, out var resolved, out _) ? resolved.Text.Replace("${", "$${", StringComparison.Ordinal) : written;

    /// <param name="write">How a scalar is written: YAML leaves its type to who reads it.</param>
    public static void Write(Utf8JsonWriter json, Node node, Action<Utf8JsonWriter, ScalarNode> write)
    {
        switch (node)
        {
            case ScalarNode scalar:
                write(json, scalar);
                break;
            case ListNode list:
                json.WriteStartArray();
                foreach (var item in list.Items) Write(json, item, write);
                json.WriteEndArray();
                break;
            case MapNode map:
                json.WriteStartObject();
                foreach (var entry in map.Entries)
                {
                    json.WritePropertyName(entry.Key.Text);
                    Write(json, entry.Value, write);
                }
                json.WriteEndObject();
                break;
        }
    }
}
