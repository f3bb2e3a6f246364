using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Limits;

/// <summary>The doors that stand open to strangers.</summary>
public sealed class RateLimitsTests
{
    private const string Written = "limits: { unpaid: { amount: 3 requests, per: 1m, key: [address] }, invalid-proofs: { amount: 2 requests, per: 1m, key: [address] } }\n";
    private const string Signature = "PAYMENT-SIGNATURE";

    private static async Task<int> UntilRefusedAsync(TestGate gate, Ask ask, int most = 100)
    {
        for (var i = 0; i < most; i++)
            if ((await gate.SendAsync(ask)).Status == 429) return i;
        return most;
    }

    [Fact]
    public async Task Built_in_limits_hold_for_strangers_and_not_on_loopback()
    {
        using var gate = new TestGate();
        var ask = new Ask("GET", "/forecast/paris");
        (await UntilRefusedAsync(gate, ask with { Address = "192.0.2.1" })).ShouldBe(60);
        (await UntilRefusedAsync(gate, ask)).ShouldBe(100);
        (await gate.SendAsync(ask with { Address = "192.0.2.2" })).Status.ShouldBe(402);
        (await UntilRefusedAsync(gate, new Ask("GET", "/forecast/paris", (Signature, "?")) { Address = "192.0.2.3" })).ShouldBe(10);
    }

    [Fact]
    public async Task Guessing_at_keys_is_slowed_down_by_address_and_the_right_one_still_opens()
    {
        using var gate = new TestGate(Written + "callers: { agent: { keys: [\"${env:AGENT_KEY}\"] } }\n");
        Ask Guess(string key) => new("GET", "/status", ("apikey", key)) { Address = "192.0.2.1" };
        for (var i = 0; i < 2; i++) (await gate.SendAsync(Guess($"guess-{i}"))).Reason.ShouldBe("unknown-key");
        var told = await gate.SendAsync(Guess("guess-3"));
        (told.Status, told.Reason, told.Headers.RetryAfter.ToString()).ShouldBe((429, "too-many-guesses", "30"));
        (await gate.SendAsync(Guess(Turnpike.Tests.Catalog.Documents.Variables["AGENT_KEY"]!))).Status.ShouldBe(200);
        (await gate.SendAsync(Guess("guess-4") with { Address = "192.0.2.2" })).Status.ShouldBe(401, "others are not meant");
        (await gate.SendAsync(new Ask("GET", "/forecast/paris", (Signature, "?")) { Address = "192.0.2.1" })).Reason.ShouldBe("malformed-credential", "payments have a door of their own");
        gate.Time.Pass(TimeSpan.FromSeconds(30));
        (await gate.SendAsync(Guess("guess-5"))).Status.ShouldBe(401);
    }

    [Fact]
    public async Task Written_limits_hold_on_loopback_too_and_the_wait_is_what_is_told()
    {
        using var gate = new TestGate(Written);
        var ask = new Ask("GET", "/forecast/paris");
        (await UntilRefusedAsync(gate, ask)).ShouldBe(3);
        var told = await gate.SendAsync(ask);
        (told.Reason, told.Headers.RetryAfter.ToString()).ShouldBe(("too-many-unpaid", "20"));
        told.Json.GetProperty("retryAfter").GetInt32().ShouldBe(20);
        (told.Json.GetProperty("limit").GetInt32(), told.Json.GetProperty("resetAt").GetString()).ShouldBe((3, "2026-11-21T12:00:20Z"));
        told.Headers.ContainsKey("PAYMENT-REQUIRED").ShouldBeFalse();
        gate.Time.Pass(TimeSpan.FromSeconds(20));
        (await gate.SendAsync(ask)).Status.ShouldBe(402);
    }

    [Fact]
    public async Task A_flood_at_one_door_costs_nothing_at_the_next()
    {
        using var gate = new TestGate(Written);
        var proof = await gate.ProofAsync();
        (await UntilRefusedAsync(gate, new Ask("GET", "/forecast/paris"))).ShouldBe(2);
        (await gate.GetAsync("/forecast/paris", (Signature, proof))).Status.ShouldBe(200);
        (await gate.GetAsync("/status")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Wrong_proofs_are_counted_and_then_not_even_looked_at()
    {
        using var gate = new TestGate(Written);
        var proof = await gate.ProofAsync();
        (await UntilRefusedAsync(gate, new Ask("GET", "/forecast/paris", (Signature, "?")))).ShouldBe(2);
        (await gate.GetAsync("/forecast/paris", (Signature, proof))).Reason.ShouldBe("too-many-invalid-proofs");
        gate.Time.Pass(TimeSpan.FromSeconds(30));
        (await gate.GetAsync("/forecast/paris", (Signature, proof))).Status.ShouldBe(200);
    }

    [Fact]
    public async Task An_honest_payer_short_of_money_is_not_counted_as_wrong()
    {
        using var gate = new TestGate(Written);
        var token = await gate.TokenAsync("0.001 USD");
        for (var i = 0; i < 5; i++) (await gate.GetAsync("/forecast/paris", ("Authorization", token))).Reason.ShouldBe("token-exhausted");
    }

    [Fact]
    public async Task A_network_of_IPv6_addresses_counts_as_one_caller()
    {
        using var gate = new TestGate(Written);
        for (var i = 1; i <= 3; i++) (await gate.SendAsync(new Ask("GET", "/forecast/paris") { Address = $"2001:db8::{i}" })).Status.ShouldBe(402);
        (await gate.SendAsync(new Ask("GET", "/forecast/paris") { Address = "2001:db8::ffff" })).Status.ShouldBe(429);
        (await gate.SendAsync(new Ask("GET", "/forecast/paris") { Address = "2001:db8:0:1::1" })).Status.ShouldBe(402);
    }
}
