using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Metering;
using Turnpike.Metering.Formats;
using Turnpike.Pricing.Periods;

namespace Turnpike.Pricing;

/// <summary>The quote of a metered price: what is held before, and how it is charged after.</summary>
internal sealed record MeteredQuote(Money Ceiling, string Version, DateTimeOffset ValidUntil, PriceModel.Metered Price, RateCard Card, MeteredCall Call)
    : Quote(Ceiling, "call", Version, ValidUntil)
{
    private (string? Model, RateCard? Card) known; // of the model that serves; a stream asks again and again

    /// <summary>The least a payer has to have: what the request costs before it is answered at all.</summary>
    public required Money Least { get; init; }

    /// <summary>The share of the rates that is asked of this call, in hundredths of a percent.</summary>
    public long Share { get; init; } = PriceRule.Whole;

    /// <summary>Something is priced that its provider's format tells, and neither counting nor a measure of the document's own does.</summary>
    public bool AsksTheUpstream => Card.Priced.Any(unit => !Units.IsMeasured(unit) && !Call.Settings.Units.Contains(unit));

    /// <summary>What of the document's own measures is charged for, and was not told.</summary>
    public IEnumerable<Measure> Missing(Usage usage) => usage.Missing.Where(measure => CardOf(usage).Charges(measure.Unit));

    /// <summary>What is priced and was not told by an answer that told the other: tokens where minutes are priced, or time where tokens are.</summary>
    public IReadOnlyList<string> NotAmong(Usage usage)
    {
        var timed = usage.Reported.Has(Units.Seconds);
        return timed && usage[Units.Total] > 0 ? [] : [.. CardOf(usage).Priced.Where(unit => !Call.Settings.Units.Contains(unit) && (timed ? IsToken(unit) : unit is Units.Seconds or Units.Minutes))];
    }

    private static bool IsToken(string unit) => unit == Units.Total || Units.IsToken(unit);

    /// <summary>The price of what was used, at the rates of the model that served where it has some; whoever takes it keeps to the ceiling.</summary>
    public Money Charge(Usage usage)
    {
        var charge = CardOf(usage).Charge(usage);
        return Price.Minimum is { } least && charge < least ? least : charge;
    }

    /// <summary>What of it counts over a period, by the rates it is charged at.</summary>
    public IReadOnlyList<PeriodUse> InPeriods(Usage usage, string operation)
    {
        var card = CardOf(usage);
        return [.. card.InPeriods(usage).Select(q => new PeriodUse(q.Key, $"{operation}/{CardName(usage)}/{q.Key}", card[q.Key], q.Value))];
    }

    /// <summary>Under which name the rates stand that it is charged at. A caller's own word for a model would begin a period of its own.</summary>
    private string? CardName(Usage usage) =>
        Price.By is null ? null : usage.Model is { } served && Price.NameOf(served) is { } own ? own : Call.Asked is { } asked && Price.Models.ContainsKey(asked) ? asked : Price.OtherModels;

    private RateCard CardOf(Usage usage)
    {
        if (Price.By is null || usage.Model is not { } served) return Card;
        if (known.Card is null || known.Model != served) known = (served, Price.NameOf(served) is { } own ? Price.Models[own].At(Share) : Card);
        return known.Card;
    }

    /// <summary>What so far would cost, in money or in the unit that is held; cheap. What a crash is charged for.</summary>
    public Money Running(Usage usage, string held)
    {
        if (!Money.IsMoney(held)) return new Money(usage[held], held);
        Span<long> inputs = stackalloc long[Units.Inputs.Length];
        for (var i = 0; i < inputs.Length; i++) inputs[i] = usage[Units.Inputs[i]];
        return CardOf(usage).Estimate(inputs, Sum(Units.Outputs, usage), usage);
    }

    /// <summary>What so much text costs at the very least, with what was reported beside it, in money or in the unit that is held: a stream goes on while this is within what is held.</summary>
    public Money AtLeast(Usage usage, long text, string held)
    {
        var (told, guess) = (Reported(Units.Inputs, usage), UsageFormat.AtLeast(Call.Request?.TextBytes ?? 0));
        var output = Math.Max(Reported(Units.Outputs, usage), UsageFormat.AtLeast(text));
        if (!Money.IsMoney(held)) return new Money(held == Units.Total ? Math.Max(told, guess) + output : usage.Reported[held], held);
        Span<long> inputs = stackalloc long[Units.Inputs.Length];
        for (var i = 0; i < inputs.Length; i++) inputs[i] = told > 0 ? usage.Reported[Units.Inputs[i]] : Units.Inputs[i] == Units.Input ? guess : 0;
        return CardOf(usage).Estimate(inputs, output);
    }

    /// <summary>
    /// The largest maximum that is written where neither the caller nor the document names one: every model takes it. What a payer with
    /// much left could buy is more than most models give, and they refuse such a number; and what is no text takes none at all.
    /// </summary>
    private const long MostUnasked = 4096;

    private const long MostWithin = 10_000_000;

    /// <summary>The most output, each answer alone, that fits into <paramref name="held"/>; null: nothing has to be said to the upstream.</summary>
    public long? MaximumFor(Money held)
    {
        if (Call.Request is not { TakesMaximum: true } request || Call.Settings.Format.Maximums.Count == 0) return null;
        var asked = request.Maximum ?? Price.DefaultMaximum;
        if (held.Currency == Units.Total)
        {
            var fits = (held.Units - request.MostInput) / request.Multiple;
            return asked is null && (fits >= MostUnasked || !PricesOutput) ? null : Math.Max(1, Math.Min(asked ?? long.MaxValue, fits));
        }
        // What counts calls buys one, however much it uses.
        if (!Money.IsMoney(held.Currency)) return asked;
        // The input alone may reach the ceiling by its size, though hardly ever by its tokens: then the running estimate bounds it.
        if (Cost(1) is not { } least || least > held || asked is null && Cost(MostUnasked) <= held) return asked;
        return asked is { } all && Cost(all) <= held ? all : Within(held, asked ?? MostWithin);
    }

    /// <summary>The most output, each answer alone, that fits into an amount into which one token of it fits.</summary>
    private long Within(Money amount, long high)
    {
        long low = 1;
        while (low < high)
        {
            var middle = low + (high - low + 1) / 2;
            if (Cost(middle) <= amount) low = middle;
            else high = middle - 1;
        }
        return low;
    }

    private bool PricesOutput => Cost(0) != Cost(MostUnasked);

    /// <summary>The most tokens in and out; null when nothing bounds them.</summary>
    public long? MostTokens => Call.Request is { IsUnbounded: false } request && (request.Maximum ?? Price.DefaultMaximum) is { } most ? request.MostInput + most * request.Multiple : null;

    /// <summary>
    /// What an allowance in tokens holds: the most they can be, and for an answer that nothing bounds what the price's ceiling buys, as
    /// from whoever pays; null when the question's own size is not known.
    /// </summary>
    public long? IncludedTokens => MostTokens ?? (Call.Request is { IsUnbounded: false } request ? request.MostInput + MostUnnamed * request.Multiple : null);

    private long MostUnnamed => PricesOutput && Cost(1) <= Ceiling ? Within(Ceiling, MostWithin) : MostUnasked;

    /// <summary>What they are at the least, whatever the maximum is lowered to; null where nothing can be lowered.</summary>
    public long? LeastTokens => Call.Request is { IsUnbounded: false } request && Call.Settings.Format.Maximums.Count > 0 ? request.MostInput + request.Multiple : null;

    /// <summary>The most of a unit, with the maximum that is written into requests which name none; null when that bounds nothing.</summary>
    public long? MostOf(string unit) => unit switch
    {
        Units.Total => MostTokens,
        Units.Output => Price.DefaultMaximum * Call.Request?.Multiple is { } most && Call.Request!.Maximum is null ? most : null,
        _ => null,
    };

    /// <summary>True when the model that served is one the document does not name, and not the one that was asked for under a dated name.</summary>
    public bool IsForeign(string served) =>
        Price.By is not null && Price.NameOf(served) is null && Call.Asked is { } asked && !IsDated(served, asked);

    /// <summary>The most a call can cost whose answers have at most <paramref name="output"/> tokens each; null when nothing bounds it.</summary>
    private Money? Cost(long output) => MostFor(Card, Call, output);

    /// <inheritdoc cref="Cost"/>
    public static Money? MostFor(RateCard card, MeteredCall call, long? output)
    {
        var bounds = new Counts();
        if (call.Request is { IsUnbounded: false } request)
        {
            bounds[Units.Input] = request.MostInput;
            bounds[Units.Searches] = 0; // what searches is not bounded
            if (output is { } each) bounds[Units.Output] = checked(each * request.Multiple);
        }
        bounds[Units.RequestBytes] = call.RequestBytes;
        return card.Most(bounds);
    }

    /// <summary>True for the same name, and for one with a date or a number of its edition behind it: <c>-2024-08-06</c>, <c>-0613</c>, <c>-002</c>; <c>-4-5</c> is another model.</summary>
    public static bool IsDated(string served, string asked)
    {
        if (served == asked) return true;
        if (!served.StartsWith(asked, StringComparison.Ordinal) || served.AsSpan(asked.Length) is not ['-', .. var rest]) return false;
        foreach (var part in rest.Split('-'))
            if (rest[part] is not { Length: >= 2 and <= 8 } digits || digits.ContainsAnyExceptInRange('0', '9')) return false;
        return true;
    }

    private static long Reported(string[] units, Usage usage)
    {
        long sum = 0;
        foreach (var unit in units) sum += usage.Reported[unit];
        return sum;
    }

    private static long Sum(string[] units, Usage usage)
    {
        long sum = 0;
        foreach (var unit in units) sum += usage[unit];
        return sum;
    }
}
