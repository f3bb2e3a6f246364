using System.Net;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Payments;

/// <summary>kill -9 at each row of the crash table, seen from outside: what a restart makes of it, on the chain and in the books.</summary>
public sealed class CrashTests(Chain chain) : IAsyncLifetime
{
    private PaidApi? api;
    private RpcProxy? rpc;

    private static readonly string[] Open = ["held", "captured", "unknown"];

    private PaidApi Api => api!;

    public async ValueTask InitializeAsync()
    {
        if (chain.Current is null) { api = await PaidApi.StartAsync(chain); return; }
        rpc = await RpcProxy.StartAsync(chain.Current.Rpc);
        api = await PaidApi.StartAsync(chain, ("CHAIN_RPC", rpc.Url.GetLeftPart(UriPartial.Authority)));
    }

    public async ValueTask DisposeAsync()
    {
        if (api is not null) await api.DisposeAsync();
        if (rpc is not null) await rpc.DisposeAsync();
    }

    [Fact]
    public async Task Killed_after_the_hold_the_money_is_given_back()
    {
        var token = await Api.TokenAsync("0.01 USD");
        Api.Upstream.Mood = UpstreamMood.Hanging;
        var call = Lost(Api.CallAsync("/forecast/paris", headers: ("Authorization", $"Bearer {token}")));
        await Api.Upstream.ArrivalAsync();
        await RestartAsync();
        await call;
        (await Api.CallAsync("/forecast/paris", headers: ("Authorization", $"Bearer {token}"))).Status.ShouldBe(HttpStatusCode.OK);
        await Api.BooksBalanceAsync();
    }

    [Fact]
    public async Task Killed_after_the_hold_the_same_proof_works_again()
    {
        chain.Require();
        var proof = ExactSigner.Pay(await Api.TermsAsync("/forecast/paris"), Api.Parties.Payer);
        Api.Upstream.Mood = UpstreamMood.Hanging;
        var call = Lost(Api.PresentAsync("/forecast/paris", proof));
        await Api.Upstream.ArrivalAsync();
        await RestartAsync();
        await call;
        (await Api.EarnedAsync()).ShouldBe(0);
        (await Api.PresentAsync("/forecast/paris", proof)).Status.ShouldBe(HttpStatusCode.OK);
        (await Api.EarnedAsync()).ShouldBe(10_000);
        await Api.BooksBalanceAsync();
    }

    [Fact]
    public async Task Killed_after_the_capture_the_settler_finishes()
    {
        chain.Require();
        await DieAtAsync(RpcTrouble.LostBefore);
        await EarnsOnceAsync();
    }

    [Fact]
    public async Task Killed_after_the_rail_took_the_money_it_is_found_and_not_taken_twice()
    {
        chain.Require();
        await DieAtAsync(RpcTrouble.LostAfter);
        await EarnsOnceAsync();
    }

    [Fact]
    public async Task Stopped_in_order_it_says_goodbye_with_zero()
    {
        var token = await Api.TokenAsync("0.02 USD");
        (await Api.CallAsync("/forecast/paris", headers: ("Authorization", $"Bearer {token}"))).Status.ShouldBe(HttpStatusCode.OK);
        (await Api.Gateway.StopAsync()).ShouldBe(0);
        await Api.Gateway.StartAgainAsync();
        (await Api.CallAsync("/forecast/paris", headers: ("Authorization", $"Bearer {token}"))).Status.ShouldBe(HttpStatusCode.OK);
        (await Api.CallAsync("/forecast/paris", headers: ("Authorization", $"Bearer {token}"))).Status.ShouldBe(HttpStatusCode.PaymentRequired);
    }

    /// <summary>Pays, and is killed while the transaction's broadcast is lost on its way to or from the node.</summary>
    private async Task DieAtAsync(RpcTrouble trouble)
    {
        var proof = ExactSigner.Pay(await Api.TermsAsync("/forecast/paris"), Api.Parties.Payer);
        rpc!.Trouble("eth_sendRawTransaction", trouble);
        rpc.Trouble("eth_sendRawTransactionSync", trouble);
        var call = Lost(Api.PresentAsync("/forecast/paris", proof));
        await rpc.LossAsync();
        await Api.Gateway.KillAsync();
        await call;
        rpc.Heal();
        await Api.Gateway.StartAgainAsync();
    }

    private async Task EarnsOnceAsync()
    {
        for (var wait = 0; wait < 600 && await Api.EarnedAsync() == 0; wait++) await Task.Delay(200);
        await Task.Delay(1500);
        (await Api.EarnedAsync()).ShouldBe(10_000, Api.Gateway.Log);
        await NoOpenHoldsAsync();
        await Api.BooksBalanceAsync();
    }

    private async Task NoOpenHoldsAsync()
    {
        string? last = null;
        for (var wait = 0; wait < 600; wait++)
        {
            last = (await Api.AdminAsync("GET", "/admin/v1/payments")).Body;
            if (!Open.Any(status => last.Contains($"\"status\":\"{status}\"", StringComparison.Ordinal))) return;
            await Task.Delay(200);
        }
        Assert.Fail($"A payment is still open after two minutes: {last}");
    }

    private async Task RestartAsync()
    {
        await Api.Gateway.KillAsync();
        Api.Upstream.Mood = UpstreamMood.Well;
        await Api.Gateway.StartAgainAsync();
    }

    /// <summary>A call whose server dies ends in an error of the connection, which is what is expected of it.</summary>
    private static async Task Lost(Task<Answered> call)
    {
        try
        {
            await call;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            // the connection broke
        }
    }
}
