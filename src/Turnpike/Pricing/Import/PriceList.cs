using System.Text.Json;
using Turnpike.Catalog.Document;
using Turnpike.Ledger;
using Turnpike.Metering;

namespace Turnpike.Pricing.Import;

/// <summary>What was read of a price list.</summary>
internal sealed record PriceList(string Format)
{
    /// <summary>Rates by model and unit.</summary>
    public Dictionary<string, IReadOnlyDictionary<string, ImportedRate>> Models { get; } = new(StringComparer.Ordinal);

    /// <summary>Models that were not taken over, and why.</summary>
    public List<string> LeftOut { get; } = [];

    /// <summary>What the list has of a model that was taken over, and nothing here is charged by.</summary>
    public Dictionary<string, IReadOnlyList<string>> Without { get; } = new(StringComparer.Ordinal);

    /// <summary>Takes a model over whole, or leaves it out and tells why.</summary>
    /// <param name="without">What the list says of it beside.</param>
    public void Add(string model, IEnumerable<ListedRate> listed, IReadOnlyList<string> without)
    {
        var rates = new Dictionary<string, ImportedRate>(StringComparer.Ordinal);
        foreach (var rate in listed)
        {
            if (ImportedRate.Of(rate) is not { } exact) { LeftOut.Add($"{Shown(model)}: {rate.Unit} {Shown(rate.Number)} is no amount with nine decimals"); return; }
            if (!exact.Rises) { LeftOut.Add($"{Shown(model)}: {rate.Unit} becomes cheaper for long questions"); return; }
            rates.TryAdd(rate.Unit, exact);
        }
        // Nothing for a kind whose whole is paid is said as it is: left away, it would be charged as the whole.
        foreach (var unit in rates.Keys.Where(unit => rates[unit].IsFree && (Units.ChargedAs(unit) is not { } whole || !rates.TryGetValue(whole, out var paid) || paid.IsFree)).ToList()) rates.Remove(unit);
        if (!rates.Keys.Any(Units.IsToken)) LeftOut.Add($"{Shown(model)}: no price for tokens");
        else if (Whole(rates) is { } whole) LeftOut.Add($"{Shown(model)}: no price for {whole}, and what is not told apart would cost nothing");
        else if (model.Length is 0 or > 128 || model.Any(c => char.IsControl(c) || c is '"' or '\\')) LeftOut.Add($"{Shown(model)}: no name");
        else if (!Models.TryAdd(model, rates)) LeftOut.Add($"{Shown(model)}: named twice; say which provider's");
        else if (without.Count > 0) Without[model] = without;
    }

    /// <summary>What is priced in a kind of it alone.</summary>
    private static string? Whole(Dictionary<string, ImportedRate> rates) =>
        rates.Keys.Select(Units.ChargedAs).FirstOrDefault(whole => whole is Units.Input or Units.Output && !rates.ContainsKey(whole));

    /// <summary>A number as it stands in the file, or text that holds one; null for anything else.</summary>
    public static string? Number(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => value.GetRawText(),
        JsonValueKind.String => value.GetString(),
        _ => null,
    };

    /// <summary>Only Anthropic's answers say how often was searched for them; elsewhere a price for it would never be charged.</summary>
    public static bool TellsSearches(string? provider) => provider == "anthropic";

    public static string? Text(JsonElement of, string name) => of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>A text of the file's as it may stand in a comment.</summary>
    public static string Shown(string text) => Reading.Shown(text);
}

/// <summary>A rate as a list has it.</summary>
/// <param name="Shift">By how many places it is moved to be one for a million.</param>
/// <param name="Long">What it is instead for questions of more tokens than so many.</param>
internal sealed record ListedRate(string Unit, string Number, int Shift, IReadOnlyList<(long Above, string Number)> Long);

/// <summary>A rate for a million, to the last digit.</summary>
internal sealed record ImportedRate(Money Each, IReadOnlyList<(long Above, Money Each)> Long)
{
    public bool IsFree => Each.IsZero && Long.Count == 0;

    /// <summary>A rate of ours for long questions is at least as dear as that for shorter ones.</summary>
    public bool Rises => Long.Zip(Long.Prepend((0, Each)), (longer, shorter) => longer.Each >= shorter.Each).All(rises => rises);

    /// <summary>As it is written in a document.</summary>
    public string Text => Long.Count == 0 ? Each.ToString() : $"{{ each: {Each}, long: [{string.Join(", ", Long.Select(step => $"{{ above: {step.Above}, each: {step.Each} }}"))}] }}";

    /// <summary>Null where a number is no exact amount.</summary>
    public static ImportedRate? Of(ListedRate listed)
    {
        if (PriceImport.ForAMillion(listed.Number, listed.Shift) is not { } each) return null;
        var steps = new List<(long, Money)>();
        foreach (var (above, number) in listed.Long.OrderBy(step => step.Above))
        {
            if (PriceImport.ForAMillion(number, listed.Shift) is not { } longer) return null;
            steps.Add((above, longer));
        }
        return new ImportedRate(each, steps);
    }
}
