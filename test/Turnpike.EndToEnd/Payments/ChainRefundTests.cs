using System.Net;
using System.Text.Json.Nodes;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Payments;

/// <summary>Money on its way back on a real chain, from the settler's wallet: once, over silence and kill -9.</summary>
public sealed class ChainRefundTests(Chain chain)
{
    [Fact]
    public async Task The_payer_has_a_part_and_the_rest_back_on_the_chain()
    {
        await using var api = await PaidApi.StartAsync(chain);
        var (receipt, before) = await PayAsync(api);
        (await RefundAsync(api, receipt, """{"amount":"0.004 USD","reason":"wrong"}""", "a")).Body.ShouldContain("cannot give it");
        await FillAsync(api);
        var first = await RefundAsync(api, receipt, """{"amount":"0.004 USD","reason":"wrong"}""", "a");
        first.Status.ShouldBe(HttpStatusCode.OK, first.Body);
        (first.Json["as"]!.GetValue<string>(), first.Json["railAmount"]!.GetValue<string>()).ShouldBe(("rail", "4000"));
        (await RefundAsync(api, receipt, """{"reason":"and the rest"}""", "b")).Status.ShouldBe(HttpStatusCode.OK);
        (await RefundAsync(api, receipt, """{"amount":"0.001 USD","reason":"more"}""", "c")).Reason.ShouldBe("refund-exceeds");
        (await BalanceAsync(api)).ShouldBe(before + 10_000);
        await api.BooksBalanceAsync();
    }

    [Theory]
    [InlineData("eth_feeHistory", "LostBefore")] // intended, and not sent
    [InlineData("eth_sendRawTransaction", "LostBefore")]
    [InlineData("eth_sendRawTransaction", "LostAfter")] // sent, and not done
    public async Task Killed_on_the_way_it_is_given_back_once_after_the_restart(string method, string trouble)
    {
        await using var rpc = await RpcProxy.StartAsync(chain.Require().Rpc);
        await using var api = await PaidApi.StartAsync(chain, ("CHAIN_RPC", rpc.Url.GetLeftPart(UriPartial.Authority)));
        var (receipt, before) = await PayAsync(api);
        await FillAsync(api);
        await Task.Delay(TimeSpan.FromSeconds(5)); // fees known from the payment are kept for four
        rpc.Trouble(method, Enum.Parse<RpcTrouble>(trouble));
        var call = LostAsync(RefundAsync(api, receipt, """{"reason":"wrong"}""", "a"));
        await rpc.LossAsync();
        await api.Gateway.KillAsync();
        await call;
        rpc.Heal();
        await api.Gateway.StartAgainAsync();
        (await DoneAsync(api, receipt)).ShouldBe("done");
        (await RefundAsync(api, receipt, """{"reason":"wrong"}""", "a")).Status.ShouldBe(HttpStatusCode.OK);
        (await BalanceAsync(api)).ShouldBe(before + 10_000);
        await api.BooksBalanceAsync();
    }

    private static async Task<long> BalanceOfAsync(Chain chain, PaidApi api) => (long)(await chain.BalanceAsync(api.Parties.Payer)).Low;

    private Task<long> BalanceAsync(PaidApi api) => BalanceOfAsync(chain, api);

    private async Task<(string Receipt, long Balance)> PayAsync(PaidApi api)
    {
        chain.Require();
        var paid = await api.PresentAsync("/forecast/paris", ExactSigner.Pay(await api.TermsAsync("/forecast/paris"), api.Parties.Payer));
        paid.Status.ShouldBe(HttpStatusCode.OK, paid.Body);
        return ((await api.DeliveredAsync()).Receipt, await BalanceAsync(api));
    }

    private Task FillAsync(PaidApi api) => chain.Require().MintAsync(api.Parties.Settler, 1_000_000UL, default);

    private static Task<Answered> RefundAsync(PaidApi api, string receipt, string order, string key) => api.AdminAsync("POST", $"/admin/v1/payments/{receipt}/refund", order, ("Idempotency-Key", key));

    private static async Task<string> DoneAsync(PaidApi api, string receipt)
    {
        JsonNode? refund = null;
        for (var wait = 0; wait < 400; wait++, await Task.Delay(300))
        {
            refund = (await api.AdminAsync("GET", $"/admin/v1/payments/{receipt}/refunds")).Json["refunds"]!.AsArray().ShouldHaveSingleItem();
            if (refund!["status"]!.GetValue<string>() is not "pending" and var status) return status;
        }
        throw new ShouldAssertException($"It is still on its way: {refund}\n{api.Gateway.Log}");
    }

    private static async Task LostAsync(Task<Answered> call)
    {
        try { await call; }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException) { /* the connection broke */ }
    }
}
