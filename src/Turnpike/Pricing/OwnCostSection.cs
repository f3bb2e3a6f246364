using System.Collections.Frozen;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;

namespace Turnpike.Pricing;

/// <summary>The <c>cost:</c> of an operation: what it costs the owner, for the margin.</summary>
internal static class OwnCostSection
{
    private static readonly Key<Money> Amount = new("amount", Shapes.Money, "Each delivered call.") { Default = "nothing", Example = "0.002 USD" };
    private static readonly Key<RateTable> PerMillion = new("per-million", new RateTableShape(1_000_000), "A million of each unit, or of each unit by model.") { Default = "nothing", Example = "{ gpt-4o: { input_tokens: 2.00 USD, output_tokens: 8.00 USD } }" };
    private static readonly Key<RateTable> PerUnit = new("per-unit", new RateTableShape(1), "One of each unit, or of each unit by model.") { Default = "nothing", Example = "{ minutes: 0.006 USD }" };

    private static readonly Key<OwnCost> Key = new("cost", new ShortOrMapShape<OwnCost>(
            new ConvertedShape<Money, OwnCost>(Shapes.Money, amount => new OwnCost(amount, FrozenDictionary<string, RateCard>.Empty)), new MapShape<OwnCost>([Amount, PerMillion, PerUnit], Build)),
        "What a delivered call costs you; told beside what was paid, as the margin, at /admin/v1/usage/margin.")
    { Default = "not known", Example = "0.002 USD" };

    public static readonly Section Section = new(Scope.Operation, Key)
    {
        TellOperation = (_, operation) => operation.Settings.Get<OwnCost>() is { } cost ? cost.Models.Count == 0 ? cost.Amount.ToString() : $"by use, {cost.Models.Count} model{(cost.Models.Count == 1 ? "" : "s")}" : null,
    };

    private static OwnCost? Build(MapValues m)
    {
        var tables = new[] { PerMillion, PerUnit }.Where(m.IsWritten).ToList();
        var rates = tables.SelectMany(key => m.Get(key)!.Rates).ToList();
        if (rates.FirstOrDefault(r => r.Rate.Over is not null) is { Rate: not null } lasting) { lasting.At.Refuse("a cost is that of one call: 'per' belongs to a price"); return null; }
        var currency = m.IsWritten(Amount) ? m.Get(Amount).Currency : rates.Select(r => r.Currency).FirstOrDefault();
        if (currency is null) { m.At.Refuse("a cost needs amount, per-million or per-unit"); return null; }
        var models = new Dictionary<string, Dictionary<string, Rate>>(StringComparer.Ordinal);
        var byModel = rates.Any(r => r.Model is not null);
        foreach (var key in tables)
            if (!m.Get(key)!.AddTo(models, m.Of(key), byModel, currency)) return null;
        return new OwnCost(m.IsWritten(Amount) ? m.Get(Amount) : Money.Zero(currency), models.ToFrozenDictionary(p => p.Key, p => new RateCard(currency, p.Value), StringComparer.Ordinal));
    }
}
