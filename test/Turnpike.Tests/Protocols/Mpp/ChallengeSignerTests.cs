using System.Text;
using Turnpike.Protocols.Http;
using Turnpike.Protocols.Mpp;

namespace Turnpike.Tests.Protocols.Mpp;

/// <summary>The HMAC that binds a challenge, against published vectors and against tampering.</summary>
public sealed class ChallengeSignerTests
{
    private static readonly byte[] Current = Encoding.ASCII.GetBytes("current-secret-of-thirty-two-bytes!!");
    private static readonly byte[] Previous = Encoding.ASCII.GetBytes("previous-secret-of-thirty-two-bytes!");
    private static readonly ChallengeSigner Signer = new([Current, Previous]);

    private static readonly Challenge Offer = new()
    {
        Realm = "api.example.com",
        Method = "evm",
        Intent = "charge",
        Request = "eyJhbW91bnQiOiIxMDAwMDAwIn0",
        Expires = "2026-11-21T03:05:47.933Z",
        Digest = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:",
        Opaque = "eyJuIjoiMSJ9",
        Description = "One forecast",
    };

    // Vectors 1-15: github.com/wevm/mppx, src/Challenge.test.ts, MIT License, Copyright (c) 2026-present weth, LLC.
    // Last two: draft-httpauth-payment-01, "HMAC-SHA256 Test Vectors", github.com/tempoxyz/mpp-specs, Apache-2.0 OR MIT.
    [Theory]
    [InlineData("X6v1eo7fJ76gAxqY0xN9Jd__4lUyDDYmriryOM-5FO4", """{"amount":"1000000"}""")]
    [InlineData("ChPX33RkKSZoSUyZcu8ai4hhkvjZJFkZVnvWs5s0iXI", """{"amount":"1000000"}""", "2025-01-06T12:00:00Z")]
    [InlineData("JHB7EFsPVb-xsYCo8LHcOzeX1gfXWVoUSzQsZhKAfKM", """{"amount":"1000000"}""", null, "sha-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE")]
    [InlineData("m39jbWWCIfmfJZSwCfvKFFtBl0Qwf9X4nOmDb21peLA", """{"amount":"1000000"}""", "2025-01-06T12:00:00Z", "sha-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE")]
    [InlineData("rxzKZ2qjXvinqCH96RORTZEPs1KXsA-0AUjrCAPFOWc", """{"amount":"1000000"}""", null, null, """{"pi":"pi_3abc123XYZ"}""")]
    [InlineData("KAfoMrA4fnzS1DPWN_cUv_b3_yHxCizdp6OhH7gluMY", """{"amount":"1000000"}""", "2025-01-06T12:00:00Z", null, """{"pi":"pi_3abc123XYZ"}""")]
    [InlineData("_H5TOnnlW0zduQ5OhQ3EyLVze_TqxLDPda2CGZPZxOc", """{"recipient":"0xabcd","amount":"1000000","currency":"0x1234"}""")]
    [InlineData("TqujwpuDDg_zsWGINAd5XObO2rRe6uYufpqvtDmr6N8", """{"amount":"1000000","methodDetails":{"chainId":42431},"currency":"0x1234"}""")]
    [InlineData("yLN7yChAejW9WNmb54HpJIWpdb1WWXeA3_aCx4dxmkU", "{}")]
    [InlineData("vb4IyH-0LdJ3s7L0QAw8jIzcZkyxksPhIvEfmHmzA9k", """{"amount":"1000000"}""", null, null, "{}")]
    [InlineData("3F5bOo2a9RUihdwKk4hGRvBvzQmVPBMDvW0YM-8GD00", """{"amount":"1000000"}""", null, null, null, null, "payments.other.com")]
    [InlineData("o0ra2sd7HcB4Ph0Vns69gRDUhSj5WNOnUopcDqKPLz4", """{"amount":"1000000"}""", null, null, null, null, "api.example.com", "stripe")]
    [InlineData("aAY7_IEDzsznNYplhOSE8cERQxvjFcT4Lcn-7FHjLVE", """{"amount":"1000000"}""", null, null, null, null, "api.example.com", "tempo", "session")]
    [InlineData("aKskU8sadR5ZuFbUCsIwhO-ENxuVpTw17FdwHEXsJDk", """{"amount":"1000000"}""", null, null, """{"pi":"pi_3abc123XYZ","deposit":"dep_456"}""")]
    [InlineData("X6v1eo7fJ76gAxqY0xN9Jd__4lUyDDYmriryOM-5FO4", """{"amount":"1000000"}""", null, null, null, "Authorization")]
    [InlineData("S91xi-OFGZPMs-j7GsX0FDpIkmCcZT1P9XyV58WNy_U", """{"amount":"1000000"}""", null, null, null, "Payment-Authorization")]
    [InlineData("CJ4X1O4aTDmS59hfdhnhBtxIQjWDOf0bcrhsswwMOW8", """{"amount":"1000000"}""", null, null, """{"pi":"pi_123"}""", "Payment-Authorization")]
    public void The_published_vectors_give_their_ids(
        string id, string request, string? expires = null, string? digest = null, string? opaque = null, string? header = null,
        string realm = "api.example.com", string method = "tempo", string intent = "charge")
    {
        var challenge = new Challenge
        {
            Realm = realm, Method = method, Intent = intent, Request = Canonical(request), Expires = expires, Digest = digest,
            Opaque = opaque is null ? null : Canonical(opaque), Header = header, Description = "never part of it",
        };

        ChallengeSigner.ComputeId("test-vector-secret"u8, challenge).ShouldBe(id);
    }

