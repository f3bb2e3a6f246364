using System.Net;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Payments;

/// <summary>MPP's evm charge with mppx, settled on the local chain.</summary>
public sealed class MppEvmTests(PaidApiFixture fixture) : IClassFixture<PaidApiFixture>
{
    private PaidApi Api => fixture.Api;

    [Fact]
    public async Task Mppx_pays_by_evm_authorization_and_gets_answer_and_receipt()
    {
        Api.Chain.Require();
        var before = await Api.EarnedAsync();
        var call = await Api.PayAsync("mpp/pay-mpp-evm.mjs", "/forecast/paris");
        call.Error.ShouldBeNull();
        call.Status.ShouldBe(200, call.Body);
        call.Json["city"]!.GetValue<string>().ShouldBe("paris");
        call.Sent!.Value.Value.ShouldStartWith("Payment ");
        var receipt = call.Decoded("Payment-Receipt");
        receipt["method"]!.GetValue<string>().ShouldBe("evm");
        receipt["status"]!.GetValue<string>().ShouldBe("success");
        receipt["reference"]!.GetValue<string>().ShouldMatch("^0x[0-9a-f]{64}$");
        (await Api.EarnedAsync() - before).ShouldBe(10_000);
        Api.Upstream.Calls.Single(c => c.Target == "/forecast/paris").Headers.Keys.ShouldNotContain("Authorization");
    }

    [Fact]
    public async Task Mppx_may_pay_the_same_url_by_x402()
    {
        Api.Chain.Require();
        var call = await Api.PayAsync("mpp/pay-mpp-evm.mjs", "/forecast/tallinn", ("PROTOCOL", "x402"));
        call.Status.ShouldBe(200, call.Body + call.Error);
        call.Sent!.Value.Name.ShouldBe("payment-signature");
        call.Decoded("PAYMENT-RESPONSE")["success"]!.GetValue<bool>().ShouldBeTrue();
    }

    [Fact]
    public async Task Twenty_copies_of_one_credential_give_one_execution()
    {
        Api.Chain.Require();
        var credential = await CaptureAsync("/forecast/lima");
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => PresentAsync("/forecast/lima", credential)));
        answers.ShouldAllBe(a => a.Status == HttpStatusCode.OK || a.Status == HttpStatusCode.Conflict);
        Api.Upstream.Calls.Count(c => c.Target == "/forecast/lima").ShouldBe(1);
        (await PresentAsync("/forecast/lima", credential)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_credential_whose_request_was_changed_is_refused_with_fresh_terms()
    {
        Api.Chain.Require();
        var credential = Encoded.Read((await CaptureAsync("/forecast/oslo"))["Payment ".Length..]);
        var request = Encoded.Read(credential["challenge"]!["request"]!.GetValue<string>());
        request["amount"] = "1";
        credential["challenge"]!["request"] = Encoded.WriteUrlSafe(request);
        var answer = await PresentAsync("/forecast/oslo", "Payment " + Encoded.WriteUrlSafe(credential));
        answer.Status.ShouldBe(HttpStatusCode.PaymentRequired);
        answer.Json["type"]!.GetValue<string>().ShouldBe("https://paymentauth.org/problems/invalid-challenge");
        answer.Headers["WWW-Authenticate"].ShouldContain(c => c.StartsWith("Payment ", StringComparison.Ordinal));
        Api.Upstream.Calls.ShouldNotContain(c => c.Target == "/forecast/oslo");
    }

    [Fact]
    public async Task A_credential_of_one_city_does_not_open_another()
    {
        Api.Chain.Require();
        var credential = await CaptureAsync("/forecast/bonn");
        (await PresentAsync("/forecast/kyiv", credential)).Status.ShouldBe(HttpStatusCode.PaymentRequired);
        Api.Upstream.Calls.ShouldNotContain(c => c.Target == "/forecast/kyiv");
    }

    [Theory]
    [InlineData("Payment")]
    [InlineData("Payment !!!")]
    [InlineData("Payment e30")]
    [InlineData("Payment W10")]
    public async Task Garbage_is_402_with_terms_and_never_500(string header)
    {
        var answer = await Api.CallAsync("/forecast/garbage", headers: ("Authorization", header));
        answer.Status.ShouldBe(HttpStatusCode.PaymentRequired);
        answer.Headers["WWW-Authenticate"].ShouldNotBeEmpty();
    }

    private async Task<string> CaptureAsync(string path) => (await Api.PayAsync("mpp/pay-mpp-evm.mjs", path, ("CAPTURE", "1"))).Sent!.Value.Value;

    private Task<Answered> PresentAsync(string path, string credential) => Api.CallAsync(path, headers: ("Authorization", credential));
}
