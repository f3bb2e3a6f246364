using Turnpike.Limits;
using Turnpike.Tests.Catalog;

namespace Turnpike.Tests.Limits;

/// <summary>The <c>limits:</c> section.</summary>
public sealed class LimitSectionTests
{
    [Fact]
    public void Each_limit_is_read_and_the_others_keep_their_defaults()
    {
        var limits = Documents.Sound(Documents.With("limits: { unpaid: { amount: 5 requests, per: 2h, key: [address] }, verifier-calls: { amount: 9 requests, per: 1mo } }")).Settings.Get<LimitSettings>().ShouldNotBeNull();
        limits.Unpaid.ShouldSatisfyAllConditions(l => l.Amount.ShouldBe(5), l => l.Per.ShouldBe(TimeSpan.FromHours(2)), l => l.Key.ShouldBe(["address"]));
        limits.VerifierCalls.ShouldSatisfyAllConditions(l => l.Per.ShouldBe(TimeSpan.FromDays(30)), l => l.Key.ShouldBeEmpty());
        limits.InvalidProofs.ShouldBeSameAs(LimitSettings.DefaultInvalidProofs);
    }

    [Theory]
    [InlineData("unpaid: { per: 1m }", "limits.unpaid: 'amount' is missing: How many.")]
    [InlineData("unpaid: { amount: 5, per: 1m }", "limits.unpaid.amount: '5' is no number of requests; write 60 requests")]
    [InlineData("unpaid: { amount: 5 USD, per: 1m }", "limits.unpaid.amount: '5 USD' is no number of requests; write 60 requests")]
    [InlineData("unpaid: { amount: 0 requests, per: 1m }", "limits.unpaid.amount: '0 requests' is nothing; at least 1 requests is wanted")]
    [InlineData("unpaid: { amount: 5 requests, per: 0s }", "limits.unpaid.per: '0s' is no duration; write 30s, 5m, 1h, 1d or 1mo")]
    [InlineData("unpaid: { amount: 5 requests, per: 1.5h }", "limits.unpaid.per: '1.5h' is no duration; write 30s, 5m, 1h, 1d or 1mo")]
    [InlineData("unpaid: { amount: 5 requests, per: 99999999999999999999d }", "limits.unpaid.per: '99999999999999999999d' is no duration; write 30s, 5m, 1h, 1d or 1mo")]
    [InlineData("unpaid: { amount: 5 requests, per: 1m, key: [adress] }", "limits.unpaid.key[0]: 'adress' is not one of caller, key, organisation, address, address-prefix, operation, service; did you mean 'address'?")]
    [InlineData("invalid-proofs: { amount: 5 requests, per: 1m, key: [payer] }", "limits.invalid-proofs.key[0]: 'payer' is not one of caller, key, organisation, address, address-prefix, operation, service")]
    [InlineData("unpayed: { amount: 5 requests, per: 1m }", "limits.unpayed: unknown key; did you mean 'unpaid'?")]
    public void A_bad_limit_is_told(string limit, string expected) =>
        Documents.Load($"limits: {{ {limit} }}").Errors.ShouldHaveSingleItem().ShouldSatisfyAllConditions(e => $"{e.Path}: {e.Message}".ShouldBe(expected));
}
