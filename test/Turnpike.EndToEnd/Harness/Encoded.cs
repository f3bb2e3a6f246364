using System.Text;
using System.Text.Json.Nodes;

namespace Turnpike.EndToEnd.Harness;

/// <summary>JSON in base64, as payment headers carry it, in either alphabet.</summary>
internal static class Encoded
{
    public static JsonNode Read(string text)
    {
        var plain = text.Trim().Replace('-', '+').Replace('_', '/').TrimEnd('=');
        return JsonNode.Parse(Convert.FromBase64String(plain.PadRight((plain.Length + 3) / 4 * 4, '=')))!;
    }

    public static string Write(JsonNode json) => Convert.ToBase64String(Encoding.UTF8.GetBytes(json.ToJsonString()));

    public static string WriteUrlSafe(JsonNode json) => Write(json).TrimEnd('=').Replace('+', '-').Replace('/', '_');
}
