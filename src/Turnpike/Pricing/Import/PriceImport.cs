using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Turnpike.Ledger;

namespace Turnpike.Pricing.Import;

/// <summary>
/// Public price lists made into rates of ours. Read as decimal text, never as floating point; what cannot be written exactly as an
/// amount for a million is left out and told, not rounded.
/// </summary>
internal static class PriceImport
{
    /// <summary>The rates of a provider's models as they are on a day; null when it is none of the formats that are known.</summary>
    /// <param name="provider">Only this provider's; null: all.</param>
    public static PriceList? Read(JsonElement root, string? provider, DateOnly day) => root.ValueKind switch
    {
        JsonValueKind.Object when root.EnumerateObject().Any(m => m.Value.ValueKind == JsonValueKind.Object && m.Value.TryGetProperty("litellm_provider", out _)) => LiteLlmPrices.Read(root, provider),
        JsonValueKind.Array when root.EnumerateArray().Any(p => p.ValueKind == JsonValueKind.Object && p.TryGetProperty("models", out _)) => GenAiPrices.Read(root.EnumerateArray(), provider, day),
        JsonValueKind.Object when root.TryGetProperty("providers", out var providers) && providers.ValueKind == JsonValueKind.Array => GenAiPrices.Read(providers.EnumerateArray(), provider, day),
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
            text.Append(CultureInfo.InvariantCulture, $"  \"{model}\": {{ {string.Join(", ", rates.Select(r => $"{r.Key}: {r.Value.Text}"))} }}\n");
        foreach (var left in list.LeftOut) text.Append(CultureInfo.InvariantCulture, $"# left out: {left}\n");
        foreach (var (model, what) in list.Without) text.Append(CultureInfo.InvariantCulture, $"# {PriceList.Shown(model)} without: {string.Join(", ", what)}\n");
        return text.ToString();
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
}
