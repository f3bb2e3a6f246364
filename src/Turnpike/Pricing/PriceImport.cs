using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Turnpike.Ledger;
using Turnpike.Metering;

namespace Turnpike.Pricing;

/// <summary>
/// Public price lists made into rates of ours: LiteLLM's <c>model_prices_and_context_window.json</c> (money for one token, in scientific
/// notation) and genai-prices' data (money for a million). Read as decimal text, never as floating point; what cannot be written exactly
/// as an amount for a million is left out and told, not rounded.
/// </summary>
internal static class PriceImport
{
    private const int Million = 6;

    private static readonly (string Theirs, string Ours)[] OfLiteLlm =
    [
        ("input_cost_per_token", Units.Input), ("cache_read_input_token_cost", Units.Cached), ("cache_creation_input_token_cost", Units.CacheWrite),
        ("cache_creation_input_token_cost_above_1hr", Units.CacheWriteHour), ("input_cost_per_audio_token", Units.AudioInput), ("input_cost_per_image_token", Units.ImageInput),
        ("output_cost_per_token", Units.Output), ("output_cost_per_audio_token", Units.AudioOutput), ("output_cost_per_image_token", Units.ImageOutput), ("output_cost_per_reasoning_token", Units.Reasoning),
    ];

    private static readonly (string Theirs, string Ours)[] OfGenAi =
    [
        ("input_mtok", Units.Input), ("cache_read_mtok", Units.Cached), ("cache_write_mtok", Units.CacheWrite), ("input_audio_mtok", Units.AudioInput),
        ("output_mtok", Units.Output), ("output_audio_mtok", Units.AudioOutput),
    ];

    /// <summary>The rates of a provider's models; null when it is neither of the two formats.</summary>
    /// <param name="provider">Only this provider's; null: all.</param>
    public static PriceList? Read(JsonElement root, string? provider) => root.ValueKind switch
    {
        JsonValueKind.Object when root.EnumerateObject().Any(m => m.Value.ValueKind == JsonValueKind.Object && m.Value.TryGetProperty("litellm_provider", out _)) => LiteLlm(root, provider),
        JsonValueKind.Array when root.EnumerateArray().Any(p => p.ValueKind == JsonValueKind.Object && p.TryGetProperty("models", out _)) => GenAi(root.EnumerateArray(), provider),
        JsonValueKind.Object when root.TryGetProperty("providers", out var providers) && providers.ValueKind == JsonValueKind.Array => GenAi(providers.EnumerateArray(), provider),
        _ => null,
    };

    /// <summary>YAML to stand below <c>price:</c>: what it was made from, and the rates as decimal text, models in order.</summary>
    public static string Write(PriceList list, byte[] source, string name, DateOnly day)
    {
        var text = new StringBuilder()
            .Append(CultureInfo.InvariantCulture, $"# Rates for a million, from {name} ({list.Format}), read on {day:yyyy-MM-dd}.\n")
            .Append(CultureInfo.InvariantCulture, $"# sha256 of that file: {Convert.ToHexStringLower(SHA256.HashData(source))}\n")
            .Append("per-million:\n");
        foreach (var (model, rates) in list.Models.OrderBy(m => m.Key, StringComparer.Ordinal))
            text.Append(CultureInfo.InvariantCulture, $"  \"{model}\": {{ {string.Join(", ", rates.Select(r => $"{r.Key}: {r.Value}"))} }}\n");
        foreach (var left in list.LeftOut) text.Append(CultureInfo.InvariantCulture, $"# left out: {left}\n");
        return text.ToString();
    }

    private static PriceList LiteLlm(JsonElement root, string? provider)
    {
        var list = new PriceList("LiteLLM");
        foreach (var model in root.EnumerateObject())
        {
            if (model.Name == "sample_spec" || model.Value.ValueKind != JsonValueKind.Object || provider is not null && Text(model.Value, "litellm_provider") != provider) continue;
            Add(list, model.Name, OfLiteLlm.Select(r => (r.Ours, Number(model.Value, r.Theirs), Million)), [.. model.Value.EnumerateObject().Where(p => p.Name.Contains("_above_", StringComparison.Ordinal) && p.Name.EndsWith("_tokens", StringComparison.Ordinal)).Select(p => p.Name)]);
        }
        return list;
    }

