using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Payments;

/// <summary>x402 version 1 with the client that is still in the field.</summary>
public sealed class X402V1Tests(PaidApiFixture fixture) : IClassFixture<PaidApiFixture>
{
    private PaidApi Api => fixture.Api;

    [Fact]
    public async Task X402_v1_fetch_pays_on_chain_and_gets_answer_and_receipt()
    {
        Api.Chain.Require();
        var before = await Api.EarnedAsync();
        var call = await Api.PayAsync("x402/pay-v1.mjs", "/forecast/paris");
        call.Error.ShouldBeNull();
        call.Status.ShouldBe(200, call.Body);
        call.Sent!.Value.Name.ShouldBe("x-payment");
        var settled = call.Decoded("X-PAYMENT-RESPONSE");
        settled["success"]!.GetValue<bool>().ShouldBeTrue();
        settled["network"]!.GetValue<string>().ShouldBe("base-sepolia");
        settled["transaction"]!.GetValue<string>().ShouldMatch("^0x[0-9a-f]{64}$");
        (await Api.EarnedAsync() - before).ShouldBe(10_000);
    }

    [Fact]
    public async Task The_client_keeps_to_its_own_maximum()
    {
        Api.Chain.Require();
        var call = await Api.PayAsync("x402/pay-v1.mjs", "/reports", ("METHOD", "POST"), ("BODY", "{}"));
        call.Error.ShouldNotBeNull().ShouldContain("exceeds maximum");
        call.Sent.ShouldBeNull();
    }

    [Fact]
    public async Task A_v1_proof_presented_for_one_call_buys_no_other()
    {
        Api.Chain.Require();
        var caught = await Api.PayAsync("x402/pay-v1.mjs", "/forecast/bern", ("CAPTURE", "1"));
        var proof = caught.Sent!.Value.Value;
        (await Api.CallAsync("/forecast/bern", headers: ("X-PAYMENT", proof))).Status.ShouldBe(System.Net.HttpStatusCode.OK);
        var other = await Api.CallAsync("/forecast/graz", headers: ("X-PAYMENT", proof));
        other.Status.ShouldBe(System.Net.HttpStatusCode.PaymentRequired);
        Api.Upstream.Calls.ShouldNotContain(c => c.Target == "/forecast/graz");
    }
}
