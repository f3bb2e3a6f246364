using System.Numerics;
using FsCheck;
using FsCheck.Fluent;
using Turnpike.Ledger;

namespace Turnpike.Tests.Ledger;

/// <summary>Amounts are exact in every direction.</summary>
public sealed class MoneyProperties
{
    private static Config Seeded => Config.QuickThrowOnFailure.WithQuietOnSuccess(true).WithMaxTest(500).WithReplay(2026_11_21UL, 403UL);

    [Fact]
    public void What_is_written_is_read_back() =>
        Prop.ForAll(Units(), units =>
            Money.TryParse(new Money(units, "USD").ToString(), out var read) && read == new Money(units, "USD")
            && Money.TryParse(new Money(units, "calls").ToString(), out read) && read == new Money(units, "calls")).Check(Seeded);

    [Fact]
    public void Arbitrary_text_never_throws_and_never_reads_as_negative() =>
        Prop.ForAll(ArbMap.Default.ArbFor<string>(), text => !Money.TryParse(text, out var read) || read.Units >= 0).Check(Seeded);

    [Fact]
    public void A_rails_amount_is_never_less_than_the_charge_and_less_than_one_of_its_units_more() =>
        Prop.ForAll(Units(), ArbMap.Default.ArbFor<byte>(), (units, seed) =>
        {
            var decimals = seed % 19;
            var charge = units * BigInteger.Pow(10, 18 - 9);
            var collected = new Money(units, "USD").ToRail(decimals) * BigInteger.Pow(10, 18 - decimals);
            return collected >= charge && collected - charge < BigInteger.Pow(10, 18 - decimals);
        }).Check(Seeded);

    [Theory]
    [InlineData("0.01 USD", 10_000_000)]
    [InlineData("5 USD", 5_000_000_000)]
    [InlineData("0.000000001 USD", 1)]
    [InlineData("9223372036.854775807 USD", long.MaxValue)]
    [InlineData("5 requests", 5)]
    [InlineData("0 USD", 0)]
    public void A_plain_decimal_is_read(string text, long units)
    {
        Money.TryParse(text, out var money).ShouldBeTrue();
        money.Units.ShouldBe(units);
    }

    [Theory]
    [InlineData("-1 USD")]
    [InlineData("+1 USD")]
    [InlineData("1e3 USD")]
    [InlineData("1. USD")]
    [InlineData(".5 USD")]
    [InlineData("0.0000000001 USD")]
    [InlineData("9223372036.854775808 USD")]
    [InlineData("1,5 USD")]
    [InlineData("٣ USD")]
    [InlineData("0.5 requests")]
    [InlineData("1")]
    [InlineData("1 USD USD")]
    [InlineData("")]
    [InlineData(null)]
    public void Anything_else_is_not(string? text) => Money.TryParse(text, out _).ShouldBeFalse();

    [Theory]
    [InlineData(10_000_000, "0.01 USD")]
    [InlineData(5_000_000_000, "5.00 USD")]
    [InlineData(1, "0.000000001 USD")]
    [InlineData(-10_500_000, "-0.0105 USD")]
    [InlineData(long.MinValue, "-9223372036.854775808 USD")]
    public void Text_has_two_decimals_or_as_many_as_it_takes(long units, string text) => new Money(units, "USD").ToString().ShouldBe(text);

    [Fact]
    public void Currencies_never_mix_and_sums_never_wrap()
    {
        Should.Throw<InvalidOperationException>(() => new Money(1, "USD") + new Money(1, "EUR"));
        Should.Throw<InvalidOperationException>(() => new Money(1, "USD") < new Money(1, "calls"));
        Should.Throw<OverflowException>(() => new Money(long.MaxValue, "USD") + new Money(1, "USD"));
        Should.Throw<OverflowException>(() => new Money(long.MinValue, "USD") - new Money(1, "USD"));
    }

    private static Arbitrary<long> Units() => Gen.OneOf(
        Gen.Choose(0, 100).Select(few => (long)few),
        Gen.Choose(0, int.MaxValue).SelectMany(high => Gen.Choose(0, int.MaxValue).Select(low => ((long)high << 31) | (uint)low)),
        Gen.Elements(0L, 1, Money.Nano - 1, Money.Nano, long.MaxValue)).ToArbitrary();
}
