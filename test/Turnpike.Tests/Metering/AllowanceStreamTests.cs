using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Tests.Gateway;
using static Turnpike.Tests.Metering.MeteredGate;

namespace Turnpike.Tests.Metering;

/// <summary>Streams that a plan's allowance in tokens pays for: held, ended, charged and recovered in tokens.</summary>
public sealed class AllowanceStreamTests : IDisposable
{
    private const string Plans = """
        plans: { free: { includes: [{ amount: 300 total_tokens, per: 1mo, when-used-up: wait }] } }
        callers: { tester: { plan: free, keys: ["${env:AGENT_KEY}"] } }

        """;

    private readonly TestGate gate = new(Plans, Chat.Replace("accept: [prepaid]", "accept: [plan, prepaid]", StringComparison.Ordinal));

    public void Dispose() => gate.Dispose();

    [Fact]
    public async Task A_stream_takes_the_tokens_it_used()
    {
        gate.Upstream.Says(() => Stream(Delta("hello"), Delta("hello"), LastChunk, "data: [DONE]"));
        var told = await AskAsync(100);
        (told.Status, told.Aborted).ShouldBe((200, false), told.Body);
        told.Body.ShouldEndWith("data: [DONE]\n\n");
        (await HeldAsync()).Captured.ShouldBe(new Money(30, "total_tokens"));
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_stream_that_does_not_keep_its_maximum_ends_at_what_is_held_in_words_its_client_knows()
    {
        gate.Upstream.Says(() => Stream([.. Enumerable.Range(0, 1_000).Select(_ => Delta("sixsix"))]));
        var told = await AskAsync(100);
        (told.Status, told.Aborted).ShouldBe((200, false));
        told.Body.ShouldContain("\"finish_reason\":\"length\"");
        told.Body.ShouldEndWith("data: [DONE]\n\n");
        told.Body.Split("sixsix").Length.ShouldBeLessThan(310);
        var held = await HeldAsync();
        (held.Captured, held.Captured.Currency).ShouldBe((held.Hold.Ceiling, "total_tokens"));
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_crash_in_mid_stream_takes_the_tokens_of_the_last_checkpoint()
    {
        var never = new TaskCompletionSource<HttpResponseMessage>();
        gate.Upstream.Says(() =>
        {
            gate.Time.Pass(TimeSpan.FromMilliseconds(250));
            return new HttpResponseMessage { Content = new Unending(Delta("four") + "\n\n", never.Task) };
        });
        _ = AskAsync(100);
        for (var i = 0; i < 6_000 && (await gate.Ledger.ListAsync(new HoldFilter(), default)) is not [{ Observed.Units: > 0 }]; i++) await Task.Delay(10);
        var observed = (await HeldAsync()).Observed;
        observed.Currency.ShouldBe("total_tokens");
        using var after = gate.Restart();
        await after.Of<Settler>().RecoverAsync(default);
        (await after.Ledger.ListAsync(new HoldFilter(), default))[0].Captured.ShouldBe(observed);
        await after.ShouldBalanceAsync();
    }

    private Task<Told> AskAsync(int maximum) => gate.SendAsync(new Ask("POST", "/v1/chat/completions", ("apikey", Catalog.Documents.Variables["AGENT_KEY"]), ("Content-Type", "application/json"))
    {
        Body = $$"""{"model":"gpt-4o","stream":true,"max_tokens":{{maximum}},"messages":[]}""",
    });

    private async Task<HoldState> HeldAsync() => (await gate.Ledger.ListAsync(new HoldFilter(), default))[0];

    /// <summary>One piece, and then nothing for ever.</summary>
    private sealed class Unending : HttpContent
    {
        private readonly byte[] first;
        private readonly Task never;

        public Unending(string first, Task never)
        {
            (this.first, this.never) = (System.Text.Encoding.UTF8.GetBytes(first), never);
            Headers.ContentType = new("text/event-stream");
        }

        protected override Task<Stream> CreateContentReadStreamAsync() => Task.FromResult<Stream>(new Reader(first, never));

        protected override Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context) => throw new NotSupportedException();

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }

        private sealed class Reader(byte[] first, Task never) : MemoryStream
        {
            private bool told;

            public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
            {
                if (buffer.IsEmpty) return 0;
                if (told) await never;
                told = true;
                first.CopyTo(buffer);
                return first.Length;
            }
        }
    }
}
