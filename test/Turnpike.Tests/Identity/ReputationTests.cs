using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Identity.Reputations;
using Turnpike.Tests.Catalog;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Identity;

/// <summary>What a caller did here decides what it may do and what it pays.</summary>
public sealed class ReputationTests
{
    private static readonly (string, string?) Key = ("apikey", Documents.Variables["AGENT_KEY"]), Other = ("apikey", Documents.Variables["OLD_AGENT_KEY"]);

    private static TestGate Gate() => new(document: """
        payments: { prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" } }
        services:
          s:
            upstream: ${env:UPSTREAM}
            operations:
              paid: { match: GET /paid, price: { amount: 0.10 USD, rules: [{ reputation: { paid-at-least: 3, disputed-at-most: 0 }, percent: 50% }] } }
              trusted: { match: GET /trusted, price: free, access: { reputation: { paid-at-least: 3, tripped-at-most: 0, disputed-at-most: 0 } } }
              closed: { match: GET /closed, price: free, scopes: [none] }
              items: { match: "GET /items/{id}", price: free }
        callers: { agent: { keys: ["${env:AGENT_KEY}"] }, other: { keys: ["${env:OLD_AGENT_KEY}"] } }
        breakers: { loop: { watch: identical-requests, more-than: 5, within: 60s, for: 1m } }
        """);

    private static async Task CountAsync(TestGate gate)
    {
        await gate.Of<IAuditTrail>().FlushAsync(default);
        await gate.Of<ReputationBook>().CountAsync(default);
    }

    [Fact]
    public async Task Who_has_paid_is_trusted_and_pays_less_until_it_runs_away()
    {
        using var gate = Gate();
        var token = await gate.TokenAsync("10.00 USD");
        (await gate.GetAsync("/trusted")).Reason.ShouldBe("identity-required");
        (await gate.GetAsync("/trusted", Key)).Reason.ShouldBe("access-denied");
        for (var i = 0; i < 3; i++) (await gate.GetAsync("/paid", Key, ("Authorization", token))).Headers["Turnpike-Cost"].ToString().ShouldBe("0.10 USD");
        await CountAsync(gate);
        (await gate.GetAsync("/paid", Key, ("Authorization", token))).Headers["Turnpike-Cost"].ToString().ShouldBe("0.05 USD");
        (await gate.GetAsync("/trusted", Key)).Status.ShouldBe(200);
        (await gate.GetAsync("/trusted", Other)).Reason.ShouldBe("access-denied");
        (await gate.GetAsync("/paid", Other, ("Authorization", token))).Headers["Turnpike-Cost"].ToString().ShouldBe("0.10 USD");
        (await gate.GetAsync("/paid", ("Authorization", token))).Headers["Turnpike-Cost"].ToString().ShouldBe("0.10 USD", "strangers have no reputation");
        for (var i = 0; i < 6; i++) await gate.GetAsync("/items/1", Key);
        gate.Time.Pass(TimeSpan.FromMinutes(3));
        await CountAsync(gate);
        (await gate.GetAsync("/trusted", Key)).Reason.ShouldBe("access-denied", "a breaker has tripped");
    }

    [Fact]
    public async Task It_is_counted_once_over_restarts_by_kind_and_forgotten_after_ninety_days()
    {
        var gate = Gate();
        var token = await gate.TokenAsync();
        for (var i = 0; i < 4; i++) await gate.GetAsync("/paid", Key, ("Authorization", token));
        for (var i = 0; i < 2; i++) (await gate.GetAsync("/closed", Key)).Status.ShouldBe(403);
        (await gate.GetAsync("/paid", Key)).Status.ShouldBe(402, "which is nobody's fault");
        await gate.Of<IAuditTrail>().RecordAsync(new AuditEvent { Kind = AuditKinds.PurchaseReversed, Correlation = "c", Payer = "token:" + TestGate.IdOf(token) }, default);
        await CountAsync(gate);
        await CountAsync(gate);
        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => CountAsync(gate)));
        using var after = gate.Restart();
        await CountAsync(after);
        (await after.Of<ReputationBook>().OfAsync("agent", default)).ShouldBe(new Reputation(Paid: 4, Disputed: 1, Denied: 2, Tripped: 0));
        (await after.Of<ReputationBook>().OfAsync("other", default)).ShouldBe(Reputation.None);
        after.Time.Pass(TimeSpan.FromDays(91));
        (await after.Of<ReputationBook>().OfAsync("agent", default)).ShouldBe(Reputation.None);
    }

    [Fact]
    public void A_reputation_that_asks_for_nothing_is_an_error() =>
        Documents.Load(TestGate.Document + "\naccess: { reputation: {} }").ErrorLines.Single().ShouldContain("asks for nothing");
}