    private static PriceList GenAi(IEnumerable<JsonElement> providers, string? provider)
    {
        var list = new PriceList("genai-prices");
        foreach (var each in providers.Where(p => provider is null || Text(p, "id") == provider))
        {
            if (!each.TryGetProperty("models", out var models) || models.ValueKind != JsonValueKind.Array) continue;
            foreach (var model in models.EnumerateArray())
            {
                if (Text(model, "id") is not { } id || !model.TryGetProperty("prices", out var prices)) continue;
                // Prices bound to times or hours have conditions of their own: nobody may guess which holds.
                if (prices.ValueKind != JsonValueKind.Object) { list.LeftOut.Add($"{Shown(id)}: its prices depend on the time"); continue; }
                Add(list, id, OfGenAi.Select(r => (r.Ours, Number(prices, r.Theirs), 0)), [.. prices.EnumerateObject().Where(p => p.Value.ValueKind == JsonValueKind.Object).Select(p => p.Name)]);
            }
        }
        return list;
    }

    private static void Add(PriceList list, string model, IEnumerable<(string Unit, string? Number, int Shift)> rates, IReadOnlyList<string> conditional)
    {
        // A cheaper rate for short requests alone would sell the long ones below their price.
        if (conditional.Count > 0) { list.LeftOut.Add($"{Shown(model)}: {string.Join(", ", conditional)} depends on the size of the request"); return; }
        var found = new Dictionary<string, Money>(StringComparer.Ordinal);
        foreach (var (unit, number, shift) in rates)
        {
            if (number is null) continue;
            if (ForAMillion(number, shift) is not { } money) { list.LeftOut.Add($"{Shown(model)}: {unit} {Shown(number)} is no amount with nine decimals"); return; }
            if (!money.IsZero) found[unit] = money;
        }
        if (!found.ContainsKey(Units.Input) && !found.ContainsKey(Units.Output)) return; // sold by the second or the picture
        if (model.Length is 0 or > 128 || model.Any(c => char.IsControl(c) || c is '"' or '\\')) { list.LeftOut.Add($"{Shown(model)}: no name"); return; }
        if (!list.Models.TryAdd(model, found)) list.LeftOut.Add($"{Shown(model)}: named twice; say which provider's");
    }

    /// <summary>Decimal text, moved by so many places without a floating point: <c>1.5e-07</c> for one is 0.15 for a million.</summary>
    public static Money? ForAMillion(string number, int shift)
    {
        var at = number.IndexOfAny(['e', 'E']);
        if (!int.TryParse(at < 0 ? "0" : number[(at + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var exponent)) return null;
        var (digits, point) = (at < 0 ? number : number[..at], 0);
        if (digits.IndexOf('.', StringComparison.Ordinal) is >= 0 and var dot) (digits, point) = (digits.Remove(dot, 1), digits.Length - dot - 1);
        if (digits.Length is 0 or > 40 || !digits.All(char.IsAsciiDigit) || Math.Abs((long)exponent) > 40) return null;
        var places = point - exponent - shift; // digits behind the point
        digits = places < 0 ? digits + new string('0', -places) : digits.PadLeft(places + 1, '0');
        var text = places <= 0 ? digits : $"{digits[..^places]}.{digits[^places..]}".TrimEnd('0').TrimEnd('.');
        return Money.TryParse(text.TrimStart('0') is { Length: > 0 } bare && bare[0] != '.' ? bare : "0" + text.TrimStart('0'), "USD", out var money) ? money : null;
    }

    private static string? Number(JsonElement of, string name) => of.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.Number or JsonValueKind.String ? value.ValueKind == JsonValueKind.String ? value.GetString() : value.GetRawText() : null;

    private static string? Text(JsonElement of, string name) => of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string Shown(string text) => Catalog.Document.Reading.Shown(text);
}

/// <summary>What was read of a price list.</summary>
internal sealed record PriceList(string Format)
{
    public Dictionary<string, Dictionary<string, Money>> Models { get; } = new(StringComparer.Ordinal);

    /// <summary>Models that were not taken over, and why.</summary>
    public List<string> LeftOut { get; } = [];
}
