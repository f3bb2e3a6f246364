using System.Reflection;
using Turnpike.Protocols.Evm;
using Turnpike.Protocols.X402;
using Turnpike.Tests.Metering;

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
        (await PerCallAsync(() => gate.GetAsync("/status"), 200)).ShouldBeLessThan(10_900);
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

    [Fact]
    public async Task A_chunk_of_a_metered_stream_allocates_nothing_beside_one_that_is_only_passed_on()
    {
        Assert.SkipWhen(typeof(Turnpike.Gateway.Gate).Assembly.GetCustomAttribute<System.Diagnostics.DebuggableAttribute>() is { IsJITOptimizerDisabled: true }, "Without optimisation every asynchronous method allocates.");
        using var gate = new TestGate(document: MeteredGate.Chat + "\n      plain: { match: POST /plain, price: free }\n      counted: { match: POST /counted, usage: openai, price: free }\n");
        var token = await gate.TokenAsync("1000.00 USD");
        const string Body = """{"model":"gpt-4o","stream":true,"max_tokens":20000}""";
        const long Least = 12_000; // the smallest object for each chunk would be 24,000; the rest of the process allocates, too
        async Task<long> OfAsync(Ask ask, int words)
        {
            gate.Upstream.Says(() => new HttpResponseMessage { Content = new Dripping(words) });
            var least = long.MaxValue;
            for (var i = 0; i < 12; i++)
            {
                var before = GC.GetTotalAllocatedBytes(precise: true);
                (await gate.SendAsync(ask)).Status.ShouldBe(200);
                least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
            }
            return least;
        }
        async Task<long> ForAThousandAsync(Ask ask) => await OfAsync(ask, 1_100) - await OfAsync(ask, 100);
        var passed = new Ask("POST", "/plain", ("Content-Type", "application/json")) { Body = Body };
        foreach (var ask in (Ask[])[passed with { Target = "/counted" }, MeteredGate.Ask(token, Body)])
        {
            // Until the compiler has optimised what runs here, it allocates what it need not: on a slow machine that takes longer than the streams do.
            var (plain, metered) = (long.MaxValue, long.MaxValue);
            for (var tries = 0; tries < 50 && (tries < 5 || metered - plain >= Least); tries++, await Task.Delay(100))
                (plain, metered) = (Math.Min(plain, await ForAThousandAsync(passed)), Math.Min(metered, await ForAThousandAsync(ask)));
            (metered - plain).ShouldBeLessThan(Least, ask.Target);
        }
        await gate.ShouldBalanceAsync();
    }

    /// <summary>A stream of so many words, each a read of its own that has to be waited for.</summary>
    private sealed class Dripping : HttpContent
    {
        private static readonly byte[] Word = System.Text.Encoding.UTF8.GetBytes(MeteredGate.Delta("wave ") + "\n\n"), Last = System.Text.Encoding.UTF8.GetBytes(MeteredGate.LastChunk + "\n\ndata: [DONE]\n\n");
        private readonly int words;

        public Dripping(int words)
        {
            this.words = words;
            Headers.ContentType = new("text/event-stream");
        }

        protected override Task<Stream> CreateContentReadStreamAsync() => Task.FromResult<Stream>(new Reader(words));

        protected override Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context) => throw new NotSupportedException();

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }

        private sealed class Reader(int words) : MemoryStream
        {
            private int told;

            [System.Runtime.CompilerServices.AsyncMethodBuilder(typeof(System.Runtime.CompilerServices.PoolingAsyncValueTaskMethodBuilder<>))]
            public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
            {
                await Task.Yield();
                if (buffer.IsEmpty || told > words) return 0;
                var piece = told++ < words ? Word : Last;
                piece.CopyTo(buffer);
                return piece.Length;
            }
        }
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
