using System.Net;
using Turnpike.EndToEnd.Crashes;
using Turnpike.EndToEnd.Harness;
using Turnpike.EndToEnd.Storage;
using Turnpike.Payments.Evm;
using Turnpike.Protocols.Evm;
using Turnpike.Storage;
using Turnpike.Storage.Nodes;

namespace Turnpike.EndToEnd.Nodes;

/// <summary>Two nodes that settle on chain from one wallet do not fight about its transaction numbers.</summary>
public sealed class SharedSignerTests(Chain chain)
{
    [Fact]
    public async Task Twenty_payments_at_once_at_both_all_settle_and_each_is_charged_once()
    {
        await using var pair = await Pair.StartAsync(chain);
        var purchases = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Purchase.OnAsync(i % 2 == 0 ? pair.A : pair.B, "x402", null, i)));
        await Task.WhenAll(purchases.Select(purchase => purchase.InsistAsync()));
        (await Purchase.ChargedAsync(pair.A, "x402", null)).ShouldBe(20);
        await Purchase.SettledAsync(pair.B);
    }

    [Fact]
    public async Task A_node_that_dies_with_a_number_it_never_sent_does_not_hold_up_the_other()
    {
        await using var proxy = await RpcProxy.StartAsync(chain.Require().Rpc);
        var store = TemporaryDatabase.NewEmpty();
        await using var a = await PaidApi.StartOnAsync(chain, store, ("gateway.node", "a"), ("CHAIN_RPC", proxy.Url.GetLeftPart(UriPartial.Authority)));
        var b = a.At(await a.AnotherAsync(store, ("gateway.node", "b"), ("gateway.url", a.Gateway.Url.GetLeftPart(UriPartial.Authority))));
        await using var gateway = b.Gateway;
        (await (await Purchase.OnAsync(b, "x402", null, 0)).PresentAsync())!.Status.ShouldBe(HttpStatusCode.OK);
        proxy.Trouble("eth_sendRawTransaction", RpcTrouble.LostBefore);
        var lost = await Purchase.OnAsync(a, "x402", null, 1);
        var presented = lost.PresentAsync();
        await proxy.LossAsync();
        await a.Gateway.KillAsync();
        await presented;
        var behind = await Task.WhenAll(Enumerable.Range(2, 3).Select(i => Purchase.OnAsync(b, "x402", null, i)));
        await Task.WhenAll(behind.Select(purchase => purchase.InsistAsync()));
        await lost.At(b).InsistAsync();
        (await Purchase.ChargedAsync(b, "x402", null)).ShouldBe(5);
        await Purchase.SettledAsync(b);
    }

    [Fact]
    public async Task Gaps_are_filled_by_one_node_and_when_it_is_gone_by_another()
    {
        var store = TemporaryDatabase.NewEmpty();
        using var first = Database.Open(new StorageOptions(store), TimeProvider.System);
        using var second = Database.Open(new StorageOptions(store), TimeProvider.System);
        var a = new ChainNonceStore(first, await NodeLease.OpenAsync(first, "a", "v", TimeProvider.System, default), TimeProvider.System);
        var b = new ChainNonceStore(second, await NodeLease.OpenAsync(second, "b", "v", TimeProvider.System, default), TimeProvider.System);
        var signer = Address.Parse(Parties.Account().Address);
        await a.TakeAsync(1, signer, 0, default);
        var may = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => (i % 2 == 0 ? a : b).MayFillAsync(1, signer, default).AsTask()));
        may.Count(yes => yes).ShouldBe(10, "all of one and none of the other");
        var (holder, other) = may[0] ? (a, b) : (b, a);
        (await other.MayFillAsync(1, signer, default)).ShouldBeFalse();
        await first.WriteAsync(sql => sql.Run("update signers set until = 1"), default); // its time is over
        (await other.MayFillAsync(1, signer, default)).ShouldBeTrue();
        (await holder.MayFillAsync(1, signer, default)).ShouldBeFalse();
    }
}
