using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Turnpike.Protocols.Http;

/// <summary>What becomes of a place that may not be shown.</summary>
public enum JsonRemoval
{
    /// <summary>The member or item goes.</summary>
    Remove,

    /// <summary>Three stars stand in its place.</summary>
    Mask,

    /// <summary>null stands in its place.</summary>
    Nothing,
}

/// <summary>Takes places out of a JSON document and leaves everything else as it was written, numbers digit by digit.</summary>
public static class JsonFilter
{
    private const int MaxDepth = 64;
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>The document without those places; null when it is no JSON, and then nothing of it may be shown.</summary>
    /// <remarks>A member that comes twice is taken out twice, whichever of the two a reader would believe; escaped names are read before they are compared.</remarks>
    public static byte[]? Apply(ReadOnlySpan<byte> json, IReadOnlyList<(JsonPath Path, JsonRemoval Removal)> places)
    {
        var target = new ArrayBufferWriter<byte>(json.Length + 16);
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
            using (var writer = new Utf8JsonWriter(target, Options))
            {
                if (!reader.Read()) return null;
                var here = places.Select(p => new Place(p.Path.Steps, 0, p.Removal)).ToList();
                Write(ref reader, json, writer, here, Decide(here));
                // What stands behind the document is not part of it, and was not looked through.
                if (reader.Read()) return null;
            }
            return target.WrittenSpan.ToArray();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static JsonRemoval? Decide(List<Place> places)
    {
        foreach (var place in places)
            if (place.At == place.Steps.Count) return place.Removal;
        return null;
    }

    private static void Write(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, Utf8JsonWriter writer, List<Place> places, JsonRemoval? removal)
    {
        if (removal is { } how)
        {
            reader.Skip();
            if (how == JsonRemoval.Mask) writer.WriteStringValue("***");
            else writer.WriteNullValue();
            return;
        }
        if (reader.TokenType == JsonTokenType.StartObject) WriteObject(ref reader, json, writer, places);
        else if (reader.TokenType == JsonTokenType.StartArray) WriteArray(ref reader, json, writer, places);
        else
        {
            // Text is read once: what is no sound text may hide a name or a value from whoever reads it differently.
            if (reader.TokenType == JsonTokenType.String) reader.GetString();
            writer.WriteRawValue(json[(int)reader.TokenStartIndex..(int)reader.BytesConsumed], skipInputValidation: true);
        }
    }

    private static void WriteObject(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, Utf8JsonWriter writer, List<Place> places)
    {
        writer.WriteStartObject();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var name = reader.GetString()!;
            var below = Below(places, step => step.Matches(name));
            var removal = Decide(below);
            reader.Read();
            if (removal == JsonRemoval.Remove) { reader.Skip(); continue; }
            writer.WritePropertyName(name);
            Write(ref reader, json, writer, below, removal);
        }
        writer.WriteEndObject();
    }

    private static void WriteArray(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, Utf8JsonWriter writer, List<Place> places)
    {
        writer.WriteStartArray();
        for (var index = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; index++)
        {
            var at = index;
            var below = Below(places, step => step.Matches(at));
            var removal = Decide(below);
            if (removal == JsonRemoval.Remove) reader.Skip();
            else Write(ref reader, json, writer, below, removal);
        }
        writer.WriteEndArray();
    }

    private static List<Place> Below(List<Place> places, Func<JsonStep, bool> matches) =>
        places.Count == 0 ? places : [.. places.Where(p => p.At < p.Steps.Count && matches(p.Steps[p.At])).Select(p => p with { At = p.At + 1 })];

    /// <summary>A path, and how many of its steps have been taken to here.</summary>
    private sealed record Place(IReadOnlyList<JsonStep> Steps, int At, JsonRemoval Removal);
}
