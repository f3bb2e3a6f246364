using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Payments.Mpp;
using Turnpike.Protocols.Evm;
using Turnpike.Protocols.Mpp;
using Turnpike.Protocols.X402;
using Turnpike.Tests.Payments.X402;

namespace Turnpike.Tests.Payments.Mpp;

/// <summary>MPP's evm charge: the authorization of x402 under a challenge's nonce.</summary>
public sealed class EvmChargeMethodTests
{
    private const string Id = "ch_1", Realm = "api.test";
    private static readonly Address Stranger = Address.Parse("0x90F79bf6EB2c4f870365E785982E1f101E93b906");
    private readonly Rails rails = new();

    [Fact]
    public void An_offer_is_the_canonical_charge_request()
    {
        var offer = rails.Evm.Offer(rails.Call()).Single();
        (offer.Intent, offer.Network, offer.Amount).ShouldBe(("evm/charge", "eip155:84532", "10000"));
        var request = new Challenge { Realm = Realm, Method = "evm", Intent = "charge", Request = (string)offer.Terms! }.ReadRequest().ShouldNotBeNull();
        request.GetProperty("recipient").GetString().ShouldBe("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC");
        request.GetProperty("methodDetails").GetProperty("chainId").GetInt32().ShouldBe(84532);
    }

    [Fact]
    public async Task A_payment_settles_like_any_authorization()
    {
        var captured = await rails.Capture(rails.Evm, Pay(Authorize()));
        captured.Hold.Method.ShouldBe("mpp.evm");
        (await rails.Evm.SettleAsync(captured, default)).ShouldBeOfType<Settlement.Settled>().RailAmount.ShouldBe("10000");
        rails.Node.Transfers.ShouldBe(1);
    }

    [Fact]
    public async Task One_authorization_is_one_hold_by_either_protocol()
    {
        var authorization = Authorize();
        var (mpp, x402) = (Pay(authorization), rails.Pay(authorization));
        (await Rails.Check(rails.Evm, mpp)).ShouldBeNull();
        (await rails.Check(x402)).ShouldBeNull();
        mpp.HoldId.ShouldBe(x402.HoldId);
        mpp.Payer.ShouldBe(x402.Payer);
    }

    [Fact]
    public async Task An_authorization_signed_for_another_challenge_is_refused() =>
        (await Rails.Check(rails.Evm, Pay(rails.Authorize()))).ShouldNotBeNull().Reason.ShouldBe(Reasons.InvalidChallenge);

    [Fact]
    public async Task A_cheap_operations_challenge_does_not_open_a_dear_one()
    {
        var cheap = (string)rails.Evm.Offer(rails.Call("0.001 USD")).Single().Terms!;
        (await Rails.Check(rails.Evm, Pay(Authorize("1000"), request: cheap))).ShouldNotBeNull().Reason.ShouldBe(Reasons.InvalidChallenge);
    }

    [Theory]
    [InlineData("did:pkh:eip155:84532:0x90F79bf6EB2c4f870365E785982E1f101E93b906")]
    [InlineData("did:pkh:eip155:1:0x70997970C51812dc3A010C7d01b50e0d17dc79C8")]
    public async Task A_source_that_is_not_the_payer_is_refused(string source) =>
        (await Rails.Check(rails.Evm, Pay(Authorize(), source: source))).ShouldNotBeNull().Reason.ShouldBe(Reasons.VerificationFailed);

    [Fact]
    public async Task The_payers_own_source_is_welcome() =>
        (await Rails.Check(rails.Evm, Pay(Authorize(), source: EvmCharge.Source(Rails.Payer, 84532)))).ShouldBeNull();

    public static TheoryData<string, string> Wrong => new()
    {
        { "recipient", ErrorCodes.RecipientMismatch },
        { "less", ErrorCodes.ValueMismatch },
        { "expired", ErrorCodes.ValidBefore },
        { "forged", ErrorCodes.Signature },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task A_wrong_proof_gets_its_own_code_and_costs_no_outside_call(string wrong, string code)
    {
        var payment = wrong switch
        {
            "recipient" => Pay(Authorize(to: Stranger)),
            "less" => Pay(Authorize("9999")),
            "expired" => Pay(Authorize(lives: 0)),
            _ => Pay(Authorize(), signature: new byte[65]),
        };
        (await Rails.Check(rails.Evm, payment)).ShouldNotBeNull().Code.ShouldBe(code);
        rails.Node.Asked.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"type":"hash","hash":"0x00"}""")]
    public async Task Another_payload_is_refused(string payload) =>
        (await Rails.Check(rails.Evm, Pay(Authorize(), payload: payload))).ShouldNotBeNull().Reason.ShouldBe(Reasons.MalformedCredential);

    private Authorization Authorize(string value = "10000", Address? to = null, long lives = 300) => rails.Authorize(value, to, lives: lives, nonce: EvmCharge.ChallengeHash(Id, Realm));

    private Payment Pay(Authorization a, byte[]? signature = null, string? request = null, string? source = null, string? payload = null)
    {
        payload ??= $$"""{"type":"authorization","from":"{{a.From}}","to":"{{a.To}}","value":"{{a.Value}}","validAfter":"{{a.ValidAfter}}","validBefore":"{{a.ValidBefore}}","nonce":"{{Hex.Encode(a.Nonce)}}","signature":"{{Hex.Encode(signature ?? rails.Sign(a))}}"}""";
        return new Payment(rails.Call(), static _ => default)
        {
            Credential = new MppPaymentCredential
            {
                Digest = "d",
                Method = "mpp.evm",
                Terms = ExactMethodTests.Sealed(new Money(10_000_000, "USD")),
                Wire = new MppCredential
                {
                    Challenge = new Challenge { Id = Id, Realm = Realm, Method = "evm", Intent = "charge", Request = request ?? (string)rails.Evm.Offer(rails.Call()).Single().Terms! },
                    Payload = JsonDocument.Parse(payload).RootElement,
                    Source = source,
                },
            },
        };
    }
}
