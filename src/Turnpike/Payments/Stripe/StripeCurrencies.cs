using System.Collections.Frozen;
using System.Numerics;
using Turnpike.Ledger;

namespace Turnpike.Payments.Stripe;

/// <summary>A currency as Stripe takes it: decimals of its minor unit, and the least charge in minor units.</summary>
internal readonly record struct StripeCurrency(int Decimals, long Minimum);

/// <summary>Stripe's minimum charges (docs.stripe.com/currencies). A currency that is not here is not offered.</summary>
internal static class StripeCurrencies
{
    /// <summary>The most Stripe takes in one charge: eight digits.</summary>
    private const long Most = 99_999_999;

    private static readonly FrozenDictionary<string, StripeCurrency> Table = new Dictionary<string, StripeCurrency>
    {
        ["USD"] = new(2, 50), ["EUR"] = new(2, 50), ["GBP"] = new(2, 30), ["JPY"] = new(0, 50), ["AED"] = new(2, 200), ["AUD"] = new(2, 50),
        ["BGN"] = new(2, 100), ["BRL"] = new(2, 50), ["CAD"] = new(2, 50), ["CHF"] = new(2, 50), ["CZK"] = new(2, 1500), ["DKK"] = new(2, 250),
        ["HKD"] = new(2, 400), ["HUF"] = new(2, 17_500), ["INR"] = new(2, 50), ["MXN"] = new(2, 1000), ["MYR"] = new(2, 200), ["NOK"] = new(2, 300),
        ["NZD"] = new(2, 50), ["PLN"] = new(2, 200), ["RON"] = new(2, 200), ["SEK"] = new(2, 300), ["SGD"] = new(2, 50), ["THB"] = new(2, 1000),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The amount in minor units, rounded up; null when Stripe would refuse it.</summary>
    public static long? MinorOf(Money amount)
    {
        if (!Table.TryGetValue(amount.Currency, out var currency)) return null;
        BigInteger minor = amount.ToRail(currency.Decimals);
        return minor >= currency.Minimum && minor <= Most ? (long)minor : null;
    }

    /// <summary>The amount in minor units when it is a whole number of them; null otherwise.</summary>
    public static long? ExactlyOf(Money amount) => Table.TryGetValue(amount.Currency, out var currency) && amount.IsWholeIn(currency.Decimals) ? (long)amount.ToRail(currency.Decimals) : null;

    /// <summary>The smallest coin, in smallest units; a hundredth where nothing is known of the currency.</summary>
    public static long CoinOf(string currency)
    {
        var coin = Money.Nano;
        for (var i = Table.TryGetValue(currency, out var known) ? known.Decimals : 2; i > 0; i--) coin /= 10;
        return coin;
    }

    /// <summary>An amount of Stripe's minor units, as money.</summary>
    public static Money OfMinor(long minor, string currency) => new(checked(minor * CoinOf(currency)), currency);
}
