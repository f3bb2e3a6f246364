using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Pricing;
using Turnpike.Tests.Catalog;
using Turnpike.Tests.Gateway;
using Turnpike.Protocols.Http;

namespace Turnpike.Tests.Pricing;

/// <summary>What a call costs, and what it cost a moment ago.</summary>
public sealed class PriceBookTests
{
    private readonly ManualTime time = new();

    private static ServiceCatalog Priced(string price) => Documents.Sound(TestGate.Document.Replace("0.01 USD", price, StringComparison.Ordinal));

    private async Task<Call> QuotedAsync(PriceBook book, ServiceCatalog catalog, string operation = "forecast")
    {
        var call = new Call
        {
            Catalog = catalog, Operation = catalog.Operations[operation], Method = "GET", Target = RequestTarget.Canonicalise("/forecast/paris"),
            Headers = new Microsoft.AspNetCore.Http.HeaderDictionary(), Address = "127.0.0.1", Secure = true, Loopback = true, Now = time.GetUtcNow(),
        };
        (await book.QuoteAsync(call, default)).ShouldBeNull();
        return call;
    }

    [Fact]
    public async Task A_quote_names_price_version_and_how_long_it_holds()
    {
        var catalog = Priced("0.05 USD");
        var quote = (await QuotedAsync(new PriceBook(time), catalog)).Quote.ShouldNotBeNull();
        quote.ShouldBe(new Quote(new Money(50_000_000, "USD"), "call", catalog.Version, time.GetUtcNow().AddMinutes(5)));
    }

    [Fact]
    public async Task What_is_free_has_no_quote() => (await QuotedAsync(new PriceBook(time), Priced("0.05 USD"), "status")).Quote.ShouldBeNull();

    [Fact]
    public async Task Replaced_prices_stay_good_until_the_last_terms_given_for_them_expire()
    {
        var (book, old, young) = (new PriceBook(time), Priced("0.05 USD"), Priced("0.07 USD"));
        (await AmountsAsync(old)).ShouldBe([new Money(50_000_000, "USD")]);
        book.Replaced(old);
        (await AmountsAsync(young)).ShouldBe([new Money(70_000_000, "USD"), new Money(50_000_000, "USD")]);
        time.Pass(PriceBook.Valid);
        (await AmountsAsync(young)).Count().ShouldBe(2, "the last moment counts");
        time.Pass(TimeSpan.FromTicks(1));
        (await AmountsAsync(young)).ShouldBe([new Money(70_000_000, "USD")]);

        async Task<IEnumerable<Money>> AmountsAsync(ServiceCatalog catalog) => book.InForce(await QuotedAsync(book, catalog)).Select(price => price.Amount);
    }
}
