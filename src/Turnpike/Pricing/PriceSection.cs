using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;

namespace Turnpike.Pricing;

/// <summary>The <c>price:</c> of an operation: <c>free</c>, an amount, or a map. It has to be said: nothing is free by omission.</summary>
internal static class PriceSection
{
    private static readonly Key<Money> Amount = new("amount", Shapes.Money, "The same amount for every delivered answer.") { Required = true, Example = "0.01 USD" };

    private static readonly Shape<PriceModel?> Short = new ScalarShape<PriceModel?>("free, or an amount of money such as 0.01 USD", ReadShort, @"^free$|^[0-9]+(\.[0-9]{1,9})? +[A-Z]{3}$");

    private static readonly Key<PriceModel?> Key = new("price", new ShortOrMapShape<PriceModel?>(Short, new MapShape<PriceModel>([Amount], m => new PriceModel.Fixed(m.Get(Amount)))!),
        "What a delivered answer costs: free, an amount, or a map.") { Required = true, Example = "0.01 USD" };

    public static readonly Section Section = new(Scope.Operation, Key) { TellOperation = (_, operation) => Told(operation.Settings.Get<PriceModel>()) };

    /// <summary>A price as <c>check</c> tells it.</summary>
    public static string Told(PriceModel? price) => price switch
    {
        null => "free",
        PriceModel.Fixed { Amount: var amount } => amount.ToString(),
        _ => price.ToString() ?? "",
    };

    private static string? ReadShort(string text, out PriceModel? price)
    {
        price = null;
        if (text == "free") return null;
        if (!Money.TryParse(text, out var amount) || !Money.IsMoney(amount.Currency)) return "is no price; write free, or an amount such as 0.01 USD with at most nine decimals";
        if (amount.IsZero) return "is nothing; what costs nothing is free";
        price = new PriceModel.Fixed(amount);
        return null;
    }
}
