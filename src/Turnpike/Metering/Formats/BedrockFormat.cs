using Turnpike.Metering.Reading;

namespace Turnpike.Metering.Formats;

/// <summary>Amazon Bedrock's Converse: usage at the top of a body, and in the <c>metadata</c> frame at a stream's end. Cached tokens are not a part of the input.</summary>
internal sealed class BedrockFormat : UsageFormat
{
    public override string Name => "bedrock";

    public override PathNode NewPaths() => new PathNode()
        .Want("$.delta.text", (int)Field.Text)
        .Want("$.delta.reasoningContent.text", (int)Field.Text)
        .Want("$.delta.toolUse.input", (int)Field.Text)
        .Want("$.usage", (int)Field.Usage)
        .Want("$.usage.inputTokens", (int)Field.Input)
        .Want("$.usage.cacheReadInputTokens", (int)Field.Cached)
        .Want("$.usage.cacheWriteInputTokens", (int)Field.CacheWrite)
        .Want("$.usage.outputTokens", (int)Field.Output)
        .Want("$.usage.totalTokens", (int)Field.Total);

    public override IReadOnlyList<string[]> Maximums { get; } = [["inferenceConfig", "maxTokens"]];

    public override void Tell(FieldValues told, Counts into)
    {
        into[Units.Input] = told[Field.Input];
        into[Units.Cached] = told[Field.Cached];
        into[Units.CacheWrite] = told[Field.CacheWrite];
        into[Units.Output] = told[Field.Output];
    }

    public override ReadOnlyMemory<byte> Ending(FieldValues told, Usage usage) => BinaryEvent.Write("messageStop", """{"stopReason":"max_tokens"}"""u8);
}
