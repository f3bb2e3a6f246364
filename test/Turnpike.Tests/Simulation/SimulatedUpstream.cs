using System.Net;
using System.Text;
using Turnpike.Tests.Simulation.Outside;

namespace Turnpike.Tests.Simulation;

/// <summary>One run of the upstream's work.</summary>
internal sealed class Execution(string? receipt, string text)
{
    /// <summary>How many tokens it says it was; none where it is no stream.</summary>
    public long Tokens { get; init; }

    /// <summary>The payment the gateway says it was for; null for a free one.</summary>
    public string? Receipt => receipt;

    public string Text => text;

    /// <summary>Its 2xx answer was read to its end.</summary>
    public bool Finished { get; set; }
}

/// <summary>The service behind the gate: each answer is its own. It is slow, says 500, drops the connection, and breaks off.</summary>
internal sealed class SimulatedUpstream(World world) : HttpMessageHandler
{
    private static readonly string[] Credentials = ["Authorization", "PAYMENT-SIGNATURE", "X-PAYMENT", "Payment"];

    public List<Execution> Executions { get; } = [];

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.RequestUri!.Host == SimulatedSeller.Host)
        {
            await SlowAsync(cancellationToken);
            return await world.Seller.SendAsync(request, cancellationToken);
        }
        if (Credentials.Any(request.Headers.Contains)) world.Broken("I8: the upstream was shown a payment credential");
        var receipt = request.Headers.TryGetValues("Turnpike-Payment", out var named) ? named.Single() : null;
        var execution = request.RequestUri!.AbsolutePath == "/chat" ? Stream(receipt) : new Execution(receipt, $"answer {Executions.Count} for {receipt}");
        Executions.Add(execution);
        await SlowAsync(cancellationToken);
        var trouble = world.Scheduler.Chance(world.Weather.Upstream) ? world.Scheduler.Random.Next(6) : -1;
        world.Say($"the upstream {(trouble switch { 0 => "says 500", 1 => "says 404", 2 => "drops the connection", 3 => "will break off", 4 => "will break before its first byte", 5 => "cannot be reached", _ => "answers" })}");
        var answer = trouble switch
        {
            0 => new HttpResponseMessage(HttpStatusCode.InternalServerError) { Content = new StringContent("broken") },
            1 => new(HttpStatusCode.NotFound) { Content = new StringContent("nothing") },
            2 => throw new HttpRequestException(HttpRequestError.ResponseEnded),
            5 => throw new HttpRequestException(HttpRequestError.ConnectionError),
            3 or 4 => new HttpResponseMessage(HttpStatusCode.OK) { Content = new Passing(this, execution, breaksAt: trouble == 3 ? 2 : 0) },
            _ => new(HttpStatusCode.OK) { Content = new Passing(this, execution, breaksAt: -1) },
        };
        if (execution.Tokens > 0 && answer.IsSuccessStatusCode) answer.Content.Headers.ContentType = new("text/event-stream");
        return answer;
    }

    /// <summary>As a language model streams: word by word, and at its end what it came to.</summary>
    private Execution Stream(string? receipt)
    {
        var tokens = world.Scheduler.Random.Next(1, 70);
        var words = Enumerable.Range(0, tokens).Chunk(8).Select(part => Delta(string.Concat(part.Select(_ => "word "))));
        var text = string.Concat(words.Prepend(Delta($"answer {Executions.Count} for {receipt} ")).Select(frame => frame + "\n\n"));
        return new Execution(receipt, text + $$$"""data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":{{{tokens}}},"total_tokens":{{{tokens + 3}}}}}""" + "\n\ndata: [DONE]\n\n") { Tokens = tokens };
    }

    private static string Delta(string text) => $$$"""data: {"choices":[{"index":0,"delta":{"content":"{{{text}}}"},"finish_reason":null}]}""";

    private Task SlowAsync(CancellationToken ct) => world.Scheduler.Chance(world.Weather.SlowUpstream)
        ? Task.Delay(world.Scheduler.Between(1, 8_000), ((Place)SynchronizationContext.Current!).Time, ct)
        : Task.CompletedTask;

    /// <summary>An answer in pieces, some of them late.</summary>
    private sealed class Passing(SimulatedUpstream upstream, Execution execution, int breaksAt) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => throw new NotSupportedException();

        protected override Task<Stream> CreateContentReadStreamAsync() => Task.FromResult<Stream>(new Reader(upstream, execution, breaksAt));

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    private sealed class Reader(SimulatedUpstream upstream, Execution execution, int breaksAt) : MemoryStream
    {
        private const int Pieces = 4;
        private readonly byte[] all = Encoding.UTF8.GetBytes(execution.Text);
        private int next;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (buffer.IsEmpty) return 0;
            await upstream.SlowAsync(cancellationToken);
            if (next == breaksAt) throw new IOException("The connection broke.");
            if (next == Pieces)
            {
                execution.Finished = true;
                return 0;
            }
            var size = (all.Length + Pieces - 1) / Pieces;
            var piece = all.AsMemory(next * size, Math.Min(size, all.Length - next * size));
            next++;
            piece.CopyTo(buffer);
            return piece.Length;
        }
    }
}
