using System.Text;
using Turnpike.Metering;
using Turnpike.Metering.Formats;
using Turnpike.Tests.Catalog;
using YamlDotNet.RepresentationModel;

namespace Turnpike.Tests.Metering;

/// <summary>Recorded answers of providers, and what is read of them.</summary>
internal static class Fixtures
{
    /// <summary>An answer's body, and whether it is a stream of events.</summary>
    public static (byte[] Body, string ContentType) Read(string name)
    {
        var text = File.ReadAllText(Documents.FromRoot($"test/Turnpike.Tests/Vectors/llm/{name}"));
        if (name.EndsWith(".yaml", StringComparison.Ordinal)) text = BodyOf(text);
        var isStream = text.StartsWith("data:", StringComparison.Ordinal) || text.StartsWith("event:", StringComparison.Ordinal);
        return (Encoding.UTF8.GetBytes(text), isStream ? "text/event-stream" : "application/json");
    }

    /// <summary>The usage of an answer that comes in pieces of the given size.</summary>
    public static Usage UsageOf(string format, byte[] body, string contentType, Func<int, int>? cut = null)
    {
        var call = new MeteredCall(new UsageSettings(UsageFormats.ByName[format], []));
        var reader = new UsageReader(call, contentType);
        for (var from = 0; from < body.Length;)
        {
            var to = cut is null ? body.Length : Math.Clamp(cut(from), from + 1, body.Length);
            while (from < to)
            {
                from += reader.Read(body.AsSpan(from, to - from), out var ended);
                if (ended) reader.Tell();
            }
        }
        reader.End(TimeSpan.FromMilliseconds(5), _ => null);
        return call.Usage;
    }

    /// <summary>Everything of it that matters, as text.</summary>
    public static string Told(Usage usage) =>
        $"{usage.Model} {usage.Source}: {string.Join(", ", usage.Charged.Where(c => c.Key is not (Units.Bytes or Units.Duration)).OrderBy(c => c.Key, StringComparer.Ordinal).Select(c => $"{c.Value} {c.Key}"))}; {usage[Units.Total]} total";

    private static string BodyOf(string cassette)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(cassette));
        var exchange = ((YamlSequenceNode)((YamlMappingNode)yaml.Documents[0].RootNode)["interactions"]).Children[0];
        return ((YamlScalarNode)exchange["response"]["body"]).Value!;
    }
}
