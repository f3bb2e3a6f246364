using System.Text.Json;
using System.Text.Unicode;

namespace Turnpike.Protocols.Http;

/// <summary>Reads JSON that decides over money: one document, no duplicate keys, no comments, bounded depth, sound text.</summary>
public static class StrictJson
{
    public const int MaxDepth = 32;

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = MaxDepth, AllowDuplicateProperties = false };

    /// <summary>Parses <paramref name="json"/>; null if it is not sound. The element is self-contained. Never throws.</summary>
    /// <remarks>
    /// Duplicate keys are refused because two parsers may each take another one. Invalid UTF-8 and lone surrogates are
    /// refused because the runtime would only throw when the value is read later.
    /// </remarks>
    public static JsonElement? Parse(ReadOnlySpan<byte> json)
    {
        if (!Utf8.IsValid(json)) return null;
        try
        {
            if (json.IndexOf("\\u"u8) >= 0) ReadEscapedText(json);
            using var document = JsonDocument.Parse(json.ToArray(), Options);
            return document.RootElement.Clone();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static void ReadEscapedText(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped) reader.GetString();
        }
    }
}
