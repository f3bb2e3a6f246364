using System.Text;
using System.Text.Json;
using Turnpike.Metering.Reading;

namespace Turnpike.Metering.Formats;

/// <summary>
/// OpenAI and what is compatible with it: chat and legacy completions, embeddings, images, audio. Cached and audio tokens are parts of
/// the prompt, reasoning is a part of the completion.
/// </summary>
internal sealed class OpenAiFormat : UsageFormat
{
    private const int MostChoices = 128;

    public override string Name => "openai";

    public override bool Tells(string unit) => unit is Units.Seconds or Units.Minutes || base.Tells(unit);

    public override PathNode NewPaths() => Fields(new PathNode()
        .Want("$.choices[*]", (int)Field.Content)
        .Want("$.type", (int)Field.Typed)
        .Want("$.choices[*].delta.content", (int)Field.Text)
        .Want("$.choices[*].delta.refusal", (int)Field.Text)
        .Want("$.choices[*].delta.reasoning_content", (int)Field.Text)
        .Want("$.choices[*].delta.reasoning", (int)Field.Text)
        .Want("$.choices[*].delta.tool_calls[*].function.name", (int)Field.Text)
        .Want("$.choices[*].delta.tool_calls[*].function.arguments", (int)Field.Text)
        .Want("$.choices[*].delta.function_call.arguments", (int)Field.Text)
        .Want("$.choices[*].text", (int)Field.Text)
        .Want("$.choices[*].message.content", (int)Field.Text)
        .Want("$.delta", (int)Field.Text) // a transcript's
        .Want("$.choices[*].message.tool_calls[*].function.arguments", (int)Field.Text)
        .Want("$.id", (int)Field.Id)
        .Want("$.model", (int)Field.Model), "$.usage");

    public override IReadOnlyList<string[]> Maximums { get; } = [["max_tokens"], ["max_completion_tokens"]];

    public override byte[][] Pictures { get; } = Names("image_url");

    /// <summary>Small models count a picture thirty times.</summary>
    public override long PerPicture => 50_000;

    public override IReadOnlyList<string[]> Multiples { get; } = [["n"], ["best_of"]];

    public override bool MustAskForUsage => true;

    /// <summary>Models that reason refuse the older name; many compatible servers know no other.</summary>
    public override string[] MaximumFor(string? model, bool isChat) =>
        isChat && model is not null && (model.StartsWith("gpt-5", StringComparison.Ordinal) || model is ['o', >= '1' and <= '9', ..]) ? Maximums[1] : Maximums[0];

    /// <summary>The names of chat and of everything newer, at <paramref name="at"/>.</summary>
    public static PathNode Fields(PathNode paths, string at) => paths
        .Want(at, (int)Field.Usage)
        .Want($"{at}.prompt_tokens", (int)Field.Input)
        .Want($"{at}.input_tokens", (int)Field.Input)
        .Want($"{at}.completion_tokens", (int)Field.Output)
        .Want($"{at}.output_tokens", (int)Field.Output)
        .Want($"{at}.total_tokens", (int)Field.Total)
        .Want($"{at}.prompt_tokens_details.cached_tokens", (int)Field.Cached)
        .Want($"{at}.input_tokens_details.cached_tokens", (int)Field.Cached)
        .Want($"{at}.prompt_tokens_details.cache_write_tokens", (int)Field.CacheWrite)
        .Want($"{at}.input_tokens_details.cache_write_tokens", (int)Field.CacheWrite)
        .Want($"{at}.prompt_tokens_details.audio_tokens", (int)Field.AudioInput)
        .Want($"{at}.input_tokens_details.audio_tokens", (int)Field.AudioInput)
        .Want($"{at}.input_token_details.audio_tokens", (int)Field.AudioInput)
        .Want($"{at}.input_tokens_details.image_tokens", (int)Field.ImageInput)
        .Want($"{at}.completion_tokens_details.reasoning_tokens", (int)Field.Reasoning)
        .Want($"{at}.output_tokens_details.reasoning_tokens", (int)Field.Reasoning)
        .Want($"{at}.completion_tokens_details.audio_tokens", (int)Field.AudioOutput)
        .Want($"{at}.output_tokens_details.image_tokens", (int)Field.ImageOutput)
        .Want($"{at}.seconds", (int)Field.Seconds);

    public override bool IsComplete(FieldValues told) => base.IsComplete(told) || told.Has(Field.Seconds);

    /// <summary>Events that name their type (of images, speech and transcripts) tell usage beside what was asked for.</summary>
    public override bool IsOnlyUsage(FieldValues told) => told.Has(Field.Usage) && !told.Has(Field.Content) && !told.Has(Field.Typed);

    public override void Tell(FieldValues told, Counts into) => Split(told, into);

    /// <summary>Every answer that was asked for ends; usage is told to those who asked.</summary>
    public override ReadOnlyMemory<byte> Ending(FieldValues told, MeteredCall call, Framing framing)
    {
        if (call.Request is not { } request) return "data: [DONE]\n\n"u8.ToArray();
        var (model, id) = (JsonEncodedText.Encode(told.Model ?? ""), JsonEncodedText.Encode(told.Id ?? "chatcmpl-turnpike"));
        var kind = request.IsChat ? "chat.completion.chunk" : "text_completion";
        var begin = $$"""data: {"id":"{{id}}","object":"{{kind}}","created":0,"model":"{{model}}","choices":[""";
        var empty = request.IsChat ? "\"delta\":{}" : "\"text\":\"\"";
        var text = new StringBuilder();
        text.Append(begin).AppendJoin(',', Enumerable.Range(0, (int)Math.Min(request.Multiple, MostChoices)).Select(i => $$"""{"index":{{i}},{{empty}},"finish_reason":"length"}""")).Append("]}\n\n");
        var (input, output) = (Units.Inputs.Sum(u => call.Usage[u]), Units.Outputs.Sum(u => call.Usage[u]));
        if (request.AsksForUsage) text.Append(begin).Append($$$"""],"usage":{"prompt_tokens":{{{input}}},"completion_tokens":{{{output}}},"total_tokens":{{{input + output}}}}}""").Append("\n\n");
        return Encoding.UTF8.GetBytes(text.Append("data: [DONE]\n\n").ToString());
    }

    /// <summary>Parts are taken off the whole they are told within. Some compatible servers tell no completion, only a total: what is not prompt is completion.</summary>
    public static void Split(FieldValues told, Counts into)
    {
        var output = Math.Max(told[Field.Output], told[Field.Total] - told[Field.Input]);
        into[Units.Cached] = told[Field.Cached];
        into[Units.CacheWrite] = told[Field.CacheWrite];
        into[Units.AudioInput] = told[Field.AudioInput];
        into[Units.ImageInput] = told[Field.ImageInput];
        into[Units.Input] = AtLeastZero(told[Field.Input] - told[Field.Cached] - told[Field.CacheWrite] - told[Field.AudioInput] - told[Field.ImageInput]);
        into[Units.AudioOutput] = told[Field.AudioOutput];
        into[Units.ImageOutput] = told[Field.ImageOutput];
        into[Units.Output] = AtLeastZero(output - told[Field.AudioOutput] - told[Field.ImageOutput]);
        into[Units.Reasoning] = told[Field.Reasoning];
        if (!told.Has(Field.Seconds)) return;
        into[Units.Seconds] = told[Field.Seconds];
        into[Units.Minutes] = (told[Field.Seconds] + 59) / 60;
    }
}
