using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;
using Turnpike.Metering;

namespace Turnpike.Pricing;

/// <summary>Rates as written: by unit, or by model and unit.</summary>
internal sealed record RateTable(IReadOnlyList<(string? Model, string Unit, Rate Rate, string Currency, Spot At)> Rates)
{
    /// <summary>Adds them to what other tables of the same price say; false when something does not fit.</summary>
    public bool AddTo(Dictionary<string, Dictionary<string, Rate>> models, Spot at, bool byModel, string currency)
    {
        var sound = true;
        foreach (var (model, unit, rate, priced, spot) in Rates)
        {
            if (byModel != model is not null) return at.Refuse(byModel ? "with 'by', rates stand below the name of a model" : "rates by model need 'by', which says where the request names its model");
            if (priced != currency) { sound = spot.Refuse($"the ceiling is in {currency}"); continue; }
            var card = PriceSection.Of(models, model ?? "");
            if (!card.TryAdd(unit, rate)) sound = spot.Refuse("has a price already");
            if (card.ContainsKey(Units.Total) && card.Keys.Any(Units.IsToken)) sound = spot.Refuse("total_tokens is all tokens in and out: beside a price for it, none of them has its own");
        }
        return sound;
    }
}

/// <summary>
/// <c>{ unit: rate }</c> or <c>{ model: { unit: rate } }</c>, where a rate is an amount, <c>{ graduated: […] }</c>,
/// <c>{ volume: […] }</c>, <c>{ package: 1000, price: … }</c> or <c>{ each: …, long: […] }</c>.
/// </summary>
internal sealed class RateTableShape(long per) : Shape<RateTable>
{
    private const long MostCount = 1_000_000_000_000;

    private static readonly string[] RateKeys = ["each", "long", "graduated", "volume", "package", "price", "free", .. PeriodShape.OptionalKeys.Select(key => key.Name)];

    private static readonly Key<long> UpTo = new("up-to", Shapes.Integer(1, MostCount), "The last one in the tier; the last tier has none.") { Default = "everything above", Example = "1000" };
    private static readonly Key<Money> Each = new("each", Shapes.Money, "The price of one in this tier.") { Default = "nothing", Example = "0.05 USD" };
    private static readonly Key<Money> Entry = new("flat", Shapes.Money, "What entering the tier costs at once.") { Default = "nothing", Example = "10 USD" };
    private static readonly Shape<TierText> TierShape = new MapShape<TierText>([UpTo, Each, Entry], m => new TierText(m.IsWritten(UpTo) ? m.Get(UpTo) : null, m.IsWritten(Each) ? m.Get(Each) : null, m.IsWritten(Entry) ? m.Get(Entry) : null));
    private static readonly Shape<IReadOnlyList<TierText>> Tiers = new ListShape<TierText>(TierShape, least: 1);
    private static readonly Key<IReadOnlyList<TierText>> Graduated = new("graduated", Tiers, "Tiers, each charging what falls into it.") { Default = "none", Example = "[{ up-to: 5000, each: 0.05 USD }, { each: 0.01 USD }]" };
    private static readonly Key<IReadOnlyList<TierText>> Volume = new("volume", Tiers, "Tiers; the one the whole falls into charges all of it.") { Default = "none", Example = "[{ up-to: 5000, each: 0.05 USD }, { each: 0.01 USD }]" };
    private static readonly Key<Money> One = new("each", Shapes.Money, "The price of one, or of a million.") { Default = "none", Example = "2.50 USD" };
    private static readonly Key<long> Above = new("above", Shapes.Integer(1, MostCount), "More tokens in than so many, all kinds of input together.") { Required = true, Example = "200000" };
    private static readonly Key<Money> Instead = new("each", Shapes.Money, "The price of one, or of a million, in the whole call.") { Required = true, Example = "5.00 USD" };
    private static readonly Key<IReadOnlyList<LongText>> Long = new("long", new ListShape<LongText>(new MapShape<LongText>([Above, Instead], m => new LongText(m.Get(Above), m.Get(Instead))), least: 1), "Beside each: the price instead where a question is long, rising.") { Default = "none", Example = "[{ above: 200000, each: 5.00 USD }]" };
    private static readonly Key<long> Free = new("free", Shapes.Integer(1, MostCount), "So many cost nothing, of each call or of each period.") { Default = "none", Example = "1000" };
    private static readonly Key<long> Package = new("package", Shapes.Integer(1, MostCount), "How many a package holds; a begun one is charged whole.") { Default = "none", Example = "1000" };
    private static readonly Key<Money> Price = new("price", Shapes.Money, "The price of a package.") { Default = "none", Example = "1.00 USD" };

    private readonly MapShape<PricedRate> rate = new([One, Long, Graduated, Volume, Package, Price, Free, .. PeriodShape.OptionalKeys], m => PeriodShape.TryReadOptional(m, out var period) && Build(m, per) is { } built ? built with { Rate = built.Rate with { Over = period, Free = m.IsWritten(Free) ? m.Get(Free) : 0 } } : null);

    public override string Says => "prices by unit, or by model and unit, each an amount, { graduated: [{ up-to, each, flat }] }, { volume: [{ up-to, each, flat }] } or { package, price }; { each, long: [{ above, each }] } where long questions cost more; with free: 1000 where some cost nothing, and per: 1mo where it counts over a period for each caller";

