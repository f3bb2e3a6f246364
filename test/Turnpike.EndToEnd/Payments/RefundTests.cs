using System.Net;
using System.Text.Json.Nodes;
using Turnpike.EndToEnd.Harness;
using Turnpike.Tests.Billing.Stripe;

namespace Turnpike.EndToEnd.Payments;

/// <summary>Money on its way back, by card: through the real process, over silence and kill -9, once.</summary>
public sealed class RefundTests(Chain chain) : IAsyncLifetime
{
    private static readonly (string, string)[] Report = [("METHOD", "POST"), ("BODY", "{}"), ("HEADERS", """{"content-type":"application/json"}""")];
    private PaidApi? api;

    private PaidApi Api => api!;

    public async ValueTask InitializeAsync() => api = await PaidApi.StartAsync(chain);

    public ValueTask DisposeAsync() => api?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Fact]
    public async Task A_card_gets_a_part_and_the_rest_back_and_no_more()
    {
        var receipt = await PayByCardAsync();
        var first = await RefundAsync(receipt, """{"amount":"0.40 USD","reason":"half was wrong"}""", "a");
        first.Status.ShouldBe(HttpStatusCode.OK, first.Body);
        first.Json["as"]!.GetValue<string>().ShouldBe("rail");
        first.Json["reference"]!.GetValue<string>().ShouldBe((string)Api.Stripe.Objects.All("refund").ShouldHaveSingleItem()["id"]!);
        (await RefundAsync(receipt, """{"amount":"0.40 USD","reason":"half was wrong"}""", "a")).Body.ShouldBe(first.Body);
        (await RefundAsync(receipt, """{"amount":"0.61 USD","reason":"more"}""", "b")).Reason.ShouldBe("refund-exceeds");
        var (code, said) = await Api.Gateway.RunAsync("payments", "refund", receipt, "--reason", "and the rest");
        code.ShouldBe(0, said);
        Api.Stripe.Refunds.ShouldBe([40, 60]);
        await Api.BooksBalanceAsync();
    }

    [Fact]
    public async Task What_Stripe_does_not_know_is_not_given_back()
    {
        var receipt = await PayByCardAsync();
        Api.Stripe.Objects.ForgetPayments();
        (await RefundAsync(receipt, """{"reason":"wrong"}""", "a")).Reason.ShouldBe("refund-refused");
        (await RefundAsync(receipt, """{"reason":"wrong","as":"credit"}""", "b")).Status.ShouldBe(HttpStatusCode.OK);
        Api.Stripe.Refunds.ShouldBeEmpty();
        await Api.BooksBalanceAsync();
    }

    [Theory]
    [InlineData("Before")]
    [InlineData("After")]
    public async Task Killed_while_Stripe_is_asked_it_is_given_back_once_after_the_restart(string trouble)
    {
        var receipt = await PayByCardAsync();
        Api.Stripe.Always = Enum.Parse<StripeFault>(trouble);
        var call = LostAsync(RefundAsync(receipt, """{"reason":"wrong"}""", "a"));
        await Api.Stripe.SilenceAsync();
        await Api.Gateway.KillAsync();
        await call;
        Api.Stripe.Always = null;
        await Api.Gateway.StartAgainAsync();
        (await DoneAsync(receipt))["status"]!.GetValue<string>().ShouldBe("done");
        (await RefundAsync(receipt, """{"reason":"wrong"}""", "a")).Status.ShouldBe(HttpStatusCode.OK);
        Api.Stripe.Refunds.ShouldHaveSingleItem().ShouldBe(100);
        await Api.BooksBalanceAsync();
    }

    private async Task<string> PayByCardAsync()
    {
        var call = await Api.PayAsync("mpp/pay-mpp-stripe.mjs", "/reports", Report);
        call.Status.ShouldBe(200, call.Error ?? call.Body);
        return (await Api.DeliveredAsync()).Receipt;
    }

    private Task<Answered> RefundAsync(string receipt, string order, string key) => Api.AdminAsync("POST", $"/admin/v1/payments/{receipt}/refund", order, ("Idempotency-Key", key));

    /// <summary>The refund of this payment once it has come to its end, within two minutes.</summary>
    private async Task<JsonNode> DoneAsync(string receipt)
    {
        JsonNode? refund = null;
        for (var wait = 0; wait < 600; wait++, await Task.Delay(200))
        {
            refund = (await Api.AdminAsync("GET", $"/admin/v1/payments/{receipt}/refunds")).Json["refunds"]!.AsArray().ShouldHaveSingleItem();
            if (refund!["status"]!.GetValue<string>() != "pending") return refund;
        }
        throw new ShouldAssertException($"It is still on its way: {refund}\n{Api.Gateway.Log}");
    }

    private static async Task LostAsync(Task<Answered> call)
    {
        try { await call; }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException) { /* the connection broke */ }
    }
}
