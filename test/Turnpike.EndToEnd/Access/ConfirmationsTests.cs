using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Access;

/// <summary>Step-up by blocks on a real chain: a real client pays, and nothing is forwarded before enough of them hold its payment.</summary>
public sealed class ConfirmationsTests(Chain chain)
{
    [Fact]
    public async Task A_stranger_waits_for_eight_blocks_and_is_known_afterwards()
    {
        chain.Require();
        await using var api = await PaidApi.StartAsync(chain, text => text.Replace("description: Seven-day forecast for one city", "step-up: { first-payment: true, require: confirmations, confirmations: 8 }", StringComparison.Ordinal));
        var before = await chain.BalanceAsync(api.Parties.Merchant);
        var paying = api.PayAsync("x402/pay-v1.mjs", "/forecast/paris");
        while (await chain.BalanceAsync(api.Parties.Merchant) == before && !paying.IsCompleted) await Task.Delay(50);
        await Task.Delay(2000);
        (paying.IsCompleted, api.Upstream.Executions).ShouldBe((false, 0), "the money is there, and a block a second is added");
        (await paying).Status.ShouldBe(200);
        (await api.PayAsync("x402/pay-v1.mjs", "/forecast/bern")).Status.ShouldBe(200, "it has paid before");
        api.Upstream.Executions.ShouldBe(2);
    }
}
