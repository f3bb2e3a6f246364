using Turnpike.Catalog;
using Turnpike.Payments;
using Turnpike.Pricing;

namespace Turnpike.Discovery;

/// <summary>An operation as it is told: its public path, its price in words, and the ways to pay.</summary>
internal sealed record SoldOperation(Service Service, Operation Operation, IReadOnlyList<Offer> Offers)
{
    private static readonly string[] Any = ["DELETE", "GET", "PATCH", "POST", "PUT"];

    public PriceModel? Price { get; } = Operation.Settings.Get<PriceModel>() is { Most.IsZero: false } owed ? owed : null;

    /// <summary>As OpenAPI writes paths: <c>/files/{rest}</c>.</summary>
    public string Path => Service.Prefix + Operation.Path.Text.Replace("{**", "{", StringComparison.Ordinal);

    public IReadOnlyList<string> Methods => Operation.Method == Operation.AnyMethod ? Any : [Operation.Method];

    /// <summary>The price as a sentence without a stop.</summary>
    public string Told => Price switch
    {
        null => "free",
        PriceModel.Fixed fixedPrice => $"{fixedPrice.Amount} per call",
        PriceModel.Metered metered => $"by use, {Rates(metered)}; at most {metered.Ceiling} per call",
        PriceModel.Session session => $"{session.Amount} per session of {Catalog.Document.Shapes.Tell(session.Lasts)}; the paid answer's {SessionQuote.Header} header opens the calls after it",
        var other => $"at most {other.Most} per call",
    };

    private static string Rates(PriceModel.Metered price)
    {
        var (model, card) = price.Models.OrderBy(m => m.Key, StringComparer.Ordinal).First();
        var rates = string.Join(", ", card.Priced.Select(unit => $"{unit} {card[unit].Told(card.Currency)}"));
        return model.Length == 0 ? rates : $"for {string.Join(", ", price.Models.Keys.Order(StringComparer.Ordinal).Take(20))}; {model}: {rates}";
    }
}
