using Turnpike.Protocols.Mpp;

namespace Turnpike.Tests.Protocols.Mpp;

/// <summary>The challenge on the wire: what is written, what is read back, what is refused.</summary>
public sealed class ChallengeTests
{
    private static readonly Challenge Offer = new()
    {
        Id = "ch_abc123", Realm = "api.example.com", Method = "evm", Intent = "charge", Request = "e30",
    };

    [Fact]
    public void The_least_challenge_is_written_in_the_reference_order() =>
        Offer.Write().ShouldBe("""Payment id="ch_abc123", realm="api.example.com", method="evm", intent="charge", request="e30" """.TrimEnd());

    [Theory]
    [InlineData("plain")]
    [InlineData("Pay \"premium\" API")]
    [InlineData("Path C:\\tempo\\u0041")]
    [InlineData("Prix sp\u00e9cial \u2014 \u20ac \ud83d\ude00")]
    [InlineData("with the Payment scheme, Bearer x, and a=b")]
    [InlineData("")]
    public void Everything_written_is_read_back(string description)
    {
        var full = Offer with
        {
            Description = description, Digest = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:", Expires = "2026-11-21T03:05:47.933Z",
            Opaque = ChallengeOpaque.Encode(new KeyValuePair<string, string>("n", "1")), Header = MppHeaders.PaymentAuthorization,
        };

        Challenge.Parse(full.Write(), out var error).ShouldBe(full);
        error.ShouldBeNull();
    }

    [Fact]
    public void What_latin_1_cannot_hold_is_written_as_escapes() =>
        (Offer with { Description = "Prix sp\u00e9cial \u2014 \u20ac" }).Write().ShouldEndWith("description=\"Prix sp\u00e9cial \\u2014 \\u20ac\"");

    [Fact]
    public void Header_injection_is_refused()
    {
        Should.Throw<ArgumentException>(() => (Offer with { Description = "a\r\nSet-Cookie: b" }).Write());
        Should.Throw<InvalidOperationException>(() => (Offer with { Realm = "a\nb" }).Write());
        Should.Throw<InvalidOperationException>(() => (Offer with { Id = "" }).Write());
    }

    [Fact]
    public void A_challenge_beyond_eight_kilobytes_is_not_written() =>
        Should.Throw<InvalidOperationException>(() => (Offer with { Request = new string('a', Challenge.MaxLength) }).Write());

    [Fact]
    public void Offers_of_one_value_are_all_found_between_other_schemes()
    {
        var value = $"Bearer realm=\"x, Payment id=1\", {Offer.Write()}, Negotiate, {(Offer with { Id = "2", Method = "stripe" }).Write()}, Basic";

        var all = Challenge.ParseAll(value, out _).ShouldNotBeNull();

        all.Select(c => c.Method).ShouldBe(["evm", "stripe"]);
        all[0].ShouldBe(Offer);
    }

    [Theory]
    [InlineData("Payment  id=\"ch_abc123\" ,  realm=\"api.example.com\" ,method=\"evm\" ,  intent=\"charge\" ,  request=\"e30\"")]
    [InlineData("payment request=e30, REALM=api.example.com, intent=charge, id=ch_abc123, method=evm, foo=\"bar\"")]
    [InlineData("PAYMENT id = \"ch_abc123\",, realm=\"api.example.com\", method=\"evm\", intent=\"charge\", request=\"e30=\",")]
    public void Spaces_order_case_and_unknown_parameters_do_not_matter(string value)
    {
        var read = Challenge.Parse(value, out _).ShouldNotBeNull();
        (read with { Request = "e30" }).ShouldBe(Offer);
    }

    [Theory]
    [InlineData("nothing", "")]
    [InlineData("another scheme", "Bearer token123")]
    [InlineData("no id", "Payment realm=\"api\", method=\"tempo\", intent=\"charge\", request=\"e30\"")]
    [InlineData("no realm", "Payment id=\"abc\", method=\"tempo\", intent=\"charge\", request=\"e30\"")]
    [InlineData("no method", "Payment id=\"abc\", realm=\"api\", intent=\"charge\", request=\"e30\"")]
    [InlineData("no intent", "Payment id=\"abc\", realm=\"api\", method=\"tempo\", request=\"e30\"")]
    [InlineData("no request", "Payment id=\"abc\", realm=\"api\", method=\"tempo\", intent=\"charge\"")]
    [InlineData("empty id", "Payment id=\"\", realm=\"api\", method=\"tempo\", intent=\"charge\", request=\"e30\"")]
    [InlineData("upper-case method", "Payment id=\"a\", realm=\"api\", method=\"Tempo\", intent=\"charge\", request=\"e30\"")]
    [InlineData("request not base64url", "Payment id=\"a\", realm=\"api\", method=\"tempo\", intent=\"charge\", request=\"not-valid!!!\"")]
    [InlineData("request not JSON", "Payment id=\"a\", realm=\"api\", method=\"tempo\", intent=\"charge\", request=\"bm90IGpzb24\"")]
    [InlineData("request not an object", "Payment id=\"a\", realm=\"api\", method=\"tempo\", intent=\"charge\", request=\"W10\"")]
    [InlineData("duplicate parameter", "Payment id=\"a\", realm=\"api\", method=\"tempo\", intent=\"charge\", request=\"e30\", ID=\"b\"")]
    [InlineData("open quote", "Payment id=\"a\", realm=\"api\", method=\"tempo\", intent=\"charge\", request=\"e30")]
    [InlineData("scheme alone", "Payment")]
    public void A_malformed_challenge_is_refused_with_a_reason(string what, string value)
    {
        Challenge.Parse(value, out var error).ShouldBeNull(what);
        error.ShouldNotBeNull(what);
    }

    [Theory]
    [InlineData("2026-11-21T03:05:47.933Z", 1795230347933)]
    [InlineData("2026-11-21T03:05:47Z", 1795230347000)]
    [InlineData("2026-11-21T04:05:47+01:00", 1795230347000)]
    public void An_expiry_is_an_instant(string expires, long unixMilliseconds) =>
        (Offer with { Expires = expires }).ExpiresAt.ShouldNotBeNull().ToUnixTimeMilliseconds().ShouldBe(unixMilliseconds);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("tomorrow")]
    [InlineData("2026-11-21")]
    [InlineData("2026-11-21T03:05:47")]
    [InlineData("2026-13-21T03:05:47Z")]
    [InlineData("1795230347")]
    public void What_is_not_rfc_3339_is_no_instant(string? expires) => (Offer with { Expires = expires }).ExpiresAt.ShouldBeNull();

    [Fact]
    public void An_expiry_is_written_as_the_reference_clients_write_it() =>
        Challenge.FormatExpires(DateTimeOffset.FromUnixTimeMilliseconds(1795230347933).ToOffset(TimeSpan.FromHours(2))).ShouldBe("2026-11-21T03:05:47.933Z");
}
