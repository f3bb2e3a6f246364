using System.Collections.Frozen;
using Turnpike.Ledger;
using Turnpike.Metering;

namespace Turnpike.Pricing;

/// <summary>The rates of one model, or of an operation without models. Rounds once, upwards.</summary>
internal sealed class RateCard
{
    private readonly FrozenDictionary<string, Rate> rates;
    private readonly string[] units;
    private readonly Rate? output;
    private readonly int[] kindsOfInput; // which kind each is charged as; below zero: none
    private readonly long hundredths = PriceRule.Whole;

    private static readonly string[] KindsOfOutput = [.. Units.Outputs, Units.Reasoning];

    public RateCard(string currency, IEnumerable<KeyValuePair<string, Rate>> rates)
    {
        Currency = currency;
        this.rates = rates.ToFrozenDictionary(StringComparer.Ordinal);
        units = [.. this.rates.Keys.Order(StringComparer.Ordinal)];
        output = RateOf(Units.Output);
        kindsOfInput = [.. Units.Inputs.Select(kind => Array.IndexOf(Units.Inputs, UnitFor(kind)))];
    }

    private RateCard(RateCard card, long hundredths)
    {
        (Currency, rates, units, output, kindsOfInput) = (card.Currency, card.rates, card.units, card.output, card.kindsOfInput);
        this.hundredths = hundredths;
    }

    public string Currency { get; }

    public IReadOnlyList<string> Priced => units;

    public Rate this[string unit] => rates[unit];

    /// <summary>The same rates, of whose sum a share is asked.</summary>
    public RateCard At(long share) => share == hundredths ? this : new RateCard(this, share);

    /// <summary>The price of what was used.</summary>
    public Money Charge(Usage usage)
    {
        Int128 sum = 0;
        var input = InputOf(usage);
        foreach (var (unit, count) in Quantities(usage)) sum += Of(unit, count, input, usage);
        return Rounded(sum);
    }

    /// <summary>True for a unit that has a rate, or is a kind of one that has.</summary>
    public bool Charges(string unit) => UnitFor(unit) is not null || rates.ContainsKey(Units.Total) && Units.IsToken(unit);

    /// <summary>What of a call's use counts over a period, by unit.</summary>
    public IEnumerable<KeyValuePair<string, long>> InPeriods(Usage usage) => units.Any(u => rates[u].Over is not null) ? Quantities(usage).Where(q => rates[q.Key].Over is not null && q.Value > 0) : [];

    /// <summary>What counts over a period is known when it was taken of it; until then, it is the most it can be.</summary>
    private Int128 Of(string unit, long count, long input, Usage usage) =>
        rates[unit].Over is null ? rates[unit].For(input).Of(count) : usage.InPeriod.TryGetValue(unit, out var due) ? due : rates[unit].Most(count);

    /// <summary>The same, a line for each rate: quantity, rate, what it comes to before the sum is rounded.</summary>
    public IEnumerable<string> Explain(Usage usage)
    {
        var input = InputOf(usage);
        return Quantities(usage).Select(q => $"             {q.Value} {q.Key}: {Rounded(Of(q.Key, q.Value, input, usage))} ({rates[q.Key].Told(Currency)})");
    }

    /// <summary>What decides whether a question is a long one: all its tokens, whatever kind they are charged as.</summary>
    private static long InputOf(Usage usage)
    {
        long sum = 0;
        foreach (var unit in Units.Inputs) sum += usage[unit];
        return sum;
    }

    /// <summary>What each rate is for: kinds without a rate of their own are added to the one they are a kind of.</summary>
    private Counts Quantities(Usage usage)
    {
        var counts = new Counts();
        foreach (var (unit, count) in usage.Charged)
        {
            if (unit == Units.Reasoning)
            {
                // A part of the output: charged apart only where it has a rate of its own.
                if (!rates.ContainsKey(unit)) continue;
                counts.Add(unit, count);
                if (UnitFor(Units.Output) is { } whole) counts.Add(whole, -Math.Min(count, usage[Units.Output]));
            }
            else if (UnitFor(unit) is { } charged) counts.Add(charged, count);
        }
        if (rates.ContainsKey(Units.Total)) counts[Units.Total] = usage[Units.Total];
        if (rates.ContainsKey(Units.Requests)) counts[Units.Requests] = 1;
        return counts;
    }

