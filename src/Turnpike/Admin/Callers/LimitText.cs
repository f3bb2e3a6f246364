using System.Text.Json;
using Turnpike.Catalog.Loading;

namespace Turnpike.Admin.Callers;

/// <summary>A limit as an option says it: <c>100 requests per 1m</c>, or JSON in the words of the Admin API.</summary>
internal static class LimitText
{
    public static IReadOnlyList<RateWords> Read(IEnumerable<string> texts) => [.. texts.Select(Read)];

    /// <summary>In one line.</summary>
    public static string Tell(RateWords limit) => $"{limit.Amount}{(limit.Per is { } per ? $" per {per}" : " at once")}{(limit.Key is { Count: > 0 } key ? $" by {string.Join(" and ", key)}" : "")}{(limit.Shadow == true ? ", refusing nothing" : "")}";

    private static RateWords Read(string text)
    {
        if (text.TrimStart().StartsWith('{'))
        {
            try
            {
                return JsonSerializer.Deserialize(text, AdminJson.Default.RateWords)!;
            }
            catch (JsonException)
            {
                return new RateWords(text); // refused as an amount, with these words
            }
        }
        var at = text.IndexOf(" per ", StringComparison.Ordinal);
        return at < 0 ? new RateWords(text) : new RateWords(text[..at], text[(at + 5)..].Trim());
    }
}
