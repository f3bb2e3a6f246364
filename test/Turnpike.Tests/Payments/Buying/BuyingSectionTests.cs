using Turnpike.Tests.Catalog;

namespace Turnpike.Tests.Payments.Buying;

/// <summary>What a document may say of wallets and of paying upstreams, and what it is told when it says something else.</summary>
public sealed class BuyingSectionTests
{
    [Theory]
    [InlineData("wallet: market", "wallet: markt", "names no wallet; there is market, pool; did you mean 'market'?")]
    [InlineData(", payees: \"${env:SELLER}\"", "", "who may be paid is to be said")]
    [InlineData("upstream: https://seller.test", "upstream: http://seller.test", "payments are sent over https, or to loopback; seller.test is neither")]
    [InlineData("caps: [{ amount: 0.05 USD", "per-call: 0.03 USD, caps: [{ amount: 0.05 USD", "a call may pay 0.03 USD to its upstream and brings 0.02 USD")]
    [InlineData("price: { cost-plus: 20%, ceiling: 0.10 USD }", "price: { cost-plus: 20% }", "what an upstream asks needs a ceiling")]
    [InlineData("price: { cost-plus: 20%, ceiling: 0.10 USD }", "price: { cost-plus: 20, ceiling: 0.10 USD }", "is no percentage; write 20% or 2.5%")]
    [InlineData("price: { cost-plus: 20%, ceiling: 0.10 USD }", "price: { margin: 0.20 USD, ceiling: 0.10 USD }", "a margin is below the ceiling, 0.10 USD")]
    [InlineData("price: { cost-plus: 20%, ceiling: 0.10 USD }", "price: { cost-plus: 20%, minimum: 0.20 USD, ceiling: 0.10 USD }", "a minimum is at most the ceiling, 0.10 USD")]
    [InlineData("price: { cost-plus: 20%, ceiling: 0.10 USD }", "price: { per-session: 1 USD, lasts: 1h }", "a fixed amount, or cost-plus")]
    [InlineData("key: \"${env:WALLET_KEY}\"", "key: \"0x5de4\"", "a secret is a reference")]
    [InlineData("key: \"${env:WALLET_KEY}\", chains: { \"eip155:84532\": { asset: USDC, rpc: \"${env:CHAIN_RPC}\" } }", "key: \"${env:WALLET_KEY}\"", "key and chains belong together")]
    [InlineData("asset: USDC, rpc: \"${env:CHAIN_RPC}\" } }, caps", "asset: USDC } }, caps", "'rpc' is missing")]
    [InlineData("at: https://seller.test }", "at: http://seller.test }", "a token is sent over https, or to loopback")]
    [InlineData("at: https://seller.test }", "at: https://seller.test, volume: { per: 1mo, tiers: [{ from: 2 USD, percent: 90% }, { from: 1 USD, percent: 80% }] } }", "each from more than the one before")]
    [InlineData("caps: [{ amount: 10 USD, per: 1d }] }", "volume: { per: 1mo, tiers: [{ from: 2 USD, percent: 90% }] } }", "a volume is of a token")]
    [InlineData("at: https://seller.test }", "at: https://other.test }", null)]
    public void What_is_wrong_is_told(string from, string to, string? told)
    {
        Market.Document.ShouldContain(from);
        var errors = Documents.Load(Market.Document.Replace(from, to, StringComparison.Ordinal)).ErrorLines;
        if (told is null) errors.ShouldBeEmpty("no service uses it");
        else errors.ShouldContain(line => line.Contains(told, StringComparison.Ordinal));
    }

    [Fact]
    public void A_token_is_only_for_a_service_that_goes_to_its_seller() =>
        Documents.Load(Market.Document.Replace("wallet: market", "wallet: [market, pool]", StringComparison.Ordinal).Replace("at: https://seller.test", "at: https://other.test", StringComparison.Ordinal))
            .ErrorLines.ShouldHaveSingleItem().ShouldContain("the token of 'pool' is for other.test, where this service does not go");

    [Fact]
    public void A_price_of_cost_plus_needs_an_upstream_that_is_paid() =>
        Documents.Load(Market.Document.Replace("    pays:", "    #", StringComparison.Ordinal)).ErrorLines.ShouldContain(line => line.Contains("the service has no 'pays'", StringComparison.Ordinal));
}
