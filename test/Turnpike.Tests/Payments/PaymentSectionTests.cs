using Turnpike.Catalog;
using Turnpike.Payments;
using Turnpike.Tests.Catalog;

namespace Turnpike.Tests.Payments;

/// <summary>The <c>payments:</c> section, and whether what is sold can be paid.</summary>
public sealed class PaymentSectionTests
{
    private const string Chain = "\"eip155:84532\": { asset: USDC, pay-to: \"${env:PAY_TO}\", facilitator: \"https://f.example.com\" }";
    private const string Stripe = "mpp: { secret: \"${env:TURNPIKE_MPP_SECRET}\", stripe: { secret-key: \"${env:STRIPE_SECRET_KEY}\", profile: p } }";
    private const string Prepaid = "prepaid: { secret: \"${env:TURNPIKE_TOKEN_SECRET}\" }";

    [Theory]
    [InlineData("chains: { mars: { asset: USDC, pay-to: \"${env:PAY_TO}\", facilitator: \"http://f\" } }", "chains.mars: is no EVM chain; write its CAIP-2 name, \"eip155:8453\"")]
    [InlineData("chains: { base: { asset: USDC, pay-to: \"${env:PAY_TO}\", facilitator: \"http://f\" } }", "chains.base: is no CAIP-2 name; did you mean \"eip155:8453\"?")]
    [InlineData("chains: { \"eip155:1\": { asset: DOGE, pay-to: \"${env:PAY_TO}\", facilitator: \"http://f\" } }", "chains.\"eip155:1\".asset: no such asset is built in for eip155:1; known: USDC; or write { address, name, version, decimals, currency }")]
    [InlineData("chains: { \"eip155:4326\": { asset: USDM, pay-to: \"${env:PAY_TO}\", facilitator: \"http://f\" } }", "chains.\"eip155:4326\".asset: USDm on eip155:4326 has no EIP-3009, which payment by signature needs")]
    [InlineData("chains: { \"eip155:1\": { asset: USDC, pay-to: \"0x12\", facilitator: \"http://f\" } }", "chains.\"eip155:1\".pay-to: '0x12' is no address; write 0x and 40 hexadecimal digits")]
    [InlineData("chains: { \"eip155:1\": { asset: USDC, pay-to: \"0x0000000000000000000000000000000000000000\", facilitator: \"http://f\" } }", "chains.\"eip155:1\".pay-to: '0x0000000000000000000000000000000000000000' is the address nobody holds")]
    [InlineData("chains: { \"eip155:1\": { asset: USDC, pay-to: \"${env:PAY_TO}\" } }", "chains.\"eip155:1\": a chain has either settler-key (verify and settle here) or facilitator")]
    [InlineData("chains: { \"eip155:1\": { asset: USDC, rpc: \"http://r\", pay-to: \"${env:PAY_TO}\", settler-key: \"${env:SETTLER_KEY}\", facilitator: \"http://f\" } }", "chains.\"eip155:1\".facilitator: a chain has either settler-key (verify and settle here) or facilitator")]
    [InlineData("chains: { \"eip155:1\": { asset: USDC, pay-to: \"${env:PAY_TO}\", settler-key: \"${env:SETTLER_KEY}\" } }", "chains.\"eip155:1\": 'rpc' is missing: with settler-key the chain is asked from here")]
    [InlineData("chains: { \"eip155:1\": { asset: USDC, rpc: \"http://r\", pay-to: \"${env:PAY_TO}\", settler-key: \"${env:SHORT}\" } }", "chains.\"eip155:1\".settler-key: ${env:SHORT} is no private key; it is 32 bytes in hexadecimal")]
    [InlineData("chains: { \"eip155:1\": { asset: { address: \"${env:PAY_TO}\", name: X, version: \"1\", decimals: 99, currency: USD }, pay-to: \"${env:PAY_TO}\", facilitator: \"http://f\" } }", "chains.\"eip155:1\".asset.decimals: '99' is no whole number from 0 to 36")]
    [InlineData("x402: {}", "x402: payments.chains names no chain to be paid on")]
    [InlineData("x402: { chains: [\"eip155:1\"] }", "x402.chains[0]: 'eip155:1' is not one of payments.chains, which names none")]
    [InlineData("chains: { " + Chain + " }, x402: { chains: [\"eip155:84532\", \"eip155:84532\"] }", "x402.chains[1]: is named twice")]
    [InlineData("mpp: { secret: \"${env:TURNPIKE_MPP_SECRET}\" }", "mpp: mpp needs evm or stripe to be paid by")]
    [InlineData("mpp: { secret: \"${env:SHORT}\", stripe: { secret-key: \"${env:STRIPE_SECRET_KEY}\", profile: p } }", "mpp.secret: a signing secret has at least 32 bytes; ${env:SHORT} has fewer")]
    [InlineData("mpp: { secret: [\"${env:TURNPIKE_MPP_SECRET}\", \"${env:SHORT}\"], stripe: { secret-key: \"${env:STRIPE_SECRET_KEY}\", profile: p } }", "mpp.secret[1]: a signing secret has at least 32 bytes; ${env:SHORT} has fewer")]
    [InlineData("mpp: { secret: \"${env:TURNPIKE_MPP_SECRET}\", stripe: { secret-key: \"${env:STRIPE_SECRET_KEY}\", profile: p, api: \"http://stripe.example.com\" } }", "mpp.stripe.api: plain http is for a stand-in on loopback only; the secret key goes there")]
    [InlineData("prepaid: {}", "prepaid: 'secret' is missing: Tokens are derived from their ids with it; at least 32 bytes; one, or a list, current first.")]
    public void A_bad_way_to_be_paid_is_told(string payments, string expected) =>
        Documents.Load($"payments: {{ {payments} }}").Errors.ShouldHaveSingleItem().ShouldSatisfyAllConditions(e => $"{e.Path}: {e.Message}".ShouldBe("payments." + expected));

