using System.Collections.Concurrent;
using System.Net;
using System.Text;

namespace Turnpike.Tests.Gateway;

/// <summary>The service behind the gate, in memory: answers what a test says, and remembers what it was asked.</summary>
internal sealed class ScriptedUpstream : HttpMessageHandler
{
    /// <summary>What it was asked, in order.</summary>
    public ConcurrentQueue<Asked> Requests { get; } = [];

    public Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> Answer { get; set; } = static (_, _) => Task.FromResult(Text("sunny"));

    public static HttpResponseMessage Text(string body, HttpStatusCode status = HttpStatusCode.OK) => new(status) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) };

    public void Says(Func<HttpResponseMessage> answer) => Answer = (_, _) => Task.FromResult(answer());

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
        var headers = request.Headers.NonValidated.Concat(request.Content?.Headers.NonValidated ?? default).ToDictionary(h => h.Key, h => string.Join(", ", h.Value), StringComparer.OrdinalIgnoreCase);
        Requests.Enqueue(new Asked(request.Method.Method, request.RequestUri!.OriginalString, headers, body));
        var response = await Answer(request, cancellationToken);
        response.RequestMessage ??= request;
        return response;
    }

    /// <summary>A request as it arrived.</summary>
    internal sealed record Asked(string Method, string Url, IReadOnlyDictionary<string, string> Headers, string Body);
}

/// <summary>A body that comes in the given pieces, and breaks where one is null.</summary>
internal sealed class Pieces(params byte[]?[] pieces) : HttpContent
{
    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        foreach (var piece in pieces) await stream.WriteAsync(piece ?? throw new IOException("The connection broke."));
    }

    protected override Task<Stream> CreateContentReadStreamAsync() => Task.FromResult<Stream>(new Reader(pieces));

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    /// <summary>One piece a read, or what of it there is room for.</summary>
    private sealed class Reader(byte[]?[] pieces) : MemoryStream
    {
        private int next, from;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (buffer.IsEmpty || next == pieces.Length) return new(0);
            var rest = (pieces[next] ?? throw new IOException("The connection broke.")).AsMemory(from);
            var count = Math.Min(rest.Length, buffer.Length);
            rest[..count].CopyTo(buffer);
            (next, from) = count == rest.Length ? (next + 1, 0) : (next, from + count);
            return new(count);
        }
    }
}
