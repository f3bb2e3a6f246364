using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Turnpike.Metering;

namespace Turnpike.Pricing.Import;

/// <summary>LiteLLM's <c>model_prices_and_context_window.json</c>: a model's name, and beside other things money for one token, in scientific notation.</summary>
internal static partial class LiteLlmPrices
{
    private const int Million = 6;

    private static readonly (string Theirs, string Ours)[] OurUnits =
    [
        ("input_cost_per_token", Units.Input), ("cache_read_input_token_cost", Units.Cached), ("cache_creation_input_token_cost", Units.CacheWrite),
        ("cache_creation_input_token_cost_above_1hr", Units.CacheWriteHour), ("input_cost_per_audio_token", Units.AudioInput), ("input_cost_per_image_token", Units.ImageInput),
        ("output_cost_per_token", Units.Output), ("output_cost_per_audio_token", Units.AudioOutput), ("output_cost_per_image_token", Units.ImageOutput), ("output_cost_per_reasoning_token", Units.Reasoning),
    ];

    private const string PerSearch = "search_context_cost_per_query";

    /// <summary>Ways to be served that are not sold at the rates of the usual.</summary>
    private static readonly string[] OtherWays = ["_batches", "_flex", "_priority"];

    public static PriceList Read(JsonElement root, string? provider)
    {
        var list = new PriceList("LiteLLM");
        foreach (var model in root.EnumerateObject())
        {
            if (model.Name == "sample_spec" || model.Value.ValueKind != JsonValueKind.Object || provider is not null && PriceList.Text(model.Value, "litellm_provider") != provider) continue;
            if (model.Value.TryGetProperty("tiered_pricing", out var tiers) && tiers.ValueKind == JsonValueKind.Array) list.LeftOut.Add($"{PriceList.Shown(model.Name)}: tiered_pricing does not say of what its ranges are");
            else Add(list, Bare(model), model.Value);
        }
        return list;
    }

    /// <summary>As requests name it: the list puts the provider before the names of some.</summary>
    private static string Bare(JsonProperty model) =>
        PriceList.Text(model.Value, "litellm_provider") is { Length: > 0 } provider && model.Name.StartsWith(provider + "/", StringComparison.Ordinal) ? model.Name[(provider.Length + 1)..] : model.Name;

    private static void Add(PriceList list, string name, JsonElement model)
    {
        var rates = new Dictionary<string, string>(StringComparer.Ordinal);
        var steps = new Dictionary<string, List<(long, string)>>(StringComparer.Ordinal);
        var without = new List<string>();
        string? search = null;
        foreach (var field in model.EnumerateObject().Where(f => f.Name.Contains("cost", StringComparison.Ordinal) && !OtherWays.Any(way => f.Name.EndsWith(way, StringComparison.Ordinal))))
        {
            var number = PriceList.Number(field.Value);
            if (number is not null && UnitOf(field.Name) is { } unit) rates[unit] = number;
            else if (number is not null && LongStep().Match(field.Name) is { Success: true } step && UnitOf(step.Groups["rate"].Value) is { } longer)
            {
                if (!steps.TryGetValue(longer, out var of)) steps[longer] = of = [];
                of.Add((long.Parse(step.Groups["thousands"].Value, CultureInfo.InvariantCulture) * 1000, number));
            }
            else if (field.Name == PerSearch && PriceList.TellsSearches(PriceList.Text(model, "litellm_provider")) && OnePrice(field.Value) is { } one) search = one;
            else if (!IsNothing(field.Value)) without.Add(PriceList.Shown(field.Name));
        }
        if (steps.Keys.FirstOrDefault(unit => !rates.ContainsKey(unit)) is { } alone) { list.LeftOut.Add($"{PriceList.Shown(name)}: {alone} has a price for long questions alone"); return; }
        if (search is not null) rates[Units.Searches] = search;
        list.Add(name, OurUnits.Select(known => known.Ours).Append(Units.Searches).Where(rates.ContainsKey).Select(unit => new ListedRate(unit, rates[unit], Million, steps.GetValueOrDefault(unit) ?? [])), without);
    }

    private static string? UnitOf(string theirs) => OurUnits.FirstOrDefault(known => known.Theirs == theirs).Ours;

    /// <summary>What a search costs where its size makes no difference.</summary>
    private static string? OnePrice(JsonElement sizes) =>
        sizes.ValueKind == JsonValueKind.Object && sizes.EnumerateObject().Select(size => PriceList.Number(size.Value)).Distinct().ToList() is [{ } one] ? one : null;

    private static bool IsNothing(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().All(member => IsNothing(member.Value)),
        JsonValueKind.Number => PriceImport.ForAMillion(value.GetRawText(), 0) is { IsZero: true },
        _ => false,
    };

    [GeneratedRegex(@"^(?<rate>.+)_above_(?<thousands>[0-9]{1,6})k_tokens\z")]
    private static partial Regex LongStep();
}
