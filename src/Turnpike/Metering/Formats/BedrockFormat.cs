using System.Text;
using Turnpike.Metering.Reading;

namespace Turnpike.Metering.Formats;

/// <summary>Amazon Bedrock's Converse: usage at the top of a body, and in the <c>metadata</c> frame at a stream's end. Cached tokens are not a part of the input.</summary>
internal sealed class BedrockFormat : UsageFormat
{
    public override string Name => "bedrock";

    public override PathNode NewPaths() => new PathNode()
        .Want("$.contentBlockIndex", (int)Field.Block)
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

    public override byte[][] Fetching { get; } = Names("s3Location document video audio");

    public override byte[][] OwnTools { get; } = Names("systemTool");

    public override byte[][] Pictures { get; } = Names("image");

    public override void Tell(FieldValues told, Counts into)
    {
        into[Units.Input] = told[Field.Input];
        into[Units.Cached] = told[Field.Cached];
        into[Units.CacheWrite] = told[Field.CacheWrite];
        into[Units.Output] = told[Field.Output];
    }

    /// <summary>The block whose text was cut is open still; usage comes last.</summary>
    public override ReadOnlyMemory<byte> Ending(FieldValues told, MeteredCall call, Framing framing)
    {
        var (input, output) = (Units.Inputs.Sum(u => call.Usage[u]), call.Usage[Units.Output]);
        return (byte[])
        [
            .. BinaryEvent.Write("contentBlockStop", Encoding.UTF8.GetBytes($$"""{"contentBlockIndex":{{told[Field.Block]}}}""")),
            .. BinaryEvent.Write("messageStop", """{"stopReason":"max_tokens"}"""u8),
            .. BinaryEvent.Write("metadata", Encoding.UTF8.GetBytes($$$"""{"usage":{"inputTokens":{{{input}}},"outputTokens":{{{output}}},"totalTokens":{{{input + output}}}},"metrics":{"latencyMs":0}}""")),
        ];
    }
}
