using System.Collections.Frozen;

namespace Turnpike.Metering.Formats;

/// <summary>The formats there are, each found by its name.</summary>
internal static class UsageFormats
{
    public static readonly UsageFormat None = new NoFormat();

    public static readonly FrozenDictionary<string, UsageFormat> ByName = new UsageFormat[]
    {
        new OpenAiFormat(), new OpenAiResponsesFormat(), new AnthropicFormat(), new GeminiFormat(), new BedrockFormat(),
    }.ToFrozenDictionary(f => f.Name, StringComparer.Ordinal);
}
