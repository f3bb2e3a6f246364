using Turnpike.Audit;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Payments.Costs;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Payments;

/// <summary>Offers are ordered by what taking them costs.</summary>
public sealed class RailCostsTests
{
    private readonly RailCosts costs = new();

    [Fact]
    public void For_small_amounts_prepaid_is_cheapest_then_a_second_layer_then_cards_then_the_first_layer()
    {
        string[] order = [.. new[] { Offer("x402.exact", "eip155:1"), Offer("mpp.stripe", null), Offer("x402.exact", "eip155:8453"), Offer("prepaid", null) }
            .OrderBy(o => costs.Of(o, new Money(Money.Nano, "USD"))).Select(o => o.Network ?? o.Method)];
        order.ShouldBe(["prepaid", "eip155:8453", "mpp.stripe", "eip155:1"]);
    }

    [Fact]
    public void A_share_grows_with_the_amount_and_never_overflows()
    {
        costs.Of(Offer("mpp.stripe", null), new Money(100 * Money.Nano, "USD")).ShouldBe(300_000_000 + 2_900_000_000);
        costs.Of(Offer("mpp.stripe", null), new Money(long.MaxValue, "USD")).ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task Offers_are_ordered_by_what_the_document_says_and_left_out_below_a_minimum()
    {
        using var gate = new TestGate(document: Costed("mpp.evm: { fixed: 0.001 USD }, x402.exact: { gas: 0.002 USD, percent: 10% }, prepaid: { percent: 100%, minimum: 0.01 USD }"));
        (await OffersAsync(gate)).ShouldBe(["mpp.evm", "x402.exact", "prepaid"]);
        using var other = new TestGate(document: Costed("mpp.evm: { fixed: 0.004 USD, minimum: 0.02 USD }, eip155:84532: { gas: 0.002 USD }, prepaid: { percent: 50% }"));
        (await OffersAsync(other)).ShouldBe(["x402.exact", "prepaid"]);
    }

    [Fact]
    public async Task A_payment_records_what_its_rail_costs_and_what_the_others_would_have()
    {
        using var gate = new TestGate(document: Costed("mpp.evm: { fixed: 0.001 USD }, x402.exact/eip155:84532: { gas: 0.002 USD, percent: 10% }"));
        await gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", await gate.ProofAsync()));
        (await HeldAsync(gate)).Detail.ShouldBe("costs x402.exact/eip155:84532 0.003 USD; instead of prepaid 0.00 USD, mpp.evm/eip155:84532 0.001 USD");
        using var plain = new TestGate();
        await plain.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", await plain.ProofAsync()));
        (await HeldAsync(plain)).Detail.ShouldBeNull();
    }

    [Theory]
    [InlineData("paypal: { fixed: 0.30 USD }", "is no rail")]
    [InlineData("x402: { fixed: 0.30 USD }", "is no rail")]
    [InlineData("plan: { fixed: 0.30 USD }", "is no rail")]
    [InlineData("\"x402.exact/base\": { gas: 0.30 USD }", "is no rail")]
    [InlineData("\"eip155:\": { gas: 0.30 USD }", "is no rail")]
    [InlineData("prepaid: { fixed: 0.30 USD, gas: 0.30 EUR }", "a rail's costs are in one currency")]
    [InlineData("prepaid: { percent: 101% }", "is no percentage up to 100%")]
    [InlineData("prepaid: { minimum: 1.00 USD }", "prepaid takes 1.00 USD or more")]
    public void Costs_that_cannot_be_are_told(string costs, string error) =>
        Turnpike.Tests.Catalog.Documents.Load(Costed(costs)).ErrorLines.ShouldContain(line => line.Contains(error, StringComparison.Ordinal));

    private static string Costed(string costs) => TestGate.Document.Replace("  x402: {}", $"  costs: {{ {costs.Replace("eip155:84532:", "\"eip155:84532\":", StringComparison.Ordinal).Replace("x402.exact/\"eip155:84532\":", "\"x402.exact/eip155:84532\":", StringComparison.Ordinal)} }}\n  x402: {{}}", StringComparison.Ordinal);

    private static async Task<IReadOnlyList<string?>> OffersAsync(TestGate gate) => [.. (await gate.GetAsync("/forecast/paris")).Json.GetProperty("offers").EnumerateArray().Select(o => o.GetProperty("method").GetString())];

    private static async Task<AuditEvent> HeldAsync(TestGate gate) => (await gate.Of<IAuditTrail>().ReadAsync(new AuditFilter(Kind: AuditKinds.Held), default)).ShouldHaveSingleItem().Event;

    private static Offer Offer(string method, string? network) => new("p", method, network, "1", "USD", null, new SendAs("h", "f"), null);
}
