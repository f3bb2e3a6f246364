using System.Net;
using Turnpike.EndToEnd.Harness;
using Turnpike.EndToEnd.Storage;

namespace Turnpike.EndToEnd.Payments.Buying;

/// <summary>Two nodes over one PostgreSQL buy as one: caps hold over both, and what one was killed over the other finds out.</summary>
public sealed class TwoResellersTests(Chain chain)
{
    /// <summary>The attack: ask both nodes at once for more than the owner would ever spend.</summary>
    [Theory]
    [InlineData(", caps: [{ amount: 0.07 USD, per: 1d }]", 7)]
    [InlineData(", caps: [{ amount: 0.05 USD, per: 1h, each: host }, { amount: 1.00 USD, per: 1d }]", 5)]
    [InlineData(", caps: [{ amount: 0.06 USD, per: 1d, each: operation }]", 6)]
    public async Task A_cap_is_exact_over_two_nodes_however_many_call_at_once(string caps, int sold)
    {
        await using var seller = await PaidApi.StartAsync(chain);
        var (store, bulk) = (TemporaryDatabase.NewEmpty(), await seller.TokenAsync("5.00 USD"));
        await using var a = await Reseller.StartOnAsync(store, "a", chain, seller.Parties, seller.Gateway.Url, "prepaid", bulk, caps: caps);
        await using var b = await Reseller.StartOnAsync(store, "b", chain, seller.Parties, seller.Gateway.Url, "prepaid", bulk, caps: caps);
        var token = await a.TokenAsync("5.00 USD");
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => (i % 2 == 0 ? a : b).CallAsync($"/forecast/c{i}", token)));
        answers.Count(answer => answer.Status == HttpStatusCode.OK).ShouldBe(sold);
        foreach (var refused in answers.Where(answer => answer.Status != HttpStatusCode.OK)) (refused.Status, refused.Reason).ShouldBe((HttpStatusCode.ServiceUnavailable, "spending-cap-reached"), refused.Body);
        (await seller.CallAsync("/balance", headers: ("Authorization", "Bearer " + bulk))).Json["available"]!["amount"]!.GetValue<string>().ShouldBe($"4.{100 - sold}", "the seller has a cent for each");
        (await b.CallAsync("/balance", token)).Json["available"]!["amount"]!.GetValue<string>().TrimEnd('0').ShouldBe((5m - 0.015m * sold).ToString("0.000", System.Globalization.CultureInfo.InvariantCulture).TrimEnd('0'), "whoever was refused has it back");
        await a.BooksBalanceAsync();
    }

    /// <summary>kill -9 after the upstream has our money and before we have written that down.</summary>
    [Fact]
    public async Task What_a_killed_node_had_paid_for_another_finds_on_the_chain_books_once_and_counts_against_the_cap()
    {
        await using var seller = await PaidApi.StartAsync(chain, text => text.Replace("price: 1.00 USD", "price: 0.40 USD\n        settle: before", StringComparison.Ordinal));
        chain.Require();
        var store = TemporaryDatabase.NewEmpty();
        await using var a = await Reseller.StartOnAsync(store, "a", chain, seller.Parties, seller.Gateway.Url, "x402");
        await using var b = await Reseller.StartOnAsync(store, "b", chain, seller.Parties, seller.Gateway.Url, "x402");
        var token = await a.TokenAsync("2.40 USD");
        seller.Upstream.Mood = UpstreamMood.Hanging;
        var lost = a.CallAsync("/reports", token, "{}");
        await seller.Upstream.ArrivalAsync();
        (await seller.EarnedAsync()).ShouldBe(400_000, "it collects before it works");
        await a.Gateway.KillAsync();
        await Should.ThrowAsync<HttpRequestException>(() => lost);
        var bought = await b.BoughtAsync();
        (bought["status"]!.GetValue<string>(), bought["outcome"]!.GetValue<string>()).ShouldBe(("settled", "credited"), b.Gateway.Log);
        (await b.CallAsync("/balance", token)).Json["available"]!["amount"]!.GetValue<string>().ShouldBe("2.40", "the caller has its money back");
        (await b.CallAsync("/reports", token, "{}")).Reason.ShouldBe("spending-cap-reached", "0.40 of today's 0.50 for this host are spent");
        (await seller.EarnedAsync()).ShouldBe(400_000);
        await b.BooksBalanceAsync();
    }
}
