using System.Text;
using Turnpike.Ledger;
using Turnpike.Tests.Gateway;
using static Turnpike.Tests.Metering.MeteredGate;

namespace Turnpike.Tests.Metering;

/// <summary>Streams that come faster than they can leave, with silences between: much is read at once, and ahead of what leaves.</summary>
public sealed class TorrentTests : IDisposable
{
    private const int Seeds = 60;
    private readonly TestGate gate = new(document: Chat);

    public void Dispose() => gate.Dispose();

    [Fact]
    public async Task What_comes_in_any_pieces_leaves_whole_and_in_order_without_the_chunk_nobody_asked_for()
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var text = Text(new Random(seed));
            gate.Upstream.Says(() => Burst(seed, text + LastChunk + "\n\ndata: [DONE]\n\n"));
            var told = await gate.SendAsync(Ask(await gate.TokenAsync(), Asking));
            (told.Status, told.Aborted).ShouldBe((200, false));
            told.Body.ShouldBe(text + "data: [DONE]\n\n", $"seed {seed}");
            (await HeldAsync()).Captured.ShouldBe(new Money(140_000, "USD"), $"seed {seed}");
        }
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task What_came_before_a_break_leaves_before_it_is_told()
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var text = Text(new Random(seed));
            gate.Upstream.Says(() => Burst(seed, text, breaks: true));
            var told = await gate.SendAsync(Ask(await gate.TokenAsync(), Asking));
            (told.Status, told.Aborted).ShouldBe((200, true));
            told.Body.ShouldBe(text, $"seed {seed}");
        }
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task It_ends_at_what_is_held_wherever_that_falls()
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var text = string.Concat(Enumerable.Repeat(Delta("sixsix") + "\n\n", 4_000));
            gate.Upstream.Says(() => Burst(seed, text));
            var told = await gate.SendAsync(Ask(await gate.TokenAsync(), Asking.Replace("20000", "100", StringComparison.Ordinal)));
            (told.Status, told.Aborted).ShouldBe((200, false));
            told.Body.ShouldContain("\"finish_reason\":\"length\"");
            told.Body.ShouldEndWith("data: [DONE]\n\n");
            text.ShouldStartWith(told.Body[..(told.Body.LastIndexOf("sixsix", StringComparison.Ordinal) + 6)], customMessage: $"seed {seed}");
            var held = await HeldAsync();
            held.Captured.ShouldBe(held.Hold.Ceiling);
        }
        await gate.ShouldBalanceAsync();
    }

    private const string Asking = """{"model":"gpt-4o","stream":true,"max_tokens":20000,"messages":[]}""";

    private async Task<HoldState> HeldAsync() => (await gate.Ledger.ListAsync(new HoldFilter(), default))[0];

    /// <summary>Some hundred frames, now and then one longer than what is read at once.</summary>
    private static string Text(Random random)
    {
        var text = new StringBuilder();
        for (var i = random.Next(100, 600); i > 0; i--)
            text.Append(Delta(random.Next(60) == 0 ? new string('a', random.Next(3_000)) : "x" + random.Next(100))).Append("\n\n");
        return text.ToString();
    }

    private static HttpResponseMessage Burst(int seed, string text, bool breaks = false)
    {
        var answer = new HttpResponseMessage { Content = new StreamContent(new Bursts(new Random(seed), Encoding.UTF8.GetBytes(text), breaks)) };
        answer.Content.Headers.ContentType = new("text/event-stream");
        return answer;
    }

    /// <summary>As a socket gives: mostly four kilobytes at once, sometimes less, sometimes after a wait, written when the wait is over.</summary>
    private sealed class Bursts(Random random, byte[] body, bool breaks) : MemoryStream
    {
        private int at;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var waits = random.Next(12) == 0;
            if (buffer.IsEmpty) return waits ? WaitAsync() : new(0);
            return waits ? LaterAsync(buffer) : new(Read(buffer.Span));
        }

        private static async ValueTask<int> WaitAsync()
        {
            await Task.Yield();
            return 0;
        }

        private async ValueTask<int> LaterAsync(Memory<byte> buffer)
        {
            await Task.Delay(1);
            return Read(buffer.Span);
        }

        public override int Read(Span<byte> buffer)
        {
            if (at == body.Length && breaks) throw new IOException("The connection broke.");
            var piece = body.AsSpan(at, Math.Min(Math.Min(buffer.Length, body.Length - at), random.Next(8) == 0 ? random.Next(1, 4096) : 4096));
            piece.CopyTo(buffer);
            at += piece.Length;
            return piece.Length;
        }
    }
}
