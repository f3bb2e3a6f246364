using System.Text;
using Turnpike.Metering.Reading;

namespace Turnpike.Metering.Formats;

/// <summary>
/// Google's Gemini. Cached tokens are a part of the prompt; thoughts are not a part of the candidates, and are charged as output.
/// Counts are split by kind of content in lists beside them, which have the cached ones in them, too. Nearly every chunk tells everything so far. A stream is events with <c>alt=sse</c>, and otherwise one JSON array.
/// </summary>
internal sealed class GeminiFormat : UsageFormat
{
    private static readonly string[] Deferred = ["batchGenerateContent", "asyncBatchEmbedContent", "predictLongRunning"];

    public override string Name => "gemini";

    public override PathNode NewPaths() => Fields(Fields(new PathNode(), "$"), "$[*]");

    /// <summary>Each name is understood with underscores, too. Of each object, the name in its own manner comes first.</summary>
    public override IReadOnlyList<string[]> Maximums { get; } = [["generationConfig", "maxOutputTokens"], ["generationConfig", "max_output_tokens"], ["generation_config", "max_output_tokens"], ["generation_config", "maxOutputTokens"]];

    public override IReadOnlyList<string[]> Multiples { get; } = [["generationConfig", "candidateCount"], ["generationConfig", "candidate_count"], ["generation_config", "candidate_count"], ["generation_config", "candidateCount"]];

    public override byte[][] Fetching { get; } = Names("fileUri file_uri");

    public override byte[][] OwnTools { get; } = Names("googleSearch googleSearchRetrieval enterpriseWebSearch googleMaps urlContext codeExecution fileSearch retrieval google_search google_search_retrieval enterprise_web_search google_maps url_context code_execution file_search");

    public override bool IsComplete(FieldValues told) => told.Has(Field.End) && (told.Has(Field.Output) || told.Has(Field.Total));

    public override void Tell(FieldValues told, Counts into)
    {
        var input = told[Field.Input] + told[Field.ToolInput];
        var (audio, image) = (AtLeastZero(told[Field.AudioInput] - told[Field.CachedAudio]), AtLeastZero(told[Field.ImageInput] - told[Field.CachedImage]));
        into[Units.Cached] = told[Field.Cached];
        into[Units.AudioInput] = audio;
        into[Units.ImageInput] = image;
        into[Units.Input] = AtLeastZero(input - told[Field.Cached] - audio - image);
        into[Units.AudioOutput] = told[Field.AudioOutput];
        into[Units.ImageOutput] = told[Field.ImageOutput];
        into[Units.Output] = AtLeastZero(Math.Max(told[Field.Output] + told[Field.Thoughts], told[Field.Total] - input) - told[Field.AudioOutput] - told[Field.ImageOutput]);
        into[Units.Reasoning] = told[Field.Thoughts];
    }

    public override Framing FramingFor(string? contentType) =>
        base.FramingFor(contentType) is Framing.Whole ? new Framing.Elements() : base.FramingFor(contentType);

    /// <summary><c>models/gemini-2.5-pro:streamGenerateContent</c>: what is done with a model stands behind its name.</summary>
    public override string ModelIn(string segment) => segment[(segment.LastIndexOf('/') + 1)..] is var last && last.IndexOf(':', StringComparison.Ordinal) is >= 0 and var verb ? last[..verb] : last;

    /// <summary>Batches and films are made by verbs that stand where those of an answer do, behind the same model.</summary>
    public override bool IsDeferred(string path) =>
        Uri.UnescapeDataString(path[(path.LastIndexOf('/') + 1)..]) is var last && last[(last.LastIndexOf(':') + 1)..] is var verb && Deferred.Contains(verb, StringComparer.OrdinalIgnoreCase);

    private static PathNode Fields(PathNode paths, string at) => Split(paths, $"{at}.usageMetadata")
        .Want($"{at}.candidates[*].content.parts[*].text", (int)Field.Text)
        .Want($"{at}.candidates[*].finishReason", (int)Field.End)
        .Want($"{at}.promptFeedback.blockReason", (int)Field.End)
        .Want($"{at}.modelVersion", (int)Field.Model)
        .Want($"{at}.usageMetadata", (int)Field.Usage)
        .Want($"{at}.usageMetadata.promptTokenCount", (int)Field.Input)
        .Want($"{at}.usageMetadata.toolUsePromptTokenCount", (int)Field.ToolInput)
        .Want($"{at}.usageMetadata.cachedContentTokenCount", (int)Field.Cached)
        .Want($"{at}.usageMetadata.candidatesTokenCount", (int)Field.Output)
        .Want($"{at}.usageMetadata.thoughtsTokenCount", (int)Field.Thoughts)
        .Want($"{at}.usageMetadata.totalTokenCount", (int)Field.Total);

    private static PathNode Split(PathNode paths, string at)
    {
        foreach (var (name, list) in new[] { ("promptTokensDetails", Field.InputKinds), ("cacheTokensDetails", Field.CachedKinds), ("candidatesTokensDetails", Field.OutputKinds) })
            paths.Want($"{at}.{name}[*]", (int)list).Want($"{at}.{name}[*].modality", (int)Field.Kind).Want($"{at}.{name}[*].tokenCount", (int)Field.KindCount);
        return paths;
    }

    /// <summary>One more chunk that stops for length: an event, or the last element of the array.</summary>
    public override ReadOnlyMemory<byte> Ending(FieldValues told, MeteredCall call, Framing framing)
    {
        var model = System.Text.Json.JsonEncodedText.Encode(told.Model ?? "");
        var (input, output) = (Units.Inputs.Sum(u => call.Usage[u]), call.Usage[Units.Output]);
        var chunk = $$$"""{"candidates":[{"content":{"role":"model","parts":[{"text":""}]},"finishReason":"MAX_TOKENS","index":0}],"usageMetadata":{"promptTokenCount":{{{input}}},"candidatesTokenCount":{{{output}}},"totalTokenCount":{{{input + output}}}},"modelVersion":"{{{model}}}"}""";
        return Encoding.UTF8.GetBytes(framing is Framing.Elements array ? $"{(array.Count > 1 ? "," : "[")}{chunk}]" : $"data: {chunk}\r\n\r\n");
    }
}
