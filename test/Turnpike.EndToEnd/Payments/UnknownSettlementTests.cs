using System.Net;
using Turnpike.EndToEnd.Harness;
using Turnpike.Tests.Billing.Stripe;

namespace Turnpike.EndToEnd.Payments;

/// <summary>A rail that took the money and fell silent: 503, found out later, never charged twice, never asked for again.</summary>
public sealed class UnknownSettlementTests(Chain chain)
{
    [Fact]
    public async Task A_node_silent_after_the_broadcast_is_503_and_the_same_proof_is_answered_once_it_speaks()
    {
        await using var rpc = await RpcProxy.StartAsync(chain.Require().Rpc);
        await using var api = await PaidApi.StartAsync(chain, ("CHAIN_RPC", rpc.Url.GetLeftPart(UriPartial.Authority)));
        var proof = ExactSigner.Pay(await api.TermsAsync("/forecast/paris"), api.Parties.Payer);
        rpc.Trouble("eth_getTransactionReceipt", RpcTrouble.Refused);
        rpc.Trouble("eth_getLogs", RpcTrouble.Refused);
        Unknown(await api.PresentAsync("/forecast/paris", proof));
        Unknown(await api.PresentAsync("/forecast/paris", proof));
        rpc.Heal();
        (await AnsweredAsync(() => api.PresentAsync("/forecast/paris", proof))).Status.ShouldBe(HttpStatusCode.OK);
        (await api.EarnedAsync()).ShouldBe(10_000);
        await api.BooksBalanceAsync();
    }

    [Fact]
    public async Task Stripe_silent_after_the_charge_is_503_and_the_same_credential_is_answered_once_it_speaks()
    {
        await using var api = await PaidApi.StartAsync(chain);
        (string, string)[] report = [("METHOD", "POST"), ("BODY", "{}"), ("HEADERS", """{"content-type":"application/json"}"""), ("CAPTURE", "1")];
        var credential = (await api.PayAsync("mpp/pay-mpp-stripe.mjs", "/reports", report)).Sent!.Value.Value;
        api.Stripe.Always = StripeFault.After;
        Unknown(await PresentAsync());
        api.Stripe.Always = null;
        (await AnsweredAsync(PresentAsync)).Status.ShouldBe(HttpStatusCode.OK);
        api.Stripe.Intents.Count.ShouldBe(1);
        await api.BooksBalanceAsync();

        Task<Answered> PresentAsync() => api.CallAsync("/reports", "POST", "{}", ("Authorization", credential));
    }

    private static void Unknown(Answered answer)
    {
        answer.Status.ShouldBe(HttpStatusCode.ServiceUnavailable, answer.Body);
        answer.Header("Retry-After").ShouldNotBeNull();
        answer.Header("PAYMENT-REQUIRED").ShouldBeNull("who may have paid is not asked again");
    }

    /// <summary>Repeats the request as Retry-After asks, for at most two minutes, while the answer is 503.</summary>
    private static async Task<Answered> AnsweredAsync(Func<Task<Answered>> call)
    {
        var answer = await call();
        for (var wait = 0; wait < 120 && answer.Status == HttpStatusCode.ServiceUnavailable; wait++)
        {
            await Task.Delay(1000);
            answer = await call();
        }
        return answer;
    }
}
