using System.Globalization;
using System.Text.Json;
using Turnpike.Metering;

namespace Turnpike.Pricing.Import;

/// <summary>
/// genai-prices' data: providers, their models, and prices for a million tokens (<c>_mtok</c>) or a thousand of something else
/// (<c>_kcount</c>). A price may rise with the tokens of a question, and begin on a day.
/// </summary>
internal static class GenAiPrices
{
    private const int Thousand = 3;

    private static readonly (string Theirs, string Ours, int Shift)[] OurUnits =
    [
        ("input_mtok", Units.Input, 0), ("cache_read_mtok", Units.Cached, 0), ("cache_write_mtok", Units.CacheWrite, 0), ("cache_write_5m_mtok", Units.CacheWrite, 0), ("cache_write_1h_mtok", Units.CacheWriteHour, 0),
        ("input_audio_mtok", Units.AudioInput, 0), ("input_image_mtok", Units.ImageInput, 0),
        ("output_mtok", Units.Output, 0), ("output_audio_mtok", Units.AudioOutput, 0), ("output_image_mtok", Units.ImageOutput, 0), ("output_reasoning_mtok", Units.Reasoning, 0),
        ("web_searches_kcount", Units.Searches, Thousand), ("requests_kcount", Units.Requests, Thousand),
    ];

    public static PriceList Read(IEnumerable<JsonElement> providers, string? provider, DateOnly day)
    {
        var list = new PriceList("genai-prices");
        foreach (var each in providers.Where(p => provider is null || PriceList.Text(p, "id") == provider))
        {
            if (each.ValueKind != JsonValueKind.Object || !each.TryGetProperty("models", out var models) || models.ValueKind != JsonValueKind.Array) continue;
            foreach (var model in models.EnumerateArray())
                if (PriceList.Text(model, "id") is { } id && model.TryGetProperty("prices", out var prices)) Add(list, id, prices, day, PriceList.TellsSearches(PriceList.Text(each, "id")));
        }
        return list;
    }

    private static void Add(PriceList list, string name, JsonElement prices, DateOnly day, bool tellsSearches)
    {
        var without = new List<string>();
        if (prices.ValueKind == JsonValueKind.Array)
        {
            if (InForce(prices, day, without) is not { } now) { list.LeftOut.Add($"{PriceList.Shown(name)}: its prices depend on the time of day, or on a day that is not told"); return; }
            prices = now;
        }
        if (prices.ValueKind != JsonValueKind.Object) return;
        var rates = new List<ListedRate>();
        var known = tellsSearches ? OurUnits : OurUnits.Where(unit => unit.Ours != Units.Searches).ToArray();
        foreach (var (theirs, ours, shift) in known)
            if (prices.TryGetProperty(theirs, out var price) && price.ValueKind != JsonValueKind.Null)
            {
                if (Listed(ours, price, shift) is not { } rate) { list.LeftOut.Add($"{PriceList.Shown(name)}: {theirs} is no price that is known"); return; }
                rates.Add(rate);
            }
        without.AddRange(prices.EnumerateObject().Where(p => p.Value.ValueKind != JsonValueKind.Null && known.All(unit => unit.Theirs != p.Name)).Select(p => PriceList.Shown(p.Name)));
        list.Add(name, rates, without);
    }

    /// <summary>A number, or one with others for long questions: <c>{ base, tiers: [{ start, price }] }</c>.</summary>
    private static ListedRate? Listed(string unit, JsonElement price, int shift)
    {
        if (PriceList.Number(price) is { } number) return new ListedRate(unit, number, shift, []);
        if (price.ValueKind != JsonValueKind.Object || !price.TryGetProperty("base", out var first) || PriceList.Number(first) is not { } shorter || !price.TryGetProperty("tiers", out var tiers) || tiers.ValueKind != JsonValueKind.Array) return null;
        var steps = new List<(long, string)>();
        foreach (var tier in tiers.EnumerateArray())
        {
            if (tier.ValueKind != JsonValueKind.Object || !tier.TryGetProperty("start", out var start) || start.ValueKind != JsonValueKind.Number || !start.TryGetInt64(out var above) || above < 1 || !tier.TryGetProperty("price", out var then) || PriceList.Number(then) is not { } longer) return null;
            steps.Add((above, longer));
        }
        return new ListedRate(unit, shorter, shift, steps);
    }

    /// <summary>Of prices that begin on days, the last that has begun; null where hours decide, or nobody knows what.</summary>
    private static JsonElement? InForce(JsonElement prices, DateOnly day, List<string> later)
    {
        JsonElement? now = null;
        foreach (var each in prices.EnumerateArray())
        {
            if (each.ValueKind != JsonValueKind.Object || !each.TryGetProperty("prices", out var these)) return null;
            if (each.TryGetProperty("constraint", out var constraint) && constraint.ValueKind != JsonValueKind.Null)
            {
                if (!DateOnly.TryParseExact(PriceList.Text(constraint, "start_date"), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var begins)) return null;
                if (begins > day) { later.Add($"its prices from {begins:yyyy-MM-dd} on"); continue; }
            }
            now = these;
        }
        return now;
    }
}
