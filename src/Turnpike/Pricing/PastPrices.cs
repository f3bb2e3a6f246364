using System.Collections.Concurrent;
using Turnpike.Catalog;
using Turnpike.Metering.Formats;

namespace Turnpike.Pricing;

/// <summary>The prices that were asked until a moment ago, whole: what they and their rules made of a call stays good for terms given while they were asked.</summary>
internal sealed class PastPrices(TimeProvider time)
{
    private const int MostPast = 100;

    private readonly ConcurrentDictionary<string, PastPrice[]> past = new(StringComparer.Ordinal);

    /// <summary>The prices of a document that ends now.</summary>
    /// <param name="fewest">How many calls of an operation were in progress lately, at the fewest.</param>
    public void Remember(ServiceCatalog old, Func<string, long> fewest)
    {
        var now = time.GetUtcNow();
        foreach (var (operation, prices) in past)
            if (Array.TrueForAll(prices, p => p.Until < now)) past.TryRemove(operation, out _);
        foreach (var operation in old.Operations.Values)
        {
            // What was nothing was told to nobody, and buys nothing now.
            if (operation.Settings.Get<PriceModel>() is not { Most.IsZero: false } price) continue;
            var ended = new PastPrice(price, old.Version, now, fewest(operation.Name));
            past.AddOrUpdate(operation.Name, _ => [ended], (_, prices) => [.. prices.Where(p => p.Until >= now && p.Version != old.Version).TakeLast(MostPast - 1), ended]);
        }
    }

    /// <summary>Those for which terms may still be good.</summary>
    public IEnumerable<PastPrice> Of(Call call) => past.TryGetValue(call.Operation.Name, out var prices) ? prices.Where(p => p.Until >= call.Now) : [];

    /// <summary>The one of this version; null when there was none, or when it does not hold any more.</summary>
    public PastPrice? Find(Call call, string version) => Of(call).FirstOrDefault(p => p.Version == version);
}

/// <summary>A price that was asked until <paramref name="Ended"/>.</summary>
/// <param name="Fewest">The fewest calls in progress that anybody was told it for.</param>
internal sealed record PastPrice(PriceModel Price, string Version, DateTimeOffset Ended, long Fewest)
{
    public DateTimeOffset Until => Ended + PriceBook.Valid;

    /// <summary>
    /// True when all is known that its rules ask for. Nobody reads a body or a reputation for a price that is not asked any more, and
    /// a rule that says what is dear would not hold for what nobody looked at: then it is not told at all.
    /// </summary>
    public bool IsKnownFor(Call call) => !(Price.AsksBody && call is { BodyLength: 0, ReadBody: not null, Metered: null or { RequestBytes: 0 } }) && !(Price.AsksRequest && call.Metered is not { Settings.Format: not NoFormat }) && !(Price.AsksReputation && call is { Caller: not null, Reputation: null });
}

/// <summary>A price that a payment without terms of ours may answer.</summary>
/// <param name="Session">How long the session lasts that it is the price of; null: it is the price of a call.</param>
internal sealed record PriceInForce(Ledger.Money Amount, string Version, TimeSpan? Session);
