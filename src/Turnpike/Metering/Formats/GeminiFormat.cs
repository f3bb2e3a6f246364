using System.Text;
using Turnpike.Metering.Reading;

namespace Turnpike.Metering.Formats;

/// <summary>
/// Google's Gemini. Cached tokens are a part of the prompt; thoughts are not a part of the candidates, and are charged as output.
/// Nearly every chunk tells everything so far. A stream is events with <c>alt=sse</c>, and otherwise one JSON array.
/// </summary>
internal sealed class GeminiFormat : UsageFormat
{
    public override string Name => "gemini";

    public override PathNode NewPaths() => Fields(Fields(new PathNode(), "$"), "$[*]");

    public override IReadOnlyList<string[]> Maximums { get; } = [["generationConfig", "maxOutputTokens"]];

    public override IReadOnlyList<string[]> Multiples { get; } = [["generationConfig", "candidateCount"]];

    public override bool IsComplete(FieldValues told) => told.Has(Field.End) && (told.Has(Field.Output) || told.Has(Field.Total));

    public override void Tell(FieldValues told, Counts into)
    {
        var input = told[Field.Input] + told[Field.ToolInput];
        into[Units.Cached] = told[Field.Cached];
        into[Units.Input] = AtLeastZero(input - told[Field.Cached]);
        into[Units.Output] = Math.Max(told[Field.Output] + told[Field.Thoughts], told[Field.Total] - input);
        into[Units.Reasoning] = told[Field.Thoughts];
    }

    public override Framing FramingFor(string? contentType) =>
        base.FramingFor(contentType) is Framing.Whole ? new Framing.Elements() : base.FramingFor(contentType);

    private static PathNode Fields(PathNode paths, string at) => paths
        .Want($"{at}.candidates[*].content.parts[*].text", (int)Field.Text)
        .Want($"{at}.candidates[*].finishReason", (int)Field.End)
        .Want($"{at}.modelVersion", (int)Field.Model)
        .Want($"{at}.usageMetadata", (int)Field.Usage)
        .Want($"{at}.usageMetadata.promptTokenCount", (int)Field.Input)
        .Want($"{at}.usageMetadata.toolUsePromptTokenCount", (int)Field.ToolInput)
        .Want($"{at}.usageMetadata.cachedContentTokenCount", (int)Field.Cached)
        .Want($"{at}.usageMetadata.candidatesTokenCount", (int)Field.Output)
        .Want($"{at}.usageMetadata.thoughtsTokenCount", (int)Field.Thoughts)
        .Want($"{at}.usageMetadata.totalTokenCount", (int)Field.Total);

    /// <summary>One more chunk that stops for length; the array's end is the caller's to add.</summary>
    public override ReadOnlyMemory<byte> Ending(FieldValues told, Usage usage)
    {
        var model = System.Text.Json.JsonEncodedText.Encode(told.Model ?? "");
        var (input, output) = (Units.Inputs.Sum(u => usage[u]), usage[Units.Output]);
        return Encoding.UTF8.GetBytes($$$"""{"candidates":[{"content":{"role":"model","parts":[{"text":""}]},"finishReason":"MAX_TOKENS","index":0}],"usageMetadata":{"promptTokenCount":{{{input}}},"candidatesTokenCount":{{{output}}},"totalTokenCount":{{{input + output}}}},"modelVersion":"{{{model}}}"}""");
    }
}
