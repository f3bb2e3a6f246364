using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Limits;
using Turnpike.Payments;
using Turnpike.Pricing;

namespace Turnpike.Tests.Catalog;

/// <summary>The first day's document, every part of it.</summary>
public sealed class PaidApiTests
{
    private const string Text = """
        gateway:
          store: sqlite:data/paid-api.db
          admin-key: ${env:TURNPIKE_ADMIN_KEY}
        payments:
          chains:
            "eip155:84532":
              rpc: ${env:CHAIN_RPC}
              asset: USDC
              pay-to: ${env:PAY_TO}
              settler-key: ${env:SETTLER_KEY}
          x402:
            chains: ["eip155:84532"]
          mpp:
            secret: ${env:TURNPIKE_MPP_SECRET}
            evm: { chains: ["eip155:84532"] }
            stripe:
              secret-key: ${env:STRIPE_SECRET_KEY}
              profile: ${env:STRIPE_PROFILE}
              api: ${env:STRIPE_API_UNSET:-https://api.stripe.com}
          prepaid:
            secret: ${env:TURNPIKE_TOKEN_SECRET}
        services:
          weather:
            upstream: ${env:UPSTREAM}
            headers:
              x-upstream-key: ${env:UPSTREAM_KEY}
            operations:
              forecast:
                match: GET /forecast/{city}
                description: Seven-day forecast for one city
                price: 0.01 USD
              report:
                match: POST /reports
                description: A report, made to order
                price: 1.00 USD
              status:
                match: GET /status
                price: free
        """;

    private static readonly ServiceCatalog Catalog = Documents.Sound(Text);

    [Fact]
    public void Services_and_operations_are_understood()
    {
        var weather = Catalog.Services.ShouldHaveSingleItem();
        weather.Name.ShouldBe("weather");
        weather.Upstream.Targets.ShouldBe([new UpstreamTarget(new Uri("http://127.0.0.1:9000"))]);
        weather.Headers.ShouldHaveSingleItem().Key.ShouldBe("x-upstream-key");
        weather.Headers[0].Value.Reveal().ShouldBe("upstream-hush");
        weather.Operations.Select(o => $"{o.Service}/{o.Name} {o.Method} {o.Path}").ShouldBe(["weather/forecast GET /forecast/{city}", "weather/report POST /reports", "weather/status GET /status"]);
    }

    [Fact]
    public void Prices_are_exact_and_free_is_no_price()
    {
        Catalog.Operations["forecast"].Settings.Get<PriceModel>().ShouldBe(new PriceModel.Fixed(new Money(10_000_000, "USD")));
        Catalog.Operations["report"].Settings.Get<PriceModel>().ShouldBe(new PriceModel.Fixed(new Money(1_000_000_000, "USD")));
        Catalog.Operations["status"].Settings.Get<PriceModel>().ShouldBeNull();
    }

    [Fact]
    public void Payments_are_understood()
    {
        var payments = Catalog.Settings.Get<PaymentSettings>().ShouldNotBeNull();
        var chain = payments.Chains.ShouldHaveSingleItem();
        chain.ChainId.ShouldBe(84532ul);
        chain.Network.ShouldBe("eip155:84532");
        chain.Rpc.ShouldBe(new Uri("http://127.0.0.1:8545"));
        chain.Asset.Address.ToString().ShouldBe("0x036CbD53842c5426634e7929541eC2318f3dCF7e");
        (chain.Asset.Name, chain.Asset.Version, chain.Asset.Decimals, chain.Asset.Currency).ShouldBe(("USDC", "2", 6, "USD"));
        chain.PayTo.ToString().ShouldBe("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC");
        chain.SettlerKey.ShouldNotBeNull().Reveal().ShouldStartWith("0xac09");
        payments.X402.ShouldNotBeNull().Chains.ShouldBe([chain]);
        payments.Mpp.ShouldNotBeNull().EvmChains.ShouldBe([chain]);
        payments.Mpp.Secrets.ShouldHaveSingleItem();
        payments.Mpp.Stripe.ShouldNotBeNull().Api.ShouldBe(new Uri("https://api.stripe.com"));
        payments.Prepaid.ShouldNotBeNull().Secrets.ShouldHaveSingleItem();
    }

    [Fact]
    public void What_is_left_out_has_its_default()
    {
        Catalog.Gateway.Url.ShouldBe(new Uri("http://127.0.0.1:8402"));
        Catalog.Gateway.Admin.ShouldBe("http://127.0.0.1:8403");
        Catalog.Gateway.Store.ShouldBe("sqlite:data/paid-api.db");
        Catalog.Settings.Get<LimitSettings>().ShouldBeNull();
        Catalog.Operations["forecast"].Identity.ShouldBe(IdentityRule.Optional);
    }

    [Fact]
    public void The_version_is_of_the_text() =>
        Catalog.Version.ShouldSatisfyAllConditions(v => v.Length.ShouldBe(12), v => v.ShouldNotBe(Documents.Sound(Text + "\n").Version), v => v.ShouldBe(Documents.Sound(Text).Version));
}
