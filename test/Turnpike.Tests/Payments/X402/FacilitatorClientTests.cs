using System.Net;
using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Protocols.X402;

namespace Turnpike.Tests.Payments.X402;

/// <summary>A facilitator by URL: its word counts where it fits what was asked, and silence is never a no.</summary>
public sealed class FacilitatorClientTests
{
    private const string Hash = "0x1111111111111111111111111111111111111111111111111111111111111111";
    private readonly Queue<Func<HttpResponseMessage>> script = new();
    private readonly Internet internet;
    private readonly Rails rails;

    public FacilitatorClientTests()
    {
        internet = new Internet(_ => (script.Count > 1 ? script.Dequeue() : script.Peek())());
        rails = new Rails(internet, chain => chain with { Rpc = null, SettlerKey = null, Facilitator = new Uri("http://facilitator.test/v2") });
    }

    [Fact]
    public async Task What_it_is_asked_is_our_own_requirement_with_the_payers_proof()
    {
        Says(Yes);
        (await rails.Check(rails.Pay())).ShouldBeNull();
        var asked = internet.All.Single();
        asked.Url.AbsoluteUri.ShouldBe("http://facilitator.test/v2/verify");
        var request = JsonSerializer.Deserialize(asked.Body, X402Json.Wire.VerifyRequest).ShouldNotBeNull();
        request.X402Version.ShouldBe(2);
        request.PaymentRequirements.Amount.ShouldBe("10000");
        Matching.Match(request.PaymentPayload.Accepted, [rails.Terms()]).ShouldNotBeNull();
        ExactEvmPayload.Parse(request.PaymentPayload.Payload, out _)!.Authorization.From.ShouldBe(Rails.Payer);
    }

    [Fact]
    public async Task A_forged_signature_never_reaches_it()
    {
        Says(Yes);
        (await rails.Check(rails.Pay(signature: new byte[65]))).ShouldNotBeNull().Code.ShouldBe(ErrorCodes.Signature);
        internet.All.ShouldBeEmpty();
    }

    [Fact]
    public async Task Its_no_is_told_by_its_code()
    {
        Says("""{"isValid":false,"invalidReason":"invalid_exact_evm_insufficient_balance"}""");
        var refusal = (await rails.Check(rails.Pay())).ShouldNotBeNull();
        (refusal.Code, refusal.Reason.Status).ShouldBe((ErrorCodes.InsufficientBalance, 402));
    }

    [Fact]
    public async Task A_no_with_an_error_status_is_understood()
    {
        Says("""{"isValid":false,"invalidReason":"invalid_exact_evm_payload_signature"}""", HttpStatusCode.BadRequest);
        (await rails.Check(rails.Pay())).ShouldNotBeNull().Code.ShouldBe(ErrorCodes.Signature);
    }

