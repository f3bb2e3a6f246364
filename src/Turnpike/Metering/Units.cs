namespace Turnpike.Metering;

/// <summary>
/// What is counted. Token units are disjoint: <c>input_tokens</c> excludes what was read from or written to a cache, audio and images;
/// only <c>reasoning_tokens</c> are a part of another (<c>output_tokens</c>), and <c>total_tokens</c> is everything in and out.
/// </summary>
internal static class Units
{
    public const string Input = "input_tokens", Cached = "cached_input_tokens", CacheWrite = "cache_write_tokens", CacheWriteHour = "cache_write_1h_tokens";
    public const string AudioInput = "input_audio_tokens", ImageInput = "input_image_tokens";
    public const string Output = "output_tokens", AudioOutput = "output_audio_tokens", ImageOutput = "output_image_tokens", Reasoning = "reasoning_tokens";
    public const string Total = "total_tokens", Searches = "web_searches";
    public const string Requests = "requests", Bytes = "bytes", RequestBytes = "request_bytes", Duration = "duration_ms", Seconds = "seconds", Minutes = "minutes", Records = "records";

    public static readonly string[] Inputs = [Input, Cached, CacheWrite, CacheWriteHour, AudioInput, ImageInput];
    public static readonly string[] Outputs = [Output, AudioOutput, ImageOutput];

    public static bool IsInput(string unit) => Array.IndexOf(Inputs, unit) >= 0;

    /// <summary>One of the kinds that <c>total_tokens</c> is made of.</summary>
    public static bool IsToken(string unit) => IsInput(unit) || Array.IndexOf(Outputs, unit) >= 0;

    /// <summary>Known of every answer here, whatever it tells.</summary>
    public static bool IsMeasured(string unit) => unit is Requests or Bytes or RequestBytes or Duration;

    /// <summary>What a unit without a rate of its own is charged as, so that nothing passes free because a price list forgot it.</summary>
    public static string? ChargedAs(string unit) => unit switch
    {
        Cached or CacheWrite or AudioInput or ImageInput => Input,
        CacheWriteHour => CacheWrite,
        AudioOutput or ImageOutput => Output,
        _ => null,
    };

    /// <summary>Null for a name that may stand in a document, else why not.</summary>
    public static string? CheckName(string name) =>
        name.Length is > 0 and <= 48 && char.IsAsciiLetterLower(name[0]) && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_') ? null : "a unit is named by small letters, digits and '_', such as input_tokens";
}