    [Fact]
    public void A_signed_challenge_verifies_under_the_current_and_under_a_previous_secret()
    {
        Signer.Verify(Signer.Sign(Offer)).ShouldBeTrue();
        Signer.Verify(new ChallengeSigner([Previous]).Sign(Offer)).ShouldBeTrue();
        new ChallengeSigner([Previous]).Verify(Signer.Sign(Offer)).ShouldBeFalse();
    }

    [Fact]
    public void A_challenge_with_any_bound_value_changed_is_refused()
    {
        var signed = Signer.Sign(Offer);
        Challenge[] tampered =
        [
            signed with { Realm = "api.example.org" },
            signed with { Method = "stripe" },
            signed with { Intent = "session" },
            signed with { Request = "eyJhbW91bnQiOiIxIn0" },
            signed with { Expires = "2036-11-21T03:05:47.933Z" },
            signed with { Expires = null },
            signed with { Digest = null },
            signed with { Opaque = "eyJuIjoiMiJ9" },
            signed with { Header = "Payment-Authorization" },
            signed with { Id = "" },
            signed with { Id = signed.Id[..^1] },
            signed with { Id = signed.Id + "A" },
            signed with { Id = "\u00e9" + signed.Id[1..] },
            signed with { Id = signed.Id.ToUpperInvariant() },
        ];

        foreach (var challenge in tampered) Signer.Verify(challenge).ShouldBeFalse(challenge.ToString());
        Signer.Verify(signed with { Description = "anything" }).ShouldBeTrue();
    }

    [Fact]
    public void Values_cannot_move_from_one_slot_to_the_next()
    {
        var signed = Signer.Sign(Offer with { Expires = null, Digest = "a", Opaque = null });

        Signer.Verify(signed with { Expires = "a", Digest = null }).ShouldBeFalse();
        Signer.Verify(signed with { Digest = null, Request = signed.Request + "||a" }).ShouldBeFalse();
        Should.Throw<ArgumentException>(() => Signer.Sign(Offer with { Realm = "a|evm" }));
        Should.Throw<ArgumentException>(() => Signer.Sign(Offer with { Opaque = "a|b" }));
        Should.Throw<ArgumentException>(() => Signer.Sign(Offer with { Expires = "a\r\nb" }));
        Should.Throw<ArgumentException>(() => Signer.Sign(Offer with { Method = "EVM" }));
    }

    [Fact]
    public void A_short_secret_or_none_is_refused()
    {
        Should.Throw<ArgumentException>(() => new ChallengeSigner([]));
        Should.Throw<ArgumentException>(() => new ChallengeSigner([Current, new byte[ChallengeSigner.MinSecretLength - 1]]));
    }

    [Fact]
    public void Long_terms_are_bound_to_their_last_character()
    {
        var signed = Signer.Sign(Offer with { Request = new string('a', 20_000) });

        Signer.Verify(signed).ShouldBeTrue();
        Signer.Verify(signed with { Request = new string('a', 19_999) + "b" }).ShouldBeFalse();
    }

    private static string Canonical(string json) => Base64Url.Encode(CanonicalJson.ToBytes(Encoding.UTF8.GetBytes(json)).ShouldNotBeNull());
}
