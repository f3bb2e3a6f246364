using System.Globalization;
using System.Numerics;

namespace Turnpike.Client;

/// <summary>An exact amount of money: billionths of one unit of a currency. There is no floating point.</summary>
/// <param name="Nano">1 USD is 1_000_000_000.</param>
/// <param name="Currency">ISO 4217, such as <c>USD</c>.</param>
public readonly record struct Amount(long Nano, string Currency)
{
    private const int Decimals = 9;
    private const long One = 1_000_000_000;

    /// <summary>Reads <c>0.01 USD</c>; false for signs, exponents, more than nine decimals and what is too large.</summary>
    public static bool TryParse(string? text, out Amount amount)
    {
        amount = default;
        var parts = text?.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return parts is [var number, var currency] && TryParse(number, currency, out amount);
    }

    /// <summary>Reads a plain decimal number of a currency.</summary>
    public static bool TryParse(string? number, string? currency, out Amount amount)
    {
        amount = default;
        if (number is null || currency is null || !(currency.Length == 3 && currency.All(char.IsAsciiLetterUpper))) return false;
        var point = number.IndexOf('.', StringComparison.Ordinal);
        var (whole, fraction) = point < 0 ? (number, "") : (number[..point], number[(point + 1)..]);
        if (whole.Length == 0 || fraction.Length > Decimals || (point >= 0 && fraction.Length == 0)) return false;
        if (!whole.All(char.IsAsciiDigit) || !fraction.All(char.IsAsciiDigit)) return false;
        if (!long.TryParse(whole + fraction.PadRight(Decimals, '0'), NumberStyles.None, CultureInfo.InvariantCulture, out var nano)) return false;
        amount = new Amount(nano, currency);
        return true;
    }

    /// <summary>As <see cref="TryParse(string?, out Amount)"/>; throws <see cref="FormatException"/> instead.</summary>
    public static Amount Parse(string text) => TryParse(text, out var amount) ? amount : throw new FormatException("Not an amount: '0.01 USD' is the form.");

    /// <summary>At most as much, in the same currency.</summary>
    internal bool IsWithin(Amount limit) => Currency == limit.Currency && Nano <= limit.Nano;

    /// <summary>From a token's smallest units, rounded up, so that a limit is never passed by rounding; null when it is too large.</summary>
    internal static Amount? FromUnits(BigInteger units, int decimals, string currency)
    {
        var nano = decimals <= Decimals ? units * BigInteger.Pow(10, Decimals - decimals) : Ceiling(units, BigInteger.Pow(10, decimals - Decimals));
        return nano >= 0 && nano <= long.MaxValue ? new Amount((long)nano, currency) : null;
    }

    /// <summary><c>0.01 USD</c>: at least two decimals.</summary>
    public override string ToString()
    {
        var fraction = (Nano % One).ToString("D9", CultureInfo.InvariantCulture).TrimEnd('0').PadRight(2, '0');
        return string.Create(CultureInfo.InvariantCulture, $"{Nano / One}.{fraction} {Currency}");
    }

    private static BigInteger Ceiling(BigInteger number, BigInteger by) => (number + by - 1) / by;
}