    public override bool TryRead(Spot at, [MaybeNullWhen(false)] out RateTable value)
    {
        value = null;
        if (at.Node is not MapNode map) return at.Refuse($"{Says} are wanted here");
        var rates = new List<(string?, string, Rate, string, Spot)>();
        var sound = map.Entries.Count > 0 || at.Refuse("at least one price is wanted here");
        foreach (var entry in map.Entries)
        {
            var spot = at.Member(entry.Key.Text, entry.Value);
            if (entry.Value is MapNode inner && !inner.Entries.Any(e => RateKeys.Contains(e.Key.Text)))
            {
                if (entry.Key.Text.Length is 0 or > 128) sound = spot.Refuse("a model's name has 1 to 128 characters");
                if (inner.Entries.Count == 0) sound = spot.Refuse("at least one price is wanted here");
                foreach (var unit in inner.Entries) sound &= ReadRate(spot.Member(unit.Key.Text, unit.Value), entry.Key.Text, rates);
            }
            else sound &= ReadRate(spot, null, rates);
        }
        value = new RateTable(rates);
        return sound;
    }

    private bool ReadRate(Spot at, string? model, List<(string?, string, Rate, string, Spot)> rates)
    {
        if (Units.CheckName(at.Name) is { } wrong) return at.Refuse(wrong);
        if (at.Node is MapNode)
        {
            if (!rate.TryRead(at, out var built)) return false;
            rates.Add((model, at.Name, built.Rate, built.Currency, at));
            return true;
        }
        if (!Shapes.Money.TryRead(at, out var amount)) return false;
        rates.Add((model, at.Name, new Rate.Flat(amount.Units, per), amount.Currency, at));
        return true;
    }

    private static PricedRate? Build(MapValues m, long per)
    {
        if (new Key[] { One, Graduated, Volume, Package }.Count(m.IsWritten) != 1) { m.At.Refuse("a rate is one of each, graduated, volume and package"); return null; }
        if (m.IsWritten(Long)) return BuildLong(m, per);
        if (m.IsWritten(Package) != m.IsWritten(Price)) { m.At.Refuse("package and price belong together"); return null; }
        if (m.IsWritten(Package)) return new PricedRate(new Rate.Package(m.Get(Package), m.Get(Price).Units), m.Get(Price).Currency);
        if (m.IsWritten(One)) return new PricedRate(new Rate.Flat(m.Get(One).Units, per), m.Get(One).Currency);
        var key = m.IsWritten(Graduated) ? Graduated : Volume;
        var written = m.Get(key, []);
        var currency = written.Select(t => t.Each ?? t.Entry).FirstOrDefault(p => p is not null)?.Currency;
        long from = 0;
        for (var i = 0; i < written.Count; i++)
        {
            var last = i == written.Count - 1;
            if (last != written[i].UpTo is null || written[i].UpTo <= from) { m.Of(key).Refuse("tiers rise by up-to, and only the last has none"); return null; }
            from = written[i].UpTo ?? long.MaxValue;
        }
        if (currency is null || written.Any(t => t.Each is { } each && each.Currency != currency || t.Entry is { } entry && entry.Currency != currency)) { m.Of(key).Refuse("tiers are priced in one currency"); return null; }
        var tiers = written.Select(t => new Tier(t.UpTo ?? long.MaxValue, new Rate.Flat(t.Each?.Units ?? 0, per), t.Entry?.Units ?? 0)).ToList();
        return new PricedRate(key == Graduated ? new Rate.Graduated(tiers) : new Rate.Volume(tiers), currency);
    }

    private static PricedRate? BuildLong(MapValues m, long per)
    {
        if (!m.IsWritten(One) || m.IsWritten(Free) || PeriodShape.OptionalKeys.Any(m.IsWritten)) { m.Of(Long).Refuse("long stands beside each, and beside nothing else"); return null; }
        var (shorter, steps) = (m.Get(One), m.Get(Long, []));
        if (steps.Any(step => step.Each.Currency != shorter.Currency)) { m.Of(Long).Refuse("long questions are priced in the same currency"); return null; }
        // Only what rises can be bounded from both sides by what is known of a question before its tokens are told.
        for (var i = 0; i < steps.Count; i++)
            if (i > 0 && steps[i].Above <= steps[i - 1].Above || steps[i].Each < (i == 0 ? shorter : steps[i - 1].Each)) { m.Of(Long).Refuse("longer questions come later, and are not cheaper"); return null; }
        return new PricedRate(new Rate.Flat(shorter.Units, per) { Long = [.. steps.Select(step => new LongRate(step.Above, new Rate.Flat(step.Each.Units, per)))] }, shorter.Currency);
    }

    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteString("type", "object");
        json.WriteStartObject("additionalProperties");
        json.WriteStartArray("anyOf");
        Write(json, Shapes.Money);
        Write(json, rate);
        json.WriteStartObject();
        json.WriteString("type", "object");
        json.WriteStartObject("additionalProperties");
        json.WriteStartArray("anyOf");
        Write(json, Shapes.Money);
        Write(json, rate);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, Shape shape)
    {
        json.WriteStartObject();
        shape.WriteSchema(json);
        json.WriteEndObject();
    }

    private sealed record TierText(long? UpTo, Money? Each, Money? Entry);

    private sealed record LongText(long Above, Money Each);

    private sealed record PricedRate(Rate Rate, string Currency);
}
