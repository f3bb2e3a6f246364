using System.Net;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Turnpike.Client;
using Turnpike.Protocols.Http;

namespace Turnpike.Tests.Client;

/// <summary>A seller may send anything: a hostile 402 costs nothing and breaks nothing.</summary>
public sealed class PaymentTermsTests
{
    private const string Good = """{"x402Version":2,"resource":{"url":"http://127.0.0.1/x"},"accepts":[{"scheme":"exact","network":"eip155:84532","amount":"10000","asset":"0x036CbD53842c5426634e7929541eC2318f3dCF7e","payTo":"0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC","maxTimeoutSeconds":300,"extra":{"name":"USDC","version":"2"}}]}""";
    private const string GoodCharge = """{"amount":"10000","currency":"0x036CbD53842c5426634e7929541eC2318f3dCF7e","methodDetails":{"chainId":84532,"credentialTypes":["authorization"]},"recipient":"0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"}""";
    private static readonly EvmWallet Wallet = new("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d", FakeSeller.Dollar);

    [Fact]
    public void The_sound_terms_that_the_others_are_broken_from_are_payable()
    {
        Choices(required: Good).Single().Amount.ToString().ShouldBe("0.01 USD");
        Choices(charge: GoodCharge).Single().Amount.ToString().ShouldBe("0.01 USD");
    }

    [Theory]
    [InlineData("\"resource\":{\"url\":\"http://127.0.0.1/x\"}", "\"resource\":null")]
    [InlineData("\"exact\"", "\"upto\"")]
    [InlineData("\"exact\"", "null")]
    [InlineData("eip155:84532", "eip155:1")]
    [InlineData("0x036CbD53842c5426634e7929541eC2318f3dCF7e", "0x036CbD53842c5426634e7929541eC2318f3dCF7f")]
    [InlineData("\"10000\"", "\"-10000\"")]
    [InlineData("\"10000\"", "\"99999999999999999999999999999\"")]
    [InlineData("300", "-1")]
    [InlineData("300", "0")]
    [InlineData("\"version\":\"2\"", "\"version\":\"2\",\"assetTransferMethod\":\"permit2\"")]
    [InlineData("http://127.0.0.1/x", "http://elsewhere.example/x")]
    [InlineData("\"x402Version\":2", "\"x402Version\":3")]
    public void X402_terms_that_are_not_plain_are_not_paid(string from, string to) => Choices(required: Good.Replace(from, to, StringComparison.Ordinal)).ShouldBeEmpty();

    [Theory]
    [InlineData("84532", "1")]
    [InlineData("84532", "-1")]
    [InlineData("84532", "\"84532\"")]
    [InlineData("[\"authorization\"]", "[\"permit2\",1]")]
    [InlineData("[\"authorization\"]", "{}")]
    [InlineData("\"chainId\"", "\"splits\":[],\"chainId\"")]
    [InlineData("\"10000\"", "10000")]
    [InlineData("\"10000\"", "\"1e4\"")]
    [InlineData("\"methodDetails\":{", "\"methodDetails\":[],\"other\":{")]
    public void Mpp_charges_that_are_not_plain_are_not_paid(string from, string to) => Choices(charge: GoodCharge.Replace(from, to, StringComparison.Ordinal)).ShouldBeEmpty();

    [Fact]
    public void A_challenge_cannot_have_its_credential_written_into_another_header()
    {
        Choices(charge: GoodCharge, parameters: ", header=\"Cookie\"").ShouldBeEmpty();
        Choices(charge: GoodCharge, parameters: ", header=\"payment-authorization\"").Single().Sign(FakeSeller.Now).Single().Key.ShouldBe("Payment-Authorization");
    }

    [Fact]
    public void An_authorization_lives_an_hour_at_most_and_not_longer_than_the_terms()
    {
        var before = ValidBefore(Choices(required: Good.Replace("300", "9000000000", StringComparison.Ordinal)).Single());
        before.ShouldBe(FakeSeller.Now.ToUnixTimeSeconds() + 3600);
        ValidBefore(Choices(required: Good).Single()).ShouldBe(FakeSeller.Now.ToUnixTimeSeconds() + 300);
    }

    [Fact]
    public void Garbage_in_any_place_is_read_without_a_fault() => Prop.ForAll(ArbMap.Default.ArbFor<NonNull<string>>(), ArbMap.Default.ArbFor<byte[]>(), (text, body) =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "http://127.0.0.1/x");
            using var response = new HttpResponseMessage(HttpStatusCode.PaymentRequired);
            foreach (var name in (string[])["PAYMENT-REQUIRED", "WWW-Authenticate"]) response.Headers.TryAddWithoutValidation(name, [text.Get, "Payment " + text.Get, Convert.ToBase64String(body)]);
            var terms = PaymentTerms.Read(request, response, body);
            return !Wallet.Choices(terms).Any() && terms.Price is null;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500).WithReplay(8402, 8403));

    private static long ValidBefore(PaymentChoice choice) =>
        long.Parse(Turnpike.Protocols.X402.X402Header.Decode(choice.Sign(FakeSeller.Now).Single().Value).Payment!.Payload.GetProperty("authorization").GetProperty("validBefore").GetString()!, System.Globalization.CultureInfo.InvariantCulture);

    private static IReadOnlyList<PaymentChoice> Choices(string? required = null, string? charge = null, string parameters = "")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://127.0.0.1/x");
        using var response = new HttpResponseMessage(HttpStatusCode.PaymentRequired);
        if (required is not null) response.Headers.TryAddWithoutValidation("PAYMENT-REQUIRED", Convert.ToBase64String(Encoding.UTF8.GetBytes(required)));
        if (charge is not null) response.Headers.TryAddWithoutValidation("WWW-Authenticate", $"Payment id=\"i\", realm=\"127.0.0.1\", method=\"evm\", intent=\"charge\", request=\"{Base64Url.Encode(Encoding.UTF8.GetBytes(charge))}\"{parameters}");
        return [.. Wallet.Choices(PaymentTerms.Read(request, response, ReadOnlyMemory<byte>.Empty))];
    }
}