    [Theory]
    [InlineData("<html>bad gateway</html>")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"isValid":true,"payer":"0x0000000000000000000000000000000000000001"}""")]
    public async Task A_yes_that_is_none_believes_nobody(string body)
    {
        Says(body);
        (await rails.Check(rails.Pay())).ShouldNotBeNull().Reason.ShouldBe(Reasons.VerifierDown);
    }

    [Fact]
    public async Task After_five_failures_it_is_left_alone_for_half_a_minute()
    {
        script.Enqueue(Internet.Silence);
        for (var i = 0; i < 8; i++) (await rails.Check(rails.Pay())).ShouldNotBeNull().Reason.ShouldBe(Reasons.VerifierDown);
        internet.All.Count.ShouldBe(5);
        rails.Time.Leap(TimeSpan.FromSeconds(31));
        script.Clear();
        Says(Yes);
        (await rails.Check(rails.Pay())).ShouldBeNull();
    }

    [Fact]
    public async Task A_settlement_is_its_hash()
    {
        var captured = await Captured();
        Says(Settled());
        (await rails.Exact.SettleAsync(captured, default)).ShouldBe(new Settlement.Settled(Hash, "10000"));
        internet.All.Last().Url.AbsolutePath.ShouldBe("/v2/settle");
    }

    [Theory]
    [InlineData("0x1111", "eip155:84532", "10000")]
    [InlineData(Hash, "eip155:1", "10000")]
    [InlineData(Hash, "eip155:84532", "1")]
    public async Task A_receipt_for_something_else_settles_nothing(string hash, string network, string amount)
    {
        var captured = await Captured();
        Says($$"""{"success":true,"transaction":"{{hash}}","network":"{{network}}","amount":"{{amount}}"}""");
        (await rails.Exact.SettleAsync(captured, default)).ShouldBeOfType<Settlement.Unknown>();
    }

    [Fact]
    public async Task A_receipt_for_another_payer_settles_nothing()
    {
        var captured = await Captured();
        Says($$"""{"success":true,"transaction":"{{Hash}}","network":"eip155:84532","payer":"0x0000000000000000000000000000000000000001"}""");
        (await rails.Exact.SettleAsync(captured, default)).ShouldBeOfType<Settlement.Unknown>();
    }

    [Fact]
    public async Task Pending_is_asked_again_exactly_once()
    {
        var captured = await Captured();
        Says(Pending);
        (await rails.Exact.SettleAsync(captured, default)).ShouldBe(new Settlement.Unknown(Hash, ErrorCodes.SettlementPending));
        var settles = internet.All.Where(a => a.Url.AbsolutePath == "/v2/settle").ToList();
        settles.Count.ShouldBe(2);
        settles[0].Body.ShouldBe(settles[1].Body);
    }

    [Fact]
    public async Task Pending_and_then_settled_is_settled()
    {
        var captured = await Captured();
        Says(Pending);
        Says(Settled());
        (await rails.Exact.SettleAsync(captured, default)).ShouldBe(new Settlement.Settled(Hash, "10000"));
    }

    [Fact]
    public async Task Silence_while_settling_is_unknown()
    {
        var captured = await Captured();
        script.Clear();
        script.Enqueue(Internet.Silence);
        (await rails.Exact.SettleAsync(captured, default)).ShouldBeOfType<Settlement.Unknown>();
    }

    /// <summary>The attack: say no, and broadcast the authorization all the same.</summary>
    [Fact]
    public async Task Its_no_is_told_and_not_believed_before_the_authorization_has_ended()
    {
        var captured = await Captured();
        Says(No(ErrorCodes.InsufficientBalance));
        (await rails.Exact.SettleAsync(captured, default)).ShouldBeOfType<Settlement.Unknown>().ShouldSatisfyAllConditions(no => no.Refused.ShouldBe(ErrorCodes.InsufficientBalance), no => no.Reference.ShouldBeNull());
        var waiting = captured with { Status = HoldStatus.Unknown };
        (await rails.Exact.SettleAsync(waiting, default)).ShouldBeOfType<Settlement.Unknown>();
        rails.Time.Leap(TimeSpan.FromMinutes(19)); // it was valid for five
        (await rails.Exact.SettleAsync(waiting, default)).ShouldBeOfType<Settlement.Unknown>();
        rails.Time.Leap(TimeSpan.FromMinutes(2));
        (await rails.Exact.SettleAsync(waiting, default)).ShouldBeOfType<Settlement.Failed>().Code.ShouldBe(ErrorCodes.InsufficientBalance);
    }

    /// <summary>The authorization can still be taken, whatever our clock says: given back, it would be paid and not known to be.</summary>
    [Fact]
    public async Task A_wall_clock_set_forward_ends_nothing_early()
    {
        var captured = await Captured();
        Says(No(ErrorCodes.InsufficientBalance));
        var waiting = captured with { Status = HoldStatus.Unknown };
        (await rails.Exact.SettleAsync(captured, default)).ShouldBeOfType<Settlement.Unknown>();
        rails.Time.Off = TimeSpan.FromHours(1);
        (await rails.Exact.SettleAsync(waiting, default)).ShouldBeOfType<Settlement.Unknown>();
        rails.Time.Leap(TimeSpan.FromMinutes(21));
        (await rails.Exact.SettleAsync(waiting, default)).ShouldBeOfType<Settlement.Failed>();
    }

    [Fact]
    public async Task Its_silence_never_ends_a_payment()
    {
        var captured = await Captured();
        script.Enqueue(Internet.Silence);
        rails.Time.Leap(TimeSpan.FromDays(1));
        (await rails.Exact.SettleAsync(captured with { Status = HoldStatus.Unknown }, default)).ShouldBeOfType<Settlement.Unknown>();
    }

    [Fact]
    public async Task A_nonce_that_is_used_may_have_been_used_for_us()
    {
        var captured = await Captured();
        Says(No(ErrorCodes.NonceAlreadyUsed));
        (await rails.Exact.SettleAsync(captured, default)).ShouldBeOfType<Settlement.Unknown>().Refused.ShouldBeNull();
        rails.Time.Leap(TimeSpan.FromDays(1));
        (await rails.Exact.SettleAsync(captured with { Status = HoldStatus.Unknown }, default)).ShouldBeOfType<Settlement.Unknown>();
    }

    [Theory]
    [InlineData(ErrorCodes.InsufficientBalance)]
    [InlineData(ErrorCodes.NonceAlreadyUsed)]
    public async Task Where_there_is_a_node_the_chain_decides_what_a_no_was_worth(string code)
    {
        var watched = new Rails(internet, chain => chain with { SettlerKey = null, Facilitator = new Uri("http://facilitator.test/v2") });
        var (paid, cancelled, unused) = (watched.Authorize(), watched.Authorize(), watched.Authorize());
        var captured = new List<HoldState>();
        foreach (var authorization in new[] { paid, cancelled, unused })
        {
            Says(Yes);
            captured.Add(await watched.Capture(watched.Pay(authorization)));
            script.Clear();
        }
        Says(No(code));
        var hash = watched.Node.SettleByOther(paid, watched.Sign(paid));
        watched.Node.Cancel(cancelled);
        (await watched.Exact.SettleAsync(captured[0], default)).ShouldBe(new Settlement.Settled(hash, "10000"));
        (await watched.Exact.SettleAsync(captured[1], default)).ShouldBeOfType<Settlement.Failed>().Code.ShouldBe(ErrorCodes.NonceAlreadyUsed);
        (await watched.Exact.SettleAsync(captured[2], default)).ShouldBeOfType<Settlement.Unknown>();
        watched.Time.Leap(TimeSpan.FromMinutes(6));
        watched.Node.Mine(10);
        (await watched.Exact.SettleAsync(captured[2] with { Status = HoldStatus.Unknown }, default)).ShouldBeOfType<Settlement.Failed>().Code.ShouldBe(ErrorCodes.ValidBefore);
    }

    [Theory]
    [InlineData("eip155:84532", 1)]
    [InlineData("eip155:8453", 0)]
    public async Task A_network_it_does_not_support_is_not_offered(string network, int offers)
    {
        Says($$"""{"kinds":[{"x402Version":2,"scheme":"exact","network":"{{network}}"}],"extensions":[],"signers":{} }""");
        await rails.Watch.RoundAsync(default);
        rails.Exact.Offer(rails.Call()).Count.ShouldBe(offers);
    }

    private static string Yes => """{"isValid":true,"payer":"0x70997970C51812dc3A010C7d01b50e0d17dc79C8"}""";

    private static string No(string code) => $$"""{"success":false,"errorReason":"{{code}}","transaction":"","network":"eip155:84532"}""";

    private static string Pending => $$"""{"success":false,"errorReason":"settlement_pending","transaction":"{{Hash}}","network":"eip155:84532"}""";

    private static string Settled() => $$"""{"success":true,"transaction":"{{Hash}}","network":"eip155:84532","payer":"0x70997970c51812dc3a010c7d01b50e0d17dc79c8"}""";

    private void Says(string body, HttpStatusCode status = HttpStatusCode.OK) => script.Enqueue(() => Internet.Json(body, status));

    private async Task<HoldState> Captured()
    {
        Says(Yes);
        var captured = await rails.Capture(rails.Pay());
        script.Clear();
        return captured;
    }
}
