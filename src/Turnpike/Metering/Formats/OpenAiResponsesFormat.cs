using System.Text;
using Turnpike.Metering.Reading;

namespace Turnpike.Metering.Formats;

/// <summary>OpenAI's Responses: usage at the top of a body, and within <c>response</c> in the last event of a stream.</summary>
internal sealed class OpenAiResponsesFormat : UsageFormat
{
    public override string Name => "openai-responses";

    public override PathNode NewPaths() => OpenAiFormat.Fields(OpenAiFormat.Fields(new PathNode()
        .Want("$.delta", (int)Field.Text)
        .Want("$.response.id", (int)Field.Id)
        .Want("$.model", (int)Field.Model)
        .Want("$.response.model", (int)Field.Model), "$.usage"), "$.response.usage");

    public override IReadOnlyList<string[]> Maximums { get; } = [["max_output_tokens"]];

    public override byte[][] Pictures { get; } = Names("image_url");

    /// <summary>Small models count a picture thirty times.</summary>
    public override long PerPicture => 50_000;

    public override void Tell(FieldValues told, Counts into) => OpenAiFormat.Split(told, into);

    public override ReadOnlyMemory<byte> Ending(FieldValues told, MeteredCall call, Framing framing)
    {
        var (model, id) = (System.Text.Json.JsonEncodedText.Encode(told.Model ?? ""), System.Text.Json.JsonEncodedText.Encode(told.Id ?? "resp_turnpike"));
        var (input, output) = (Units.Inputs.Sum(u => call.Usage[u]), Units.Outputs.Sum(u => call.Usage[u]));
        return Encoding.UTF8.GetBytes($$$$$$"""
            event: response.incomplete
            data: {"type":"response.incomplete","sequence_number":2147483647,"response":{"id":"{{{{{{id}}}}}}","object":"response","created_at":0,"status":"incomplete","error":null,"incomplete_details":{"reason":"max_output_tokens"},"model":"{{{{{{model}}}}}}","output":[],"usage":{"input_tokens":{{{{{{input}}}}}},"input_tokens_details":{"cached_tokens":0},"output_tokens":{{{{{{output}}}}}},"output_tokens_details":{"reasoning_tokens":0},"total_tokens":{{{{{{input + output}}}}}}}}}


            """);
    }
}
