namespace Turnpike.Metering.Formats;

/// <summary>What providers call the parts of usage, brought to one list before anything is added or taken off.</summary>
internal enum Field
{
    Input,
    Output,
    Total,
    Cached,
    CacheWrite,
    CacheWriteHour,
    AudioInput,
    AudioOutput,
    ImageInput,
    ImageOutput,
    ToolInput,
    Thoughts,
    Reasoning,
    Searches,
    Seconds,

    /// <summary>A usage object was there at all.</summary>
    Usage,

    /// <summary>Something was said beside usage: choices that are not empty.</summary>
    Content,

    /// <summary>The model's name.</summary>
    Model,

    /// <summary>Text for the caller: only its length counts.</summary>
    Text,

    /// <summary>The last word of a stream or body.</summary>
    End,
}