    [Theory]
    [InlineData("", "price: 0.01 USD", "price: has a price, but payments configures no way to pay it")]
    [InlineData(Stripe, "price: 0.49 USD", "price: no accepted method can take 0.49 USD: mpp.stripe takes 0.50 USD or more")]
    [InlineData(Stripe, "price: 0.50 USD", null)]
    [InlineData(Stripe + ", " + Prepaid, "price: 0.49 USD", null)]
    [InlineData(Stripe, "price: { amount: 0.60 USD, rules: [{ days: [sat], percent: 0% }, { busy: 9, percent: 50% }] }", "price: no accepted method can take 0.30 USD: mpp.stripe takes 0.50 USD or more")]
    [InlineData(Stripe, "price: { amount: 0.40 USD, rules: [{ days: [sat], percent: 150% }] }", "price: no accepted method can take 0.40 USD: mpp.stripe takes 0.50 USD or more")]
    [InlineData(Stripe + ", " + Prepaid, "price: 0.49 USD, accept: [mpp]", "accept: no accepted method can take 0.49 USD: mpp.stripe takes 0.50 USD or more")]
    [InlineData("chains: { " + Chain + " }, x402: {}", "price: 0.01 EUR", "price: no accepted method can take 0.01 EUR: x402.exact takes USD")]
    [InlineData("chains: { " + Chain + " }, x402: {}", "price: 0.01 USD, accept: [x402.exact]", null)]
    [InlineData(Prepaid, "price: 0.01 USD, accept: [prepaid, mpp.stripe]", "accept[1]: 'mpp.stripe' is not configured in payments")]
    [InlineData(Prepaid, "price: 0.01 USD, accept: [plan]", "accept[0]: there are no plans")]
    [InlineData(Prepaid, "price: 0.01 USD, accept: [paypal]", "accept[0]: 'paypal' is no protocol or method; known: x402, mpp, prepaid, plan, balance, x402.exact, mpp.evm, mpp.stripe")]
    [InlineData(Prepaid, "price: 0.01 USD, accept: [prepayd]", "accept[0]: 'prepayd' is no protocol or method; did you mean 'prepaid'?")]
    [InlineData("", "price: free", null)]
    public void What_is_sold_can_be_paid(string payments, string operation, string? expected)
    {
        var section = payments.Length == 0 ? "" : $"payments: {{ {payments} }}\n";
        var result = Documents.Load($"{section}services: {{ s: {{ upstream: \"http://x\", operations: {{ o: {{ match: GET /o, {operation} }} }} }} }}");
        if (expected is null) result.ErrorLines.ShouldBeEmpty();
        else result.Errors.ShouldHaveSingleItem().ShouldSatisfyAllConditions(e => $"{e.Path}: {e.Message}".ShouldBe("services.s.operations.o." + expected));
    }

    [Fact]
    public void Payments_that_were_refused_are_not_taken_for_absent() =>
        Documents.Load("payments: { prepaid: { secret: \"${env:SHORT}\" } }\nservices: { s: { upstream: \"http://x\", operations: { o: { match: GET /o, price: 0.01 USD } } } }")
            .Errors.ShouldHaveSingleItem().Path.ShouldBe("payments.prepaid.secret");

    [Fact]
    public void Chains_are_in_the_order_that_a_protocol_names()
    {
        var second = Chain.Replace("84532", "8453");
        var payments = Documents.Sound(Documents.With($"payments: {{ chains: {{ {Chain}, {second} }}, x402: {{ chains: [\"eip155:8453\", \"eip155:84532\"] }}, mpp: {{ secret: \"${{env:TURNPIKE_MPP_SECRET}}\", evm: {{}}, valid: 1h }} }}"))
            .Settings.Get<PaymentSettings>().ShouldNotBeNull();
        payments.X402!.Chains.Select(c => c.Network).ShouldBe(["eip155:8453", "eip155:84532"]);
        payments.Mpp!.EvmChains.Select(c => c.Network).ShouldBe(["eip155:84532", "eip155:8453"]);
        payments.Mpp.Valid.ShouldBe(TimeSpan.FromHours(1));
    }

    [Fact]
    public void Methods_are_in_the_order_of_accept()
    {
        var catalog = Documents.Sound($"payments: {{ {Stripe}, {Prepaid} }}\nservices: {{ s: {{ upstream: \"http://x\", operations: {{ o: {{ match: GET /o, price: 1 USD, accept: [prepaid, mpp, prepaid] }} }} }} }}");
        Payable.Accepted(catalog.Operations["o"], Payable.Of(catalog.Settings)).Select(p => p.Method).ShouldBe(["prepaid", "mpp.stripe"]);
    }
}
