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
    CachedAudio,
    CachedImage,
    ToolInput,
    Thoughts,
    Reasoning,
    Searches,
    Seconds,

    /// <summary>The place of the part that is being told: which of several blocks.</summary>
    Block,

    /// <summary>A usage object was there at all.</summary>
    Usage,

    /// <summary>Something was said beside usage: choices that are not empty.</summary>
    Content,

    /// <summary>It is an event that names its type.</summary>
    Typed,

    /// <summary>The model's name.</summary>
    Model,

    /// <summary>The answer's own name.</summary>
    Id,

    /// <summary>A list that splits a count by kinds of content, each element a kind and its count, in either order: of the input, of what of it was cached, of the output.</summary>
    InputKinds,
    CachedKinds,
    OutputKinds,
    Kind,
    KindCount,

    /// <summary>Text for the caller: only its length counts.</summary>
    Text,

    /// <summary>The last word of a stream or body.</summary>
    End,
}
