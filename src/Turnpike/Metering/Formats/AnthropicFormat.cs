using System.Text;
using Turnpike.Metering.Reading;

namespace Turnpike.Metering.Formats;

/// <summary>
/// Anthropic's Messages. <c>input_tokens</c> excludes what the cache gave or took. A stream tells a snapshot at its start and corrects
/// single fields of it in deltas: a field that is present replaces, an absent one stays.
/// </summary>
internal sealed class AnthropicFormat : UsageFormat
{
    public override string Name => "anthropic";

    public override bool Tells(string unit) => unit is Units.Searches || base.Tells(unit);

    public override PathNode NewPaths() => Fields(Fields(new PathNode()
        .Want("$.delta.text", (int)Field.Text)
        .Want("$.delta.thinking", (int)Field.Text)
        .Want("$.delta.partial_json", (int)Field.Text)
        .Want("$.content[*].text", (int)Field.Text)
        .Want("$.index", (int)Field.Block)
        .Want("$.delta.stop_reason", (int)Field.End)
        .Want("$.stop_reason", (int)Field.End)
        .Want("$.model", (int)Field.Model)
        .Want("$.message.model", (int)Field.Model), "$.usage"), "$.message.usage");

    public override IReadOnlyList<string[]> Maximums { get; } = [["max_tokens"]];

    /// <summary>The number told at the start is a placeholder: only the delta with a reason to stop is the last word.</summary>
    public override bool IsComplete(FieldValues told) => told.Has(Field.End) && told.Has(Field.Output);

    public override void Tell(FieldValues told, Counts into)
    {
        into[Units.Input] = told[Field.Input];
        into[Units.Cached] = told[Field.Cached];
        // Where the two lifetimes are told apart, their sum is told as well.
        into[Units.CacheWriteHour] = told[Field.CacheWriteHour];
        into[Units.CacheWrite] = AtLeastZero(told[Field.CacheWrite] - told[Field.CacheWriteHour]);
        into[Units.Output] = told[Field.Output];
        into[Units.Reasoning] = told[Field.Reasoning];
        into[Units.Searches] = told[Field.Searches];
    }

    /// <summary>The block whose text was cut is open still.</summary>
    public override ReadOnlyMemory<byte> Ending(FieldValues told, MeteredCall call, Framing framing) => Encoding.UTF8.GetBytes($$$"""
        event: content_block_stop
        data: {"type":"content_block_stop","index":{{{told[Field.Block]}}}}

        event: message_delta
        data: {"type":"message_delta","delta":{"stop_reason":"max_tokens","stop_sequence":null},"usage":{"output_tokens":{{{call.Usage[Units.Output]}}}}}

        event: message_stop
        data: {"type":"message_stop"}


        """);

    private static PathNode Fields(PathNode paths, string at) => paths
        .Want(at, (int)Field.Usage)
        .Want($"{at}.input_tokens", (int)Field.Input)
        .Want($"{at}.cache_read_input_tokens", (int)Field.Cached)
        .Want($"{at}.cache_creation_input_tokens", (int)Field.CacheWrite)
        .Want($"{at}.cache_creation.ephemeral_1h_input_tokens", (int)Field.CacheWriteHour)
        .Want($"{at}.output_tokens", (int)Field.Output)
        .Want($"{at}.output_tokens_details.thinking_tokens", (int)Field.Reasoning)
        .Want($"{at}.server_tool_use.web_search_requests", (int)Field.Searches);
}
