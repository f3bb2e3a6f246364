using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Identity;

/// <summary>Prepaid tokens that are bound to a key: whoever steals one can spend nothing, see nothing, and repeat nothing.</summary>
public sealed class BoundTokenTests : IDisposable
{
    private const string Here = "http://127.0.0.1:8402/forecast/paris";
    private readonly Signing agent = new(), thief = new();
    private readonly TestGate gate = new("identity: { signatures: { erc8128: { callers: any } } }\n");

    public void Dispose() => gate.Dispose();

    private async Task<string> TokenAsync(params string[] to) => (await gate.TokenAsync("0.05 USD", o => o with { BoundTo = to }))["Bearer ".Length..];

    private Task<Told> SpendAsync(string token, string? proof, string scheme = "DPoP", string? idempotency = null) =>
        gate.GetAsync("/forecast/paris", ("Authorization", $"{scheme} {token}"), ("DPoP", proof), ("Idempotency-Key", idempotency));

    [Fact]
    public async Task It_is_spent_beside_a_proof_by_its_key_and_by_nothing_else()
    {
        var token = await TokenAsync("jkt:" + agent.Thumbprint);
        (await SpendAsync(token, agent.Dpop(Here, token))).Status.ShouldBe(200);
        (await SpendAsync(token, agent.Dpop(Here, token), "Bearer")).Status.ShouldBe(200);
        foreach (var scheme in new[] { "Bearer", "DPoP" })
            (await SpendAsync(token, null, scheme)).ShouldSatisfyAllConditions(t => t.Status.ShouldBe(401), t => t.Reason.ShouldBe("proof-required"), t => t.Headers.WWWAuthenticate.ToString().ShouldStartWith("DPoP "));
        (await SpendAsync(token, thief.Dpop(Here, token))).Reason.ShouldBe("proof-required", "a good proof by another key");
        var used = agent.Dpop(Here, token);
        (await SpendAsync(token, used)).Status.ShouldBe(200);
        (await SpendAsync(token, used)).Reason.ShouldBe("invalid-signature", "a proof is shown once");
        (await SpendAsync(token, agent.Dpop(Here, "tp_another"))).Reason.ShouldBe("invalid-signature", "a proof is for one token");
        (await SpendAsync(token, agent.Dpop("http://127.0.0.1:8402/history/paris", token))).Reason.ShouldBe("invalid-signature", "and for one URL");
        (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf("Bearer " + token), "USD", default)).ToString().ShouldBe("0.02 USD");
        gate.Upstream.Requests.ShouldAllBe(r => !r.Headers.ContainsKey("DPoP") && !r.Headers.ContainsKey("Authorization"));
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task What_it_paid_for_is_not_told_to_a_thief_who_knows_its_idempotency_key()
    {
        var token = await TokenAsync("jkt:" + agent.Thumbprint);
        (await SpendAsync(token, agent.Dpop(Here, token), idempotency: "k-1")).Body.ShouldBe("sunny");
        (await SpendAsync(token, null, "Bearer", "k-1")).Reason.ShouldBe("proof-required");
        (await SpendAsync(token, thief.Dpop(Here, token), idempotency: "k-1")).Reason.ShouldBe("proof-required");
        (await SpendAsync(token, agent.Dpop(Here, token), idempotency: "k-1")).Body.ShouldBe("sunny");
    }

    [Fact]
    public async Task Other_tokens_are_as_ever_and_one_may_be_bound_to_several()
    {
        await TokenAsync("jkt:" + agent.Thumbprint);
        (await gate.GetAsync("/forecast/paris", ("Authorization", await gate.TokenAsync()))).Status.ShouldBe(200);
        var shared = await TokenAsync("jkt:" + agent.Thumbprint, "jkt:" + thief.Thumbprint);
        (await SpendAsync(shared, agent.Dpop(Here, shared))).Status.ShouldBe(200);
        (await SpendAsync(shared, thief.Dpop(Here, shared))).Status.ShouldBe(200);
    }

    [Fact]
    public async Task It_stays_bound_after_a_restart()
    {
        var token = await TokenAsync("jkt:" + agent.Thumbprint);
        using var again = gate.Restart();
        (await again.GetAsync("/forecast/paris", ("Authorization", "Bearer " + token))).Reason.ShouldBe("proof-required");
    }
}
