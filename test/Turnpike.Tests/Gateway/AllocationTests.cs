using Turnpike.Protocols.Evm;
using Turnpike.Protocols.X402;

namespace Turnpike.Tests.Gateway;

/// <summary>What a call may allocate, by path, in bytes: the whole gate with YARP and the test's own request; measured × 1.25, so that growth is noticed.</summary>
[Collection(nameof(Alone))]
public sealed class AllocationTests
{
    private const int WarmUp = 1_000, Calls = 2_000;

    [Fact]
    public async Task A_free_call_stays_in_its_budget()
    {
        using var gate = new TestGate();
        (await PerCallAsync(() => gate.GetAsync("/status"), 200)).ShouldBeLessThan(10_600);
    }

    [Fact]
    public async Task A_key_with_plan_three_limits_and_three_breakers_adds_four_kilobytes_at_most()
    {
        using var gate = new TestGate(document: """
            services:
              s:
                upstream: ${env:UPSTREAM}
                operations:
                  guarded: { match: GET /guarded, price: free, identity: required, limits: [{ amount: 1000000 requests, per: 1m, key: [caller] }, { amount: 1000000 requests, per: 1h, key: [address] }] }
            plans: { pro: { limits: [{ amount: 1000000 requests, per: 1m }], includes: [{ amount: 1000000 requests, per: 1mo }] } }
            callers: { agent: { plan: pro, keys: ["${env:AGENT_KEY}"] } }
            breakers: { loop: { watch: identical-requests, more-than: 1000000, within: 1s }, probing: { watch: endpoint-cycling, more-than: 1000, within: 60s }, spike: { watch: spend-spike, times: 10, floor: 0.10 USD, within: 60s } }
            """);
        (string, string?) key = ("apikey", Turnpike.Tests.Catalog.Documents.Variables["AGENT_KEY"]);
        using var without = new TestGate();
        var bare = await PerCallAsync(() => without.GetAsync("/status"), 200);
        (await PerCallAsync(() => gate.GetAsync("/guarded", key), 200) - bare).ShouldBeLessThan(4 * 1024);
    }

    [Fact]
    public async Task A_402_stays_in_its_budget()
    {
        using var gate = new TestGate();
        (await PerCallAsync(() => gate.GetAsync("/forecast/paris"), 402)).ShouldBeLessThan(32_300);
    }

    [Fact]
    public async Task A_prepaid_call_stays_in_its_budget()
    {
        using var gate = new TestGate();
        var token = await gate.TokenAsync("1000.00 USD");
        (await PerCallAsync(() => gate.GetAsync("/forecast/paris", ("Authorization", token)), 200)).ShouldBeLessThan(25_400);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Verifying_an_x402_payment_without_a_chain_stays_in_its_budget()
    {
        Assert.SkipUnless(Secp256k1.IsNative, "libsecp256k1 is missing, and the managed fallback has no budget.");
        using var gate = new TestGate();
        var proof = await gate.ProofAsync();
        var terms = ExactEvmTerms.Create(X402Header.Decode(proof).Payment!.Accepted, out _)!;
        var now = gate.Time.GetUtcNow().ToUnixTimeSeconds();
        for (var i = 0; i < WarmUp; i++) ExactEvm.VerifyLocally(X402Header.Decode(proof).Payment!, terms, now).IsValid.ShouldBeTrue();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Calls; i++) _ = ExactEvm.VerifyLocally(X402Header.Decode(proof).Payment!, terms, now);
        ((GC.GetAllocatedBytesForCurrentThread() - before) / Calls).ShouldBeLessThan(7_700);
    }

    /// <summary>Over all threads: a call is continued on the writer's and the pool's.</summary>
    private static async Task<long> PerCallAsync(Func<Task<Told>> call, int status)
    {
        for (var i = 0; i < WarmUp; i++) (await call()).Status.ShouldBe(status);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        for (var i = 0; i < Calls; i++) await call();
        return (GC.GetTotalAllocatedBytes(precise: true) - before) / Calls;
    }
}

/// <summary>Tests that count what the whole process does: nothing else runs meanwhile.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
