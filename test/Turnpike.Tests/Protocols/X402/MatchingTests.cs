using Turnpike.Protocols.X402;

namespace Turnpike.Tests.Protocols.X402;

public sealed class MatchingTests
{
    [Fact]
    public void Our_own_copy_is_returned_and_not_the_clients()
    {
        var ours = Payments.Ours;
        Matching.Match(Payments.Payment.Accepted, [ours with { Amount = "1" }, ours]).ShouldBeSameAs(ours);
    }

    [Fact]
    public void Every_core_member_must_be_equal()
    {
        var accepted = Payments.Payment.Accepted;
        PaymentRequirements[] others =
        [
            accepted with { Scheme = "upto" },
            accepted with { Network = "eip155:8453" },
            accepted with { Amount = "999" },
            accepted with { Amount = "01000" },
            accepted with { Asset = accepted.PayTo },
            accepted with { PayTo = accepted.Asset },
            accepted with { MaxTimeoutSeconds = 301 },
        ];
        foreach (var other in others) Matching.Match(other, [Payments.Ours]).ShouldBeNull();
    }

    [Fact]
    public void Addresses_match_in_any_case_on_evm_only()
    {
        var accepted = Payments.Payment.Accepted;
        Matching.Match(accepted with { PayTo = accepted.PayTo.ToLowerInvariant(), Asset = accepted.Asset.ToLowerInvariant() }, [Payments.Ours]).ShouldNotBeNull();
        var solana = Payments.Ours with { Network = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", Extra = null };
        Matching.Match(solana, [solana]).ShouldNotBeNull();
        Matching.Match(solana with { PayTo = solana.PayTo.ToLowerInvariant() }, [solana]).ShouldBeNull();
    }

    [Theory]
    [InlineData("""{"name":"USDC","version":"2","more":[1]}""", true)]
    [InlineData("""{"version":"2","name":"\u0055SDC"}""", true)]
    [InlineData("""{"name":"USDC"}""", false)]
    [InlineData("""{"name":"USDC","version":2}""", false)]
    [InlineData("""{"name":"USDC","version":"\ud800"}""", false)]
    [InlineData("[]", false)]
    public void Our_extra_must_be_contained_in_theirs(string extra, bool matches)
    {
        var accepted = Payments.Payment.Accepted with { Extra = Payments.Json(extra) };
        (Matching.Match(accepted, [Payments.Ours]) is not null).ShouldBe(matches);
    }

    [Fact]
    public void Without_extra_of_ours_theirs_does_not_matter()
    {
        Matching.Match(Payments.Payment.Accepted, [Payments.Ours with { Extra = null }]).ShouldNotBeNull();
        Matching.Match(Payments.Payment.Accepted with { Extra = null }, [Payments.Ours]).ShouldBeNull();
    }

    [Fact]
    public void Version_1_matches_by_scheme_and_network()
    {
        var payment = new PaymentPayloadV1 { X402Version = 1, Scheme = "exact", Network = "base-sepolia", Payload = Payments.Json("{}") };
        Matching.Match(payment, [Payments.OursV1]).ShouldNotBeNull();
        Matching.Match(payment with { Network = "base" }, [Payments.OursV1]).ShouldBeNull();
        Matching.Match(payment with { Scheme = "upto" }, [Payments.OursV1]).ShouldBeNull();
    }

    [Theory]
    [InlineData("""{"turnpike":{"info":{"op":"a","n":{"x":1}}}}""", """{"turnpike":{"info":{"op":"a","n":{"x":1,"y":2},"z":0}}}""", null)]
    [InlineData("""{"turnpike":{"info":{"op":"a"}}}""", """{"turnpike":{"info":{"op":"b"}}}""", "turnpike")]
    [InlineData("""{"turnpike":{"info":{"op":"a"}}}""", """{"turnpike":{"info":{}}}""", "turnpike")]
    [InlineData("""{"turnpike":{"info":{"op":"a"}}}""", """{"turnpike":{}}""", "turnpike")]
    [InlineData("""{"turnpike":{"info":{"op":"a"}}}""", """{"turnpike":7}""", "turnpike")]
    [InlineData("""{"turnpike":{"info":{"op":"a"}}}""", """{"turnpike":{"info":{"op":"\ud800"}}}""", "turnpike")]
    [InlineData("""{"turnpike":{"info":{"op":["a"]}}}""", """{"turnpike":{"info":{"op":["a","b"]}}}""", "turnpike")]
    [InlineData("""{"turnpike":{"info":{"op":"a"}}}""", """{"other":{}}""", null)]
    [InlineData("""{"sign-in-with-x":{"info":{"domain":"d","nonce":"1"}}}""", """{"sign-in-with-x":{"info":{"domain":"d","nonce":"2"}}}""", null)]
    [InlineData("""{"sign-in-with-x":{"info":{"domain":"d","nonce":"1"}}}""", """{"sign-in-with-x":{"info":{"domain":"e","nonce":"1"}}}""", "sign-in-with-x")]
    [InlineData("""{"builder-code":{"info":{"a":"me","s":["1"]}}}""", """{"builder-code":{"info":{"a":"me","s":["1","2"]}}}""", null)]
    [InlineData("""{"builder-code":{"info":{"a":"me","s":["1"]}}}""", """{"builder-code":{"info":{"a":"me","s":["2","1"]}}}""", "builder-code")]
    [InlineData("""{"builder-code":{"info":{"a":"me","s":[]}}}""", """{"builder-code":{"info":{"a":"me","s":[1,2,3,4,5,6,7,8,9,10,11]}}}""", "builder-code")]
    [InlineData("""{"builder-code":{"info":{"a":"me"}}}""", """{"builder-code":{"info":{"a":"you"}}}""", "builder-code")]
    public void An_echo_may_add_and_may_not_change(string advertised, string echoed, string? broken) =>
        Matching.FirstBrokenEcho(Payments.Json(advertised), Payments.Json(echoed)).ShouldBe(broken);

    [Fact]
    public void No_echo_at_all_is_no_broken_echo()
    {
        Matching.FirstBrokenEcho(Payments.Json("""{"turnpike":{"info":{}}}"""), null).ShouldBeNull();
        Matching.FirstBrokenEcho(null, Payments.Json("{}")).ShouldBeNull();
        Matching.FirstBrokenEcho(Payments.Json("{}"), Payments.Json("[]")).ShouldBeNull();
    }

    [Theory]
    [InlineData("invalid_exact_evm_payload_signature", "invalid_exact_evm_signature")]
    [InlineData("invalid_exact_evm_payload_recipient_mismatch", "invalid_exact_evm_recipient_mismatch")]
    [InlineData("insufficient_funds", "insufficient_funds")]
    public void The_specifications_spelling_is_mapped_to_the_sdks(string written, string sdk) => ErrorCodes.Canonical(written).ShouldBe(sdk);
}
