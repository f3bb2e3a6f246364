using System.Collections.Concurrent;
using Turnpike.Catalog;
using Turnpike.Ledger;

namespace Turnpike.Pricing;

/// <summary>Tells what a call costs, and remembers what it cost a moment ago for those who still hold older terms.</summary>
internal sealed class PriceBook(TimeProvider time)
{
    /// <summary>How long terms may be answered.</summary>
    public static readonly TimeSpan Valid = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<string, List<PastPrice>> past = new();

    /// <summary>Sets the quote; leaves it null when nothing is owed. A price above the caller's own maximum ends the call.</summary>
    public ValueTask<Answer?> QuoteAsync(Call call, CancellationToken ct)
    {
        if (call.Operation.Settings.Get<PriceModel>() is not PriceModel.Fixed price || price.Amount.IsZero) return default;
        call.Quote = new Quote(price.Amount, "call", call.Catalog.Version, call.Now + Valid);
        return new(Clamp(call, price.Amount));
    }

    /// <summary>When the document changes: prices that end now stay good for terms given until now.</summary>
    public void Replaced(ServiceCatalog old)
    {
        var until = time.GetUtcNow() + Valid;
        foreach (var operation in old.Operations.Values)
        {
            if (operation.Settings.Get<PriceModel>() is not PriceModel.Fixed price) continue;
            var prices = past.GetOrAdd(operation.Name, _ => []);
            lock (prices)
            {
                prices.RemoveAll(p => p.Until < time.GetUtcNow());
                prices.Add(new PastPrice(price.Amount, until, old.Version));
            }
        }
    }

    /// <summary>The prices a credential without terms (x402 v1) may answer: the present one first, then those of the validity window.</summary>
    public IReadOnlyList<Money> InForce(Call call)
    {
        if (call.Quote is not { } quote) return [];
        if (!past.TryGetValue(call.Operation.Name, out var prices)) return [quote.Ceiling];
        lock (prices) return [quote.Ceiling, .. prices.Where(p => p.Until >= call.Now && p.Amount.Currency == quote.Ceiling.Currency).Select(p => p.Amount).Distinct()];
    }

    private static Answer? Clamp(Call call, Money price)
    {
        var most = call.Headers["Turnpike-Max-Price"];
        if (most.Count == 0) return null;
        if (most.Count > 1 || !ReadMaximum(most.ToString(), price.Currency, out var maximum))
            return new Refusal(Reasons.MalformedRequest, "Turnpike-Max-Price is an amount and a currency, such as '0.05 USD'.");
        return price > maximum ? new Refusal(Reasons.PriceAboveMaximum, $"This call costs {price}; your maximum is {maximum}.") : null;
    }

    private static bool ReadMaximum(string text, string currency, out Money maximum) =>
        Money.TryParse(text, out maximum) ? maximum.Currency == currency : Money.TryParse(text.Trim(), currency, out maximum);

    private sealed record PastPrice(Money Amount, DateTimeOffset Until, string Version);
}
