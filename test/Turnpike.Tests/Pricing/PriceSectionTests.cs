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

    [Fact]
    public void A_price_behind_a_reference_is_of_the_version_and_kept_as_it_was()
    {
        var (cheap, dear) = (At("10.00 USD"), At("20.00 USD"));
        At("10.00 USD").Version.ShouldBe(cheap.Version);
        dear.Version.ShouldNotBe(cheap.Version);
        PriceSection.Read(PriceOf(cheap).Written).ShouldBeOfType<PriceModel.Metered>().Models[""].Charge(Used).ShouldBe(new Money(10_000_000, "USD"));
        PriceSection.Read(PriceOf(dear).Written).ShouldBeOfType<PriceModel.Metered>().Models[""].Charge(Used).ShouldBe(new Money(20_000_000, "USD"));

        static Turnpike.Catalog.ServiceCatalog At(string rate) => Language.Loader.Load(Priced("{ ceiling: 1.00 USD, per-million: { bytes: \"${env:RATE}\" } }"), "t.yaml",
            new Turnpike.Catalog.Document.ConfigEnvironment(name => name == "RATE" ? rate : Documents.Variables.GetValueOrDefault(name), _ => null)).Catalog.ShouldNotBeNull();
        static PriceModel.Metered PriceOf(Turnpike.Catalog.ServiceCatalog catalog) => (PriceModel.Metered)catalog.Operations["o"].Settings.Get<PriceModel>()!;
    }

    [Theory]
    [InlineData("upstream: http://x", "upstream: \"${env:OTHER}\"", "http://127.0.0.1:9000", "http://127.0.0.1:9001")]
    [InlineData("secret: \"${env:TURNPIKE_TOKEN_SECRET}\"", "secret: \"${env:OTHER}\"", "one secret of more than thirty-two bytes", "another secret of more than thirty-two bytes")]
    [InlineData("  s:\n", "  prices:\n    description: \"${env:OTHER}\"\n", "here", "there")]
    [InlineData("      o:\n", "      price:\n        description: \"${env:OTHER}\"\n", "here", "there")]
    public void Other_references_are_not_of_the_version_so_that_nodes_share_it(string written, string reference, string here, string there)
    {
        var text = Priced("0.01 USD").Replace(written, reference, StringComparison.Ordinal);
        text.ShouldContain(reference);
        At(here).ShouldBe(At(there));

        string At(string other) => Language.Loader.Load(text, "t.yaml", new Turnpike.Catalog.Document.ConfigEnvironment(name => name == "OTHER" ? other : Documents.Variables.GetValueOrDefault(name), _ => null)).Catalog.ShouldNotBeNull().Version;
    }

    private static Turnpike.Metering.Usage Used
    {
        get
        {
            var usage = new Turnpike.Metering.Usage();
            usage.Observed[Turnpike.Metering.Units.Bytes] = 1_000;
            return usage;
        }
    }

    private static string Priced(string price) =>
        $"payments: {{ prepaid: {{ secret: \"${{env:TURNPIKE_TOKEN_SECRET}}\" }} }}\nservices:\n  s:\n    upstream: http://x\n    operations:\n      o:\n        match: GET /o\n        price: {price}\n";
}