    /// <summary>The price of so much text in, by its kinds, and out, without allocating: for streams, again and again.</summary>
    /// <param name="inputs">In the order of <see cref="Units.Inputs"/>.</param>
    /// <param name="used">What else has been used so far; null: tokens alone.</param>
    public Money Estimate(ReadOnlySpan<long> inputs, long outputTokens, Usage? used = null)
    {
        long all = 0;
        Span<long> charged = stackalloc long[inputs.Length];
        charged.Clear();
        for (var i = 0; i < inputs.Length; i++)
        {
            all += inputs[i];
            if (kindsOfInput[i] is var kind and >= 0) charged[kind] += inputs[i];
        }
        Int128 sum = rates.TryGetValue(Units.Total, out var total) ? total.For(all).Least(all + outputTokens) : 0;
        if (rates.TryGetValue(Units.Requests, out var each)) sum += each.For(all).Least(1);
        for (var i = 0; i < charged.Length; i++)
            if (charged[i] > 0) sum += rates[Units.Inputs[i]].For(all).Least(charged[i]);
        foreach (var unit in units)
            if (used is not null && unit is not (Units.Total or Units.Requests or Units.Reasoning) && !Units.IsToken(unit)) sum += rates[unit].For(all).Least(used[unit]);
        return Rounded(sum + (output?.For(all).Least(outputTokens) ?? 0));
    }

    /// <summary>The most that so many tokens can cost, whatever kind they turn out to be; null when something without a bound is priced too.</summary>
    public Money? Most(Counts bounds)
    {
        Int128 sum = 0;
        var input = MostInput(bounds);
        if (rates.TryGetValue(Units.Total, out var total))
        {
            if (!bounds.Has(Units.Input) || !bounds.Has(Units.Output)) return null;
            sum += total.For(input).Most(bounds[Units.Input] + bounds[Units.Output]);
        }
        foreach (var unit in units)
        {
            if (unit == Units.Total || Units.IsToken(unit) || unit == Units.Reasoning) continue;
            if (unit == Units.Requests) sum += rates[unit].For(input).Most(1);
            else if (bounds.Has(unit)) sum += rates[unit].For(input).Most(bounds[unit]);
            else return null;
        }
        if (Dearest(Units.Inputs, bounds, Units.Input) is not { } inputs || Dearest(KindsOfOutput, bounds, Units.Output) is not { } outputs) return null;
        return Rounded(sum + inputs + outputs);
    }

    private Int128? Dearest(IReadOnlyList<string> kinds, Counts bounds, string bound)
    {
        Int128 most = 0;
        var any = false;
        foreach (var kind in kinds)
        {
            if (!rates.TryGetValue(kind, out var rate)) continue;
            any = true;
            if (bounds.Has(bound)) most = Int128.Max(most, rate.For(MostInput(bounds)).Most(bounds[bound]));
        }
        return any && !bounds.Has(bound) ? null : most;
    }

    private static long MostInput(Counts bounds) => bounds.Has(Units.Input) ? bounds[Units.Input] : long.MaxValue;

    /// <summary>The unit a quantity is charged as: its own, or the one it is a kind of; null: it costs nothing here.</summary>
    private string? UnitFor(string unit)
    {
        for (var each = unit; each is not null; each = Units.ChargedAs(each))
            if (rates.ContainsKey(each)) return each;
        return null;
    }

    private Rate? RateOf(string unit) => UnitFor(unit) is { } charged ? rates[charged] : null;

    private Money Rounded(Int128 millionths)
    {
        var (sum, scale) = hundredths == PriceRule.Whole ? (millionths, (Int128)Rate.Scale) : (millionths * hundredths, (Int128)Rate.Scale * PriceRule.Whole);
        return new((long)Int128.Min(long.MaxValue, (sum + scale - 1) / scale), Currency);
    }
}
