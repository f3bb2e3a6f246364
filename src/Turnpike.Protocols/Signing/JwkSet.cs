using System.Buffers;
using System.Text.Json;
using Turnpike.Protocols.Http;

namespace Turnpike.Protocols.Signing;

/// <summary>Public keys as they are published (RFC 7517 §5), the one that signs now first.</summary>
public sealed class JwkSet(IReadOnlyList<Jwk> keys)
{
    public IReadOnlyList<Jwk> Keys => keys;

    public Jwk? Find(string id) => keys.FirstOrDefault(key => key.Id == id);

    /// <summary>The keys of a set that are of use here; null for what is no set.</summary>
    public static JwkSet? Parse(ReadOnlySpan<byte> json) =>
        StrictJson.Parse(json) is { ValueKind: JsonValueKind.Object } set && set.TryGetProperty("keys", out var keys) && keys.ValueKind == JsonValueKind.Array
            ? new JwkSet([.. keys.EnumerateArray().Select(Jwk.Read).OfType<Jwk>()])
            : null;

    /// <summary><c>{"keys":[…]}</c>.</summary>
    public byte[] ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartArray("keys");
            foreach (var key in keys) key.Write(json);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }
}
