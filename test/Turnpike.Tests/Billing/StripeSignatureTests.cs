using System.Security.Cryptography;
using System.Text;
using Turnpike.Billing;

namespace Turnpike.Tests.Billing;

/// <summary>What is believed to come from Stripe, and what is not.</summary>
public sealed class StripeSignatureTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly byte[] Body = """{"id":"evt_1","type":"charge.refunded","data":{"object":{"payment_intent":"pi_1","amount_refunded":5}}}"""u8.ToArray();

    [Theory]
    [InlineData("whsec_a", 0, true)]
    [InlineData("whsec_b", 0, true)]
    [InlineData("whsec_c", 0, false)]
    [InlineData("whsec_a", -300, true)]
    [InlineData("whsec_a", -301, false)]
    [InlineData("whsec_a", 301, false)]
    public void A_signature_holds_by_one_of_the_secrets_and_for_five_minutes(string secret, int seconds, bool holds) =>
        StripeSignature.Holds(Signed(secret, Now.AddSeconds(seconds).ToUnixTimeSeconds().ToString()), Body, ["whsec_a", "whsec_b"], Now).ShouldBe(holds);

    [Theory]
    [InlineData("")]
    [InlineData("t=,v1=")]
    [InlineData("v1=00")]
    [InlineData("t=99999999999999999999,v1=00")]
    [InlineData("t=999999999999999,v1=00")]
    [InlineData("t=1767323045")]
    [InlineData("t=1767323045,v0=00")]
    public void What_is_no_signature_does_not_hold(string header) => StripeSignature.Holds(header, Body, ["whsec_a"], Now).ShouldBeFalse();

    [Fact]
    public void One_of_several_signatures_is_enough_and_a_changed_body_breaks_all()
    {
        var header = Signed("whsec_a", $"{Now.ToUnixTimeSeconds()}").Replace("v1=", "v1=00,v1=");
        StripeSignature.Holds(header, Body, ["whsec_a"], Now).ShouldBeTrue();
        StripeSignature.Holds(header, [.. Body, 32], ["whsec_a"], Now).ShouldBeFalse();
    }

    [Theory]
    [InlineData("""{"id":"evt_1","type":"charge.refunded","data":{"object":{"payment_intent":"pi_1","amount_refunded":5}}}""", true)]
    [InlineData("""{"id":"evt_1","type":"charge.refunded","data":{"object":{"payment_intent":7,"amount_refunded":null}}}""", true)]
    [InlineData("""{"id":1,"type":"x","data":{"object":{}}}""", false)]
    [InlineData("""{"id":"evt_1","type":"x","data":[]}""", false)]
    [InlineData("""{"id":"evt_1","type":"x"}""", false)]
    [InlineData("[]", false)]
    [InlineData("", false)]
    public void An_event_is_read_or_refused_and_never_breaks(string text, bool read) => (StripeEvent.Parse(Encoding.UTF8.GetBytes(text)) is not null).ShouldBe(read);

    private static string Signed(string secret, string time) =>
        $"t={time},v1={Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), (byte[])[.. Encoding.UTF8.GetBytes(time + "."), .. Body]))}";
}
