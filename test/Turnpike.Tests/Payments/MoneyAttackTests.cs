using Turnpike.Ledger;
using Turnpike.Tests.Catalog;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Payments;

/// <summary>What a caller may choose, chosen to break the books.</summary>
public sealed class MoneyAttackTests
{
    private static readonly (string, string?) Key = ("apikey", Documents.Variables["AGENT_KEY"]);

    private static string Planned(string include) => $$"""
        payments: { prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" } }
        services:
          llm:
            upstream: ${env:UPSTREAM}
            operations:
              chat:
                match: POST /v1/chat/completions
                price: { per-million: { input_tokens: 1.00 USD, output_tokens: 2.00 USD }, ceiling: 0.50 USD }
                usage: openai
                accept: [plan, prepaid]
              data: { match: GET /data, price: 0.01 USD, accept: [plan, prepaid] }
        plans: { metered: { includes: [{{include}}] } }
        callers: { agent: { plan: metered, keys: ["${env:AGENT_KEY}"] } }
        """;

    /// <summary>Its call is broken off and given back under an id made of the hold's; the second key makes a hold of exactly that id.</summary>
    [Theory]
    [InlineData("a:undelivered")]
    [InlineData("a:undelivered:1")]
    public async Task A_key_that_reads_like_our_own_bookkeeping_does_not_disturb_the_books(string second)
    {
        using var gate = new TestGate();
        var token = await gate.TokenAsync(change: order => order with { Calls = 5 });
        gate.Upstream.Says(() => new(System.Net.HttpStatusCode.OK) { Content = new Pieces("half"u8.ToArray(), null) });
        (await gate.GetAsync("/forecast/paris", ("Authorization", token), ("Idempotency-Key", "\"a\""))).Aborted.ShouldBeTrue();
        gate.Upstream.Says(() => ScriptedUpstream.Text("sunny"));
        (await gate.GetAsync("/forecast/paris", ("Authorization", token), ("Idempotency-Key", $"\"{second}\""))).Status.ShouldBe(200);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task What_is_billed_beyond_an_allowance_and_not_delivered_is_not_billed()
    {
        using var gate = new TestGate(document: Planned("{ amount: 1 requests, per: 1m, when-used-up: bill }"));
        (await gate.GetAsync("/data", Key)).Status.ShouldBe(200);
        gate.Upstream.Says(() => new(System.Net.HttpStatusCode.OK) { Content = new Pieces("half"u8.ToArray(), null) });
        (await gate.GetAsync("/data", Key)).Aborted.ShouldBeTrue();
        var totals = (await gate.Ledger.VerifyAsync(default)).Totals.ToDictionary(total => total.Role, total => total.Sum.Units);
        totals.GetValueOrDefault("overage").ShouldBe(0, "it was not delivered");
        totals.ContainsKey("credit").ShouldBeFalse("nobody can spend credit in requests");
        await gate.ShouldBalanceAsync();
    }

    /// <summary>max_tokens times n wraps around 64 bits to almost nothing: held for nothing, answered at length.</summary>
    [Theory]
    [InlineData("4611686018427387904", 4)]
    [InlineData("9223372036854775807", 2)]
    [InlineData("9223372036854775807", 1)]
    public async Task A_maximum_that_wraps_around_is_held_for_the_most(string maximum, int n)
    {
        using var gate = new TestGate(document: Planned("{ amount: 1000000 total_tokens, per: 1h, when-used-up: pay }"));
        var told = await gate.SendAsync(new Ask("POST", "/v1/chat/completions", Key, ("Content-Type", "application/json"))
        {
            Body = $$"""{"model":"gpt","messages":[],"max_tokens":{{maximum}},"n":{{n}}}""",
        });
        told.Status.ShouldBe(200, told.Body);
        (await gate.Ledger.ListAsync(new HoldFilter(), default))[0].Hold.Ceiling.ShouldBe(new Money(1_000_000, "total_tokens"));
        var sent = System.Text.Json.JsonDocument.Parse(gate.Upstream.Requests.Single().Body).RootElement;
        (sent.GetProperty("max_tokens").GetInt64() * n).ShouldBeInRange(1, 1_000_000);
        await gate.ShouldBalanceAsync();
    }

    /// <summary>Two orders of the largest budget there is: the outside world has given more than 64 bits hold.</summary>
    [Fact]
    public async Task Sums_beyond_64_bits_do_not_blind_the_check_of_the_books()
    {
        using var gate = new TestGate();
        for (var i = 0; i < 3; i++) await gate.TokenAsync("9000000000.00 USD");
        await gate.ShouldBalanceAsync();
        (await gate.GetAsync("/forecast/paris", ("Authorization", await gate.TokenAsync("1.00 USD")))).Status.ShouldBe(200);
    }
}
