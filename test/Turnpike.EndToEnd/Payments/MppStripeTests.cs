using System.Net;
using Turnpike.EndToEnd.Harness;
using Turnpike.Tests.Billing.Stripe;

namespace Turnpike.EndToEnd.Payments;

/// <summary>MPP's stripe charge with mppx and Stripe's stand-in.</summary>
public sealed class MppStripeTests(Chain chain) : IAsyncLifetime
{
    private static readonly (string, string)[] Report = [("METHOD", "POST"), ("BODY", "{}"), ("HEADERS", """{"content-type":"application/json"}""")];
    private PaidApi? api;

    private PaidApi Api => api!;

    public async ValueTask InitializeAsync() => api = await PaidApi.StartAsync(chain);

    /// <summary>After every story the books balance and the trail verifies.</summary>
    public async ValueTask DisposeAsync()
    {
        if (api is null) return;
        try { await api.BooksBalanceAsync(); }
        finally { await api.DisposeAsync(); }
    }

    [Fact]
    public async Task Mppx_pays_by_shared_payment_token_and_gets_answer_and_receipt()
    {
        var call = await Api.PayAsync("mpp/pay-mpp-stripe.mjs", "/reports", Report);
        call.Error.ShouldBeNull();
        call.Status.ShouldBe(200, call.Body);
        var intent = Api.Stripe.Intents.ShouldHaveSingleItem();
        StripeObjects.Long(intent["amount"]).ShouldBe(100);
        ((string)intent["currency"]!).ShouldBe("usd");
        var receipt = call.Decoded("Payment-Receipt");
        receipt["method"]!.GetValue<string>().ShouldBe("stripe");
        receipt["reference"]!.GetValue<string>().ShouldBe((string)intent["id"]!);
    }

    [Theory]
    [InlineData("pm_card_chargeDeclined", "verification-failed")]
    [InlineData("pm_card_authenticationRequired", "payment-action-required")]
    public async Task A_card_that_does_not_pay_is_402_and_nothing_is_done(string card, string problem)
    {
        var call = await Api.PayAsync("mpp/pay-mpp-stripe.mjs", "/reports", [.. Report, ("PAYMENT_METHOD", card)]);
        call.Status.ShouldBe(402, call.Error);
        call.Json["type"]!.GetValue<string>().ShouldBe("https://paymentauth.org/problems/" + problem);
        Api.Upstream.Executions.ShouldBe(0);
    }

    [Fact]
    public async Task A_token_with_a_lower_limit_does_not_pay()
    {
        var call = await Api.PayAsync("mpp/pay-mpp-stripe.mjs", "/reports", [.. Report, ("SPT_LIMIT", "99")]);
        call.Status.ShouldBe(402, call.Error);
        Api.Upstream.Executions.ShouldBe(0);
    }

    [Fact]
    public async Task A_credential_presented_again_is_answered_from_the_first_time()
    {
        var credential = (await Api.PayAsync("mpp/pay-mpp-stripe.mjs", "/reports", [.. Report, ("CAPTURE", "1")])).Sent!.Value.Value;
        var first = await PresentAsync(credential);
        var second = await PresentAsync(credential);
        first.Status.ShouldBe(HttpStatusCode.OK);
        (second.Status, second.Body).ShouldBe((first.Status, first.Body));
        Api.Upstream.Executions.ShouldBe(1);
        Api.Stripe.Intents.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Stripe_out_of_order_takes_nothing_and_gives_nothing()
    {
        var credential = (await Api.PayAsync("mpp/pay-mpp-stripe.mjs", "/reports", [.. Report, ("CAPTURE", "1")])).Sent!.Value.Value;
        Api.Stripe.Always = StripeFault.Error;
        ((int)(await PresentAsync(credential)).Status).ShouldBeOneOf(402, 503);
        Api.Upstream.Executions.ShouldBe(0);
        Api.Stripe.Intents.ShouldBeEmpty();
    }

    private Task<Answered> PresentAsync(string credential) => Api.CallAsync("/reports", "POST", "{}", ("Authorization", credential));
}
