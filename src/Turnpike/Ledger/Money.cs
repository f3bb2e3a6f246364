using System.Globalization;
using System.Numerics;

namespace Turnpike.Ledger;

/// <summary>
/// An exact amount: a count of the currency's smallest unit. Money has nine decimals (1 USD is 1_000_000_000), every other
/// currency is a unit such as <c>calls</c> or <c>total_tokens</c> and is whole. Arithmetic is checked; there is no floating point.
/// </summary>
internal readonly record struct Money(long Units, string Currency) : IComparable<Money>
{
    /// <summary>Smallest units in one unit of money.</summary>
    public const long Nano = 1_000_000_000;

    private const int MostDigits = 24;

    public bool IsZero => Units == 0;

    public static Money Zero(string currency) => new(0, currency);

    /// <summary>True for ISO 4217 currencies (three capital letters), which have nine decimals; false for whole units.</summary>
    public static bool IsMoney(string currency) => currency.Length == 3 && char.IsAsciiLetterUpper(currency[0]) && char.IsAsciiLetterUpper(currency[1]) && char.IsAsciiLetterUpper(currency[2]);

    public static Money operator +(Money a, Money b) => a with { Units = checked(a.Units + Same(a, b).Units) };

    public static Money operator -(Money a, Money b) => a with { Units = checked(a.Units - Same(a, b).Units) };

    public static bool operator <(Money a, Money b) => a.Units < Same(a, b).Units;

    public static bool operator >(Money a, Money b) => a.Units > Same(a, b).Units;

    public static bool operator <=(Money a, Money b) => !(a > b);

    public static bool operator >=(Money a, Money b) => !(a < b);

    public int CompareTo(Money other) => Units.CompareTo(Same(this, other).Units);

    /// <summary>This amount in a rail's units of <paramref name="decimals"/> decimals, rounded up: a rail never collects less than the charge.</summary>
    public BigInteger ToRail(int decimals)
    {
        if (decimals >= 9) return Units * BigInteger.Pow(10, decimals - 9);
        var step = (long)BigInteger.Pow(10, 9 - decimals);
        return Units / step + (Units % step > 0 ? 1 : 0);
    }

    /// <summary>True when a rail of <paramref name="decimals"/> decimals can move exactly this.</summary>
    public bool IsWholeIn(int decimals) => decimals >= 9 || Units % (long)BigInteger.Pow(10, 9 - decimals) == 0;

    /// <summary>The decimal text of contracts and receipts: <c>0.01</c>, <c>5</c>, <c>0.000000001</c>; at least two decimals for money.</summary>
    public string ToDecimal()
    {
        Span<char> text = stackalloc char[MostDigits];
        return text[..Write(text)].ToString();
    }

    /// <summary>Reads <c>0.01 USD</c> or <c>5 requests</c>. False for signs, exponents, more than nine decimals, fractions of units, or overflow.</summary>
    public static bool TryParse(string? text, out Money money)
    {
        money = default;
        var parts = text?.Trim().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return parts is [var amount, var currency] && TryParse(amount, currency, out money);
    }

    /// <summary>Reads a plain decimal amount of <paramref name="currency"/>.</summary>
    public static bool TryParse(string amount, string currency, out Money money)
    {
        money = default;
        var decimals = IsMoney(currency) ? 9 : 0;
        var point = amount.IndexOf('.', StringComparison.Ordinal);
        var whole = point < 0 ? amount : amount[..point];
        var fraction = point < 0 ? "" : amount[(point + 1)..];
        if (whole.Length == 0 || fraction.Length > decimals || point >= 0 && fraction.Length == 0) return false;
        if (!whole.All(char.IsAsciiDigit) || !fraction.All(char.IsAsciiDigit)) return false;
        if (!long.TryParse(whole + fraction.PadRight(decimals, '0'), NumberStyles.None, CultureInfo.InvariantCulture, out var units)) return false;
        money = new Money(units, currency);
        return true;
    }

    public override string ToString()
    {
        Span<char> text = stackalloc char[MostDigits];
        return string.Concat(text[..Write(text)], " ", Currency);
    }

    private int Write(Span<char> text)
    {
        if (!IsMoney(Currency)) return Units.TryFormat(text, out var whole, default, CultureInfo.InvariantCulture) ? whole : throw new InvalidOperationException();
        var (magnitude, length) = (Units < 0 ? (ulong)-(Units + 1) + 1 : (ulong)Units, 0);
        text.TryWrite(CultureInfo.InvariantCulture, $"{(Units < 0 ? "-" : "")}{magnitude / Nano}.{magnitude % Nano:D9}", out length);
        while (text[length - 1] == '0' && text[length - 3] != '.') length--;
        return length;
    }

    private static Money Same(Money a, Money b) =>
        a.Currency == b.Currency ? b : throw new InvalidOperationException($"{a.Currency} and {b.Currency} do not add up.");
}
