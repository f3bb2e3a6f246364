using FsCheck;
using FsCheck.Fluent;
using Turnpike.Client;

namespace Turnpike.Tests.Client;

/// <summary>Amounts are exact, whatever text or token they come from.</summary>
public sealed class AmountTests
{
    [Theory]
    [InlineData("0.01 USD", 10_000_000)]
    [InlineData("5 USD", 5_000_000_000)]
    [InlineData("0.000000001 EUR", 1)]
    public void Amounts_are_read_in_billionths(string text, long nano) => Amount.Parse(text).Nano.ShouldBe(nano);

    [Theory]
    [InlineData("-1 USD")]
    [InlineData("1e3 USD")]
    [InlineData("1. USD")]
    [InlineData(".5 USD")]
    [InlineData("0.0000000001 USD")]
    [InlineData("99999999999 USD")]
    [InlineData("1 usd")]
    [InlineData("1")]
    [InlineData("")]
    [InlineData(null)]
    public void What_is_no_amount_is_refused(string? text) => Amount.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public void Every_amount_reads_back_as_it_was_written() => Prop.ForAll(ArbMap.Default.ArbFor<NonNegativeInt>(), ArbMap.Default.ArbFor<NonNegativeInt>(), (whole, nano) =>
        {
            var amount = new Amount(whole.Get % 1_000_000 * 1_000_000_000L + nano.Get % 1_000_000_000, "USD");
            return Amount.Parse(amount.ToString()) == amount;
        }).Check(Config.QuickThrowOnFailure.WithReplay(7UL, 9UL));

    [Fact]
    public void A_tokens_finer_units_are_rounded_up_so_that_no_limit_is_passed() => Amount.FromUnits(1, 18, "USD")!.Value.Nano.ShouldBe(1);

    [Fact]
    public void An_amount_beyond_what_is_counted_is_none() => Amount.FromUnits(System.Numerics.BigInteger.Pow(10, 30), 6, "USD").ShouldBeNull();
}
