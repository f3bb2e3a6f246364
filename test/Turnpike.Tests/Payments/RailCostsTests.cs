using Turnpike.Ledger;
using Turnpike.Payments;

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

    private static Offer Offer(string method, string? network) => new("p", method, network, "1", "USD", null, new SendAs("h", "f"), null);
}
