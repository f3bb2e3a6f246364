using Turnpike.Ledger;
using Turnpike.Pricing;
using Turnpike.Tests.Catalog;

namespace Turnpike.Tests.Pricing;

/// <summary>The <c>price:</c> of an operation.</summary>
public sealed class PriceSectionTests
{
    [Theory]
    [InlineData("0.01 USD", 10_000_000)]
    [InlineData("\"0.000000001 USD\"", 1)]
    [InlineData("{ amount: 2 USD }", 2_000_000_000)]
    [InlineData("${env:NOPE:-3.5 USD}", 3_500_000_000)]
    public void An_amount_is_a_fixed_price(string written, long nano) =>
        Documents.Sound(Priced(written)).Operations["o"].Settings.Get<PriceModel>().ShouldBe(new PriceModel.Fixed(new Money(nano, "USD")));

    [Theory]
    [InlineData("0 USD", "'0 USD' is nothing; what costs nothing is free")]
    [InlineData("0.0000000001 USD", "'0.0000000001 USD' is no price; write free, or an amount such as 0.01 USD with at most nine decimals")]
    [InlineData("1e3 USD", "'1e3 USD' is no price; write free, or an amount such as 0.01 USD with at most nine decimals")]
    [InlineData("-1 USD", "'-1 USD' is no price; write free, or an amount such as 0.01 USD with at most nine decimals")]
    [InlineData("5 calls", "'5 calls' is no price; write free, or an amount such as 0.01 USD with at most nine decimals")]
    [InlineData("0.01", "'0.01' is no price; write free, or an amount such as 0.01 USD with at most nine decimals")]
    [InlineData("Free", "'Free' is no price; write free, or an amount such as 0.01 USD with at most nine decimals")]
    [InlineData("99999999999 USD", "'99999999999 USD' is no price; write free, or an amount such as 0.01 USD with at most nine decimals")]
    [InlineData("{ amount: 0 USD }", "'0 USD' is nothing; an amount is above zero")]
    [InlineData("[0.01 USD]", "free, or an amount of money such as 0.01 USD, or a map of amount, per-million, per-unit, per-record, count, ceiling, by, other-models, default-max-tokens, minimum, per-session, lasts, pricer, cost-plus, margin, rules is wanted here")]
    public void What_is_no_price_is_refused(string written, string message) => Documents.Load(Priced(written)).Errors.ShouldHaveSingleItem().Message.ShouldBe(message);

    [Fact]
    public void Nothing_is_free_by_omission() =>
        Documents.Load("services: { s: { upstream: \"http://x\", operations: { o: { match: GET /o } } } }").Errors.ShouldHaveSingleItem()
            .Message.ShouldBe("'price' is missing: What a delivered answer costs: free, an amount, or a map.");

    private static string Priced(string price) =>
        $"payments: {{ prepaid: {{ secret: \"${{env:TURNPIKE_TOKEN_SECRET}}\" }} }}\nservices:\n  s:\n    upstream: http://x\n    operations:\n      o:\n        match: GET /o\n        price: {price}\n";
}
